"""Personal data and secrets: what they look like, and how they are masked."""
