"""tuneworth: should we fine-tune? Measured, on your rows."""

from tuneworth import _moved

__version__ = "0.1.0"

_moved.install()
