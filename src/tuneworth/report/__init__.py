"""Showing a finished run: on the terminal and as one HTML file that opens offline."""
