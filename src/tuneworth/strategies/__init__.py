"""Ways of adapting a model to a task, one per file."""

NOT_PLUGINS = (
    "base",
    "prompting",
    "schema_text",
    "workload",
    "asking",
    "features",
    "neighbours",
    "passages",
    "citing",
    "finding",
    "reading",
    "raft",
)
