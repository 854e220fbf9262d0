"""Finding personal data and secrets in a text, in English and in Chinese, without a model.

A kind is taken up only where its form alone is strong evidence: a checksum, a numbering plan, a vendor's
prefix, a label in front of it. Names and addresses in running prose have no such form and are not looked for.
"""
