"""tuneworth: should we fine-tune? Measured, on your rows."""

__version__ = "0.1.0"
