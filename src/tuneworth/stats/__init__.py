"""Statistics of scores and of paired differences. Pure: a numpy Generator is passed in."""
