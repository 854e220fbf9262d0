"""Facts that cannot both be true.

Only true contradictions: what is merely unusual is left to the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tuneworth.advisor.conditions import Condition, Test, Values, all_of
from tuneworth.advisor.facts import Situation
from tuneworth.advisor.words import show
from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem

_LEARNT_FROM_ROWS = ("measured_gain", "noise_rate", "duplicate_share", "format_regularity", "style_consistency")


@dataclass(frozen=True, slots=True)
class Impossible:
    """Facts that exclude one another where ``when`` holds."""

    facts: tuple[str, ...]
    when: Condition
    rule: Text


@dataclass(frozen=True, slots=True)
class OutOfOrder:
    """A fact that can never be over another one."""

    smaller: str
    larger: str
    rule: Text


_ORDERS = (
    OutOfOrder(
        "quality_rows",
        "total_rows",
        Text("good rows are a part of all rows and cannot outnumber them", "合格数据是全部数据的一部分，不会更多"),
    ),
    OutOfOrder(
        "measured_gain_low", "measured_gain", Text("the lower end lies at or below the gain", "区间下限不会高于增益")
    ),
    OutOfOrder(
        "measured_gain", "measured_gain_high", Text("the upper end lies at or above the gain", "区间上限不会低于增益")
    ),
    OutOfOrder(
        "measured_gain_low", "measured_gain_high", Text("the lower end lies at or below the upper", "下限不会高于上限")
    ),
)

_IMPOSSIBLE = (
    Impossible(
        ("scenario", "distinct_style"),
        all_of(Test("scenario", "is", "style"), Test("distinct_style", "is", False)),
        Text("writing in one voice needs one particular voice", "模仿文风，就必然需要特定的文风"),
    ),
    Impossible(
        ("scenario", "specialised_domain"),
        all_of(Test("scenario", "is", "specialised"), Test("specialised_domain", "is", False)),
        Text("specialised work is in a specialised domain", "专业任务必然属于专业领域"),
    ),
    Impossible(
        ("scenario", "repetitive"),
        all_of(Test("scenario", "is", "repetitive"), Test("repetitive", "is", False)),
        Text("a repetitive task repeats its structure", "高频重复的任务，结构必然重复"),
    ),
    Impossible(
        ("scenario", "needs_documents", "knowledge_changes"),
        all_of(
            Test("scenario", "is", "knowledge_qa"),
            Test("needs_documents", "is", False),
            Test("knowledge_changes", "at_least", "weekly"),
        ),
        Text(
            "answers about one's own documents that change weekly or faster cannot do without the documents",
            "针对自有文档的问答，内容又每周甚至更快在变，不可能不依赖文档",
        ),
    ),
    Impossible(
        ("output_kind", "distinct_style"),
        all_of(Test("output_kind", "is", "label"), Test("distinct_style", "is", True)),
        Text("a label of a fixed list has no voice", "固定标签谈不上文风"),
    ),
    Impossible(
        ("private", "local_deployment"),
        all_of(Test("private", "is", True), Test("local_deployment", "is", False)),
        Text(
            "rows that must not leave your machines can only be answered there",
            "数据不得外传，模型就只能部署在自己的环境里",
        ),
    ),
    *(
        Impossible(
            ("total_rows", name),
            all_of(Test("total_rows", "is", 0), Test(name, "known", True)),
            Text("nothing can be measured on no rows", "没有数据就不可能有实测值"),
        )
        for name in _LEARNT_FROM_ROWS
    ),
    Impossible(
        ("needs_documents", "retrieval_recall"),
        all_of(Test("needs_documents", "is", False), Test("retrieval_recall", "known", True)),
        Text("retrieval was measured, so there are documents to search", "既然测过检索，就有文档可查"),
    ),
)
_BUSY_FACTS = ("concurrency", "calls_per_day")
_BUSY = Text(
    "there cannot be more requests at the same time than in a whole day", "同一时刻的请求数不会超过全天的调用量"
)

CHECKED: frozenset[str] = frozenset(
    {order.smaller for order in _ORDERS}
    | {order.larger for order in _ORDERS}
    | {fact for item in _IMPOSSIBLE for fact in item.facts}
    | {*_BUSY_FACTS}
)
"""Facts that can contradict another one."""


def check_facts(situation: Situation) -> None:
    """Refuse facts that contradict one another.

    Raises:
        InputError: with every contradiction: the facts, their values, the rule, and what to do.
    """
    values = situation.facts.model_dump()
    found = [_problem(facts, values, rule) for facts, rule in _clashes(values, CHECKED)]
    if found:
        raise InputError(found)


def are_contradictory(values: Values, about: Iterable[str] = CHECKED) -> bool:
    """Whether any facts among ``values`` contradict one another.

    Args:
        about: look only at the rules about these facts; for callers whose other facts are known to agree.
    """
    return next(_clashes(values, CHECKED.intersection(about)), None) is not None


def _clashes(values: Values, about: frozenset[str]) -> Iterator[tuple[tuple[str, ...], Text]]:
    """Facts that exclude one another, and the rule that says so."""
    if not about:
        return
    for order in _ORDERS:
        if _over(values.get(order.smaller), values.get(order.larger)):
            yield (order.smaller, order.larger), order.rule
    for item in _IMPOSSIBLE:
        if not about.isdisjoint(item.facts) and item.when.holds(values):
            yield item.facts, item.rule
    if _too_busy(values):
        yield _BUSY_FACTS, _BUSY


def _too_busy(values: Values) -> bool:
    """One request at a time is the least that can be said, so it is no claim about volume."""
    return (values.get("concurrency") or 1) > 1 and _over(values.get("concurrency"), values.get("calls_per_day"))


def _over(smaller: float | None, larger: float | None) -> bool:
    return smaller is not None and larger is not None and smaller > larger


def _problem(facts: tuple[str, ...], values: Values, rule: Text) -> Problem:
    said = [(name, show(name, values[name])) for name in facts]
    en = " and ".join(f"`{name}` is {shown.en}" for name, shown in said)
    zh = "，".join(f"`{name}` 为{_spaced(shown.zh)}" for name, shown in said)
    message = Text(
        f"{en}, but {rule.en}; correct one of them or leave it out",
        f"{zh}，相互矛盾：{rule.zh}；请改正其中一项，或不填",
    )
    return Problem(", ".join(facts), message)


def _spaced(text: str) -> str:
    """A space between Chinese and what is not."""
    return f" {text}" if text[:1].isascii() else f"“{text}”"
