"""Answers from a finished run."""
