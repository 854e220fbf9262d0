"""The race as it is watched."""
