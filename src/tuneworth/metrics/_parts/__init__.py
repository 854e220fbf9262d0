"""What several metrics share, and where metrics are found."""
