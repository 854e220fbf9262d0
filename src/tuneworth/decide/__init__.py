"""From measured arms to a verdict. Pure: no engine, no clock, no randomness of its own."""
