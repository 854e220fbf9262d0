"""What a finished race says about its documents."""
