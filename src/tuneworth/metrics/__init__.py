"""How right an answer is: one metric a file.

``load`` finds and checks them; ``base`` says what a metric is.
"""

NOT_PLUGINS = ("base", "custom", "json_values", "labels", "load", "words")
