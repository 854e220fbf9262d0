"""How right an answer is: one metric a file.

``catalog`` finds and checks them; ``base`` says what a metric is.
"""

NOT_PLUGINS = ("base", "catalog", "custom", "json_values", "labels", "words")
