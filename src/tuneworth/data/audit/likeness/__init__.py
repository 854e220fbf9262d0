"""How two rows can be the same: forms of a text, near-duplicates, one differing span."""
