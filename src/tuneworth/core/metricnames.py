"""What the built-in metrics are called in both languages."""

from __future__ import annotations

from tuneworth.core.text import Text

METRICS: dict[str, Text] = {
    "accuracy": Text(en="accuracy", zh="准确率"),
    "macro_f1": Text(en="macro-F1", zh="宏平均 F1"),
    "json_valid": Text(en="valid JSON", zh="JSON 合法率"),
    "json_exact": Text(en="JSON exact match", zh="JSON 完全一致"),
    "json_token_f1": Text(en="slot token F1", zh="槽位词元 F1"),
    "json_slot_f1": Text(en="slot F1", zh="槽位 F1"),
    "exact_match": Text(en="exact match", zh="完全匹配"),
    "token_f1": Text(en="token F1", zh="词元 F1"),
    "rouge_l": Text(en="ROUGE-L", zh="ROUGE-L"),
    "chrf": Text(en="chrF", zh="chrF"),
}


def metric_name(metric_id: str) -> Text:
    """The name of a metric; a user's own metric is called by its id."""
    return METRICS.get(metric_id, Text(en=metric_id, zh=metric_id))
