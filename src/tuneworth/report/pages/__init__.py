"""The pages of a report: plain data in one language, every number already text."""
