"""The approaches that can be advised: their order from simple to complex, their names, and what rules them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from tuneworth.advisor.conditions import Condition, Test, Values, all_of, any_of
from tuneworth.core.advice import Approach
from tuneworth.core.text import Text

APPROACHES: tuple[Approach, ...] = get_args(Approach)
"""From the simplest to the most complex; a tie goes to the simpler."""

TUNED: frozenset[Approach] = frozenset({"lora", "lora_rag", "distill", "provider_ft"})
"""Approaches that change the weights of a language model."""

TITLES: dict[Approach, Text] = {
    "prompt": Text("prompt", "提示词"),
    "fewshot": Text("prompt with examples", "少样本提示"),
    "optimised_prompt": Text("optimised prompt", "自动优化的提示词"),
    "rag": Text("retrieval", "检索增强（RAG）"),
    "tools": Text("prompt with tools", "提示词加工具调用"),
    "head": Text("classifier on embeddings", "向量加线性分类头"),
    "lora": Text("fine-tuning (LoRA)", "微调（LoRA）"),
    "lora_rag": Text("fine-tuning with retrieval", "微调加检索"),
    "distill": Text("distilled small model", "蒸馏小模型"),
    "provider_ft": Text("fine-tuning at a provider", "厂商平台微调"),
}


_WITH_ARTICLE: dict[Approach, str] = {
    "prompt": "a plain prompt",
    "fewshot": "a prompt with examples",
    "optimised_prompt": "an optimised prompt",
    "tools": "a prompt with tools",
    "head": "a classifier on embeddings",
    "distill": "a distilled small model",
}


def in_sentence(approach: Approach) -> Text:
    """Its name as it stands in a sentence."""
    title = TITLES[approach]
    return Text(_WITH_ARTICLE.get(approach, title.en), title.zh)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A fact that makes approaches impossible, whatever speaks for them."""

    when: Condition
    approaches: frozenset[Approach]
    why: Text


_NO_ROWS = any_of(Test("quality_rows", "is", 0), Test("total_rows", "is", 0))
_LEARNS: frozenset[Approach] = frozenset({"optimised_prompt", "head", *TUNED})

EXCLUSIONS: tuple[Exclusion, ...] = (
    Exclusion(
        any_of(Test("private", "is", True), Test("local_deployment", "is", True)),
        frozenset({"provider_ft"}),
        Text(
            "The rows must stay on your own machines; a provider would see them.",
            "数据和模型都要留在自己的环境里，不能交给厂商训练。",
        ),
    ),
    Exclusion(
        _NO_ROWS,
        _LEARNS,
        Text(
            "There is no good labelled row to learn from or to judge by.",
            "没有可用的标注数据，既无从训练，也无从评判。",
        ),
    ),
    Exclusion(
        any_of(
            Test("output_kind", "in", ("choice", "json", "text")),
            all_of(
                Test("output_kind", "known", False),
                Test("scenario", "in", ("general_chat", "knowledge_qa", "structured_output", "style")),
            ),
        ),
        frozenset({"head"}),
        Text(
            "A classifier answers with one label of a fixed list; these answers are of another kind.",
            "分类头只能输出固定标签，而这里的输出不是标签。",
        ),
    ),
    Exclusion(
        Test("needs_documents", "is", False),
        frozenset({"rag", "lora_rag"}),
        Text("No documents are needed, so there is nothing to retrieve.", "回答不依赖文档，无可检索。"),
    ),
)


def ruled_out(values: Values) -> dict[Approach, Text]:
    """Approaches that the facts make impossible, each with the first reason."""
    found: dict[Approach, Text] = {}
    for exclusion in EXCLUSIONS:
        if exclusion.when.holds(values):
            for approach in APPROACHES:
                if approach in exclusion.approaches:
                    found.setdefault(approach, exclusion.why)
    return found
