"""Finding passages: an index in a folder, search by words and by meaning, and how good the search is.

``index`` opens, refreshes and searches; ``measure`` scores what was found; ``rerank`` reads it again.
"""
