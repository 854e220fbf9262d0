"""Documents: read from files of many kinds, and cut into passages."""
