"""The words around advice in both languages."""

from __future__ import annotations

from tuneworth.core.advice import Choice, Origin, Stance
from tuneworth.core.text import Text

WORDS: dict[str, Text] = {
    "advice": Text("Advice", "建议"),
    "prior": Text(
        "Advice rests on rules of thumb. A measurement on your own rows outranks it.",
        "建议只是经验之谈，最终以在你自己数据上的实测为准。",
    ),
    "facts": Text("What it rests on", "依据的情况"),
    "self_test": Text("Self-test", "自测"),
    "contradictions": Text(
        "Rules that contradict each other here, and what settles it", "这里互相矛盾的经验，以及如何定夺"
    ),
    "ranking": Text("Ranking", "方案排名"),
    "approach": Text("approach", "方案"),
    "score": Text("score", "得分"),
    "for": Text("for", "支持"),
    "against": Text("against", "反对"),
    "costs": Text("What each choice costs", "各种选择的代价"),
    "pros_cons": Text("What tuning gives (+) and takes (−) here", "微调在这里的好处（+）与代价（−）"),
    "missing": Text("Not known, and could change the advice", "尚不清楚、可能改变建议的情况"),
    "chart": Text("Flow chart", "流程图"),
    "task": Text("task.yaml that would measure it", "用来实测的 task.yaml"),
}
STANCES: dict[Stance, Text] = {
    "for": Text("Rules that speak for fine-tuning", "支持微调的经验"),
    "against": Text("Rules that speak against fine-tuning", "反对微调的经验"),
    "neutral": Text("Rules that choose among the other ways", "与微调与否无关、影响方案选择的经验"),
}
ANSWERS: dict[str, Text] = {"yes": Text("yes", "是"), "no": Text("no", "否"), "unknown": Text("not known", "未知")}
ORIGINS: dict[Origin, Text] = {
    "answered": Text("as you said", "由你填写"),
    "data": Text("read from the rows", "从数据中读出"),
    "measured": Text("measured", "实测"),
    "assumed": Text("follows from the rest", "由其他情况推出"),
}
CHOICES: dict[Choice, Text] = {
    "prompt": Text("prompt", "提示词"),
    "small_model": Text("tune a small model", "微调小模型"),
    "provider": Text("tune at a provider", "厂商平台微调"),
}
COSTS: dict[str, Text] = {
    "C1": Text("rows", "数据"),
    "C2": Text("skill", "技能"),
    "C3": Text("training", "训练"),
    "C4": Text("use", "推理"),
    "C5": Text("control", "可控性"),
    "C6": Text("updates", "更新"),
}
