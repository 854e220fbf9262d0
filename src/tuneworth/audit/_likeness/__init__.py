"""Which rows say the same thing."""
