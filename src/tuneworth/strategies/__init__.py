"""Ways of adapting a model to a task, one per file."""

NOT_PLUGINS = ("base", "prompting", "schema_text", "asking", "features", "neighbours")
