"""Words of the audit page and of its terminal table."""

from __future__ import annotations

from tuneworth.core.audit import Severity, Side
from tuneworth.core.text import Lang, Text

SEVERITIES: dict[Severity, Text] = {
    "serious": Text(en="serious", zh="严重"),
    "warning": Text(en="warning", zh="警告"),
    "note": Text(en="note", zh="提示"),
}
SIDES: dict[Side, Text] = {"train": Text(en="train", zh="训练集"), "test": Text(en="test", zh="测试集")}
UNITS: dict[str, Text] = {
    "rows": Text(en="rows", zh="条"),
    "characters": Text(en="characters", zh="字符"),
    "tokens": Text(en="tokens", zh="词元"),
}
FACTS: dict[str, Text] = {
    "total_rows": Text(en="Labelled rows", zh="标注数据"),
    "quality_rows": Text(en="Quality rows", zh="优质数据"),
    "clear_structure": Text(en="Clear structure", zh="结构清晰"),
    "distinct_style": Text(en="One distinct voice", zh="文风独特"),
    "noise_rate": Text(en="Wrong labels", zh="错标率"),
    "duplicate_share": Text(en="Repeated rows", zh="重复占比"),
    "format_regularity": Text(en="Outputs in the usual format", zh="格式一致率"),
    "style_consistency": Text(en="Consistency of style", zh="文风一致度"),
    "answer_novelty": Text(en="New in the answers", zh="答案中的新信息"),
    "documents_cover": Text(en="Of that, in the documents", zh="其中文档已有"),
    "output_kind": Text(en="Kind of output", zh="输出类型"),
    "repetitive": Text(en="Repetitive work", zh="重复性任务"),
}
SHARES = frozenset(
    [
        "noise_rate",
        "duplicate_share",
        "format_regularity",
        "style_consistency",
        "answer_novelty",
        "documents_cover",
    ]
)
"""Facts that are shares and shown as per cent."""

LABELS: dict[str, Text] = {
    "audit": Text(en="Data audit", zh="数据检查"),
    "findings": Text(en="Findings", zh="发现的问题"),
    "findings_lead": Text(
        en="Worst first. Quotations are cut short; personal data and secrets in them are masked.",
        zh="最严重的在前。引文只取开头，其中的个人信息和密钥已打码。",
    ),
    "finding": Text(en="Finding", zh="问题"),
    "none": Text(en="Nothing was found.", zh="没有发现问题。"),
    "why": Text(en="Why it matters", zh="为什么要紧"),
    "fix": Text(en="What to do", zh="怎么处理"),
    "seed": Text(en="Bears on", zh="相关规则"),
    "rows": Text(en="Rows", zh="数据行"),
    "row": Text(en="Row", zh="位置"),
    "side": Text(en="Side", zh="所属"),
    "text": Text(en="Text", zh="内容"),
    "detail": Text(en="What is wrong", zh="问题"),
    "other": Text(en="See also", zh="对应行"),
    "checks": Text(en="What was checked", zh="检查了什么"),
    "check": Text(en="Check", zh="检查项"),
    "looked_at": Text(en="Rows looked at", zh="检查条数"),
    "time": Text(en="Time", zh="用时"),
    "outcome": Text(en="Outcome", zh="结果"),
    "skipped": Text(en="skipped", zh="跳过"),
    "sampled": Text(en="a sample", zh="抽样"),
    "facts": Text(en="What the data says about the situation", zh="数据说明了什么"),
    "facts_lead": Text(en="Facts the advisor takes from here.", zh="这些事实会交给顾问，用来判断该不该微调。"),
    "fact": Text(en="Fact", zh="事实"),
    "value": Text(en="Value", zh="数值"),
    "how": Text(en="How it was found", zh="得出方式"),
    "contents": Text(en="Contents", zh="目录"),
    "language": Text(en="Language", zh="语言"),
    "yes": Text(en="yes", zh="是"),
    "no": Text(en="no", zh="否"),
}


def audit_labels(lang: Lang) -> dict[str, str]:
    """All labels in one language, for templates."""
    return {key: text.to(lang) for key, text in LABELS.items()}
