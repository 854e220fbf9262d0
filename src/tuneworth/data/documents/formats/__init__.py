"""Kinds of files that hold documents: one file each, its name is the kind's id."""
