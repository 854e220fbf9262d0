"""How the product speaks: the catalogue of sentences, the only formatter of numbers, names in a row."""
