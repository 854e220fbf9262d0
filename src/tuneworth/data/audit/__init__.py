"""Checks of the rows before anything runs: one question a file."""

NOT_PLUGINS = ("base", "mask", "mentions", "quality", "run")
