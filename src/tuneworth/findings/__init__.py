"""What a finished race says."""
