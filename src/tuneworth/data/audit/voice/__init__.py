"""How a text is written, apart from what it is about."""
