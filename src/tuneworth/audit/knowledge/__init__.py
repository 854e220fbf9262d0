"""How much of the answers is not in the inputs, and do the documents have it?

An answer that states names and numbers which its input lacks needs knowledge: from documents that are
retrieved, or from the weights. Counted are numbers, names that their form gives away (capitals within a
sentence; in Chinese titles, marked names, numerals with a measure word and Latin words), the values of JSON
slots, and the whole of a short answer to a question. An answer that states none of these counts as one that
needs nothing: the estimate is a mean over all rows.

NOT seen: facts stated in plain lower-case words inside long answers, Chinese names without a mark, a number
computed from the input (it counts as new), knowledge that chooses between things the input names.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from tuneworth.audit import Checked, Subject, Tick, no_tick
from tuneworth.audit._mentions import mentions
from tuneworth.audit._personal.mask import excerpt
from tuneworth.audit.knowledge.documents import Library
from tuneworth.audit.knowledge.units import is_question, leaves, units_of, units_of_json
from tuneworth.audit.knowledge.words import Haystack
from tuneworth.core.audit import AuditFact, Finding, Measure
from tuneworth.core.record import Interval
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.stats.intervals import mean_interval, wilson

MOST_ROWS = 20_000
FEWEST_ROWS = 20
"""Rows that an estimate needs."""
MUCH = 0.5
_TICK_EVERY = 200
_ASKED_SHARE = 0.5
_CLOSED_SHARE, _CLOSED_MIN_ROWS = 0.1, 20


@dataclass(frozen=True)
class _Row:
    """Names and numbers of an answer."""

    example: Example
    units: list[str]
    new: list[str]

    @property
    def novelty(self) -> float:
        return len(self.new) / len(self.units) if self.units else 0.0


@dataclass(frozen=True)
class _Estimate:
    """A mean over rows with its interval."""

    value: float
    interval: Interval
    n_rows: int

    @classmethod
    def of(cls, scores: list[float], rng: np.random.Generator) -> _Estimate:
        values = np.array(scores, dtype=np.float64)
        return cls(float(values.mean()), mean_interval(values, binary=False, rng=rng), len(scores))


class Knowledge:
    """Only answers in free text or JSON state something; labels and choices are given by the task."""

    title = Text(en="Knowledge that answers need", zh="答案所需的知识")

    def skip(self, subject: Subject) -> Text | None:
        if subject.task.kind not in ("text", "json"):
            return Text(
                en="answers are chosen from a list, so they state nothing of their own",
                zh="答案从给定选项中选出，本身不含新信息",
            )
        if subject.task.language == "other":
            return Text(
                en="names can be told in English and Chinese only",
                zh="目前只能识别中文和英文中的专名",
            )
        return None

    def run(self, subject: Subject, tick: Tick = no_tick) -> Checked:
        rng = subject.rng("knowledge")
        examples = _sample(subject.train, rng)
        closed = _closed_paths(examples) if subject.task.kind == "json" else frozenset[str]()
        asked = sum(is_question(row.query.text) for row in examples) >= _ASKED_SHARE * len(examples)
        if len(examples) < FEWEST_ROWS:
            return Checked([_too_few(len(examples))], len(examples))
        rows = _read(subject, examples, closed, asked, tick)
        novelty = _Estimate.of([row.novelty for row in rows], rng)
        facts = [_novelty_fact(novelty, sum(bool(row.units) for row in rows))]
        cover = _cover(subject, [row for row in rows if row.new], rng)
        if cover is not None:
            facts.append(_cover_fact(cover))
        return Checked([_finding(subject, rows, novelty, cover)], len(examples), facts)


def _sample(rows: tuple[Example, ...], rng: np.random.Generator) -> list[Example]:
    if len(rows) <= MOST_ROWS:
        return list(rows)
    return [rows[at] for at in np.sort(rng.choice(len(rows), MOST_ROWS, replace=False))]


def _read(subject: Subject, examples: list[Example], closed: frozenset[str], asked: bool, tick: Tick) -> list[_Row]:
    rows = []
    for done, example in enumerate(examples):
        if done % _TICK_EVERY == 0:
            tick(done, len(examples))
        rows.append(_row(subject, example, closed, asked))
    tick(len(examples), len(examples))
    return rows


def _row(subject: Subject, example: Example, closed: frozenset[str], asked: bool) -> _Row:
    question = example.query.text
    if subject.task.kind == "json":
        units = units_of_json(json.loads(example.output), closed)
    else:
        units = units_of(example.output, asked=asked)
    given = Haystack(f"{subject.task.instruction}\n{question}")
    return _Row(example, units, [unit for unit in units if not given.has(unit)])


def _closed_paths(examples: list[Example]) -> frozenset[str]:
    """Paths whose values are few: an intent, a category, a unit. Their words are the task's own."""
    values: dict[str, list[str]] = defaultdict(list)
    for example in examples:
        for path, leaf in leaves(json.loads(example.output)):
            values[path].append(str(leaf))
    return frozenset(
        path
        for path, seen in values.items()
        if len(seen) >= _CLOSED_MIN_ROWS and len(set(seen)) <= _CLOSED_SHARE * len(seen)
    )


def _cover(subject: Subject, rows: list[_Row], rng: np.random.Generator) -> _Estimate | None:
    """Mean share of the new units that the documents have; ``None`` without documents or rows to ask."""
    if not subject.documents or len(rows) < FEWEST_ROWS:
        return None
    library = Library(subject.documents)
    return _Estimate.of([library.cover(row.new) for row in rows], rng)


def _novelty_fact(novelty: _Estimate, n_stating: int) -> AuditFact:
    why = Text(
        en=f"names and numbers in an answer that its input lacks, mean over {novelty.n_rows:,} rows; "
        f"{novelty.n_rows - n_stating:,} answers state none and count as 0",
        zh=f"答案中的专名和数字有多少不在输入里，{novelty.n_rows:,} 条数据的平均；"
        f"其中 {novelty.n_rows - n_stating:,} 条答案不含这类内容，按 0 计",
    )
    return AuditFact(name="answer_novelty", value=round(novelty.value, 4), why=why, interval=novelty.interval)


def _cover_fact(cover: _Estimate) -> AuditFact:
    why = Text(
        en=f"share of those that a single document has, mean over {cover.n_rows:,} rows",
        zh=f"这些内容能在同一篇文档中找到的比例，{cover.n_rows:,} 条数据的平均",
    )
    return AuditFact(name="documents_cover", value=round(cover.value, 4), why=why, interval=cover.interval)


def _finding(subject: Subject, rows: list[_Row], novelty: _Estimate, cover: _Estimate | None) -> Finding:
    new = sorted((row for row in rows if row.new), key=lambda row: (-row.novelty, -len(row.new)))
    share = len(new) / len(rows)
    measures = [
        Measure(name=_WITH_NEW, value=share, unit="share", interval=wilson(len(new), len(rows))),
        Measure(name=_NOT_IN_INPUT, value=novelty.value, unit="share", interval=novelty.interval),
    ]
    if cover is not None:
        measures.append(Measure(name=_IN_DOCUMENT, value=cover.value, unit="share", interval=cover.interval))
    much = novelty.interval.low >= MUCH
    return Finding(
        id="knowledge",
        severity="warning" if much and cover is None else "note",
        title=_title(share, cover),
        measures=measures,
        why=_WHY_MUCH if much else _WHY_LITTLE,
        seed_rows=["N2", "A2", "T3", "X3"],
        fix=_fix(much, cover),
        rows=mentions(subject, ((row.example, _new_units(row)) for row in new)),
        n_rows=len(new),
    )


_WITH_NEW = Text(en="answers with a name or number that the input lacks", zh="含有输入中没有的专名或数字的答案")
_NOT_IN_INPUT = Text(en="names and numbers not in the input, per answer", zh="每条答案中不在输入里的专名和数字")
_IN_DOCUMENT = Text(en="of those, in a single document", zh="其中能在同一篇文档里找到的")


def _title(share: float, cover: _Estimate | None) -> Text:
    en = f"{share:.0%} of the answers have names or numbers that are not in the input"
    zh = f"{share:.0%} 的答案含有输入中没有的专名或数字"
    if cover is None:
        return Text(en=en, zh=zh)
    return Text(
        en=f"{en}; one document has {cover.value:.0%} of those", zh=f"{zh}；其中 {cover.value:.0%} 能在同一篇文档中找到"
    )


def _new_units(row: _Row) -> Text:
    shown = excerpt(", ".join(row.new[:6]), 80)
    return Text(en=f"not in the input: {shown}", zh=f"输入中没有：{shown}")


_WHY_MUCH = Text(
    en="A model cannot work these out from its input. It must have learned them (and learn them anew when they "
    "change), or be given a document that says them.",
    zh="这些内容无法从输入推出：要么模型事先学过（内容一变就得重学），要么把写有答案的文档一并给它。",
)
_WHY_LITTLE = Text(
    en="Mostly, answers restate what the input says. What is to be learned is form, not facts.",
    zh="答案大多是对输入内容的转写；要学的是形式，而不是事实。",
)


def _fix(much: bool, cover: _Estimate | None) -> Text:
    if not much:
        return Text(en="Nothing to do.", zh="无需处理。")
    if cover is None:
        return Text(
            en="If documents hold the answers, audit again with `--documents FILE` and measure retrieval; "
            "otherwise expect a tuned model to invent such values.",
            zh="如果有文档写着答案，加上 `--documents FILE` 重新检查，并实测检索方案；否则要预期微调后的模型会编造这类内容。",
        )
    if cover.interval.low >= MUCH:
        return Text(
            en="Measure retrieval before fine-tuning, or fine-tuning on top of retrieval.",
            zh="先实测检索，再考虑微调，或在检索之上微调。",
        )
    return Text(
        en="The documents lack much of it: complete them before choosing between retrieval and fine-tuning.",
        zh="文档缺少其中不少内容：先补齐文档，再在检索与微调之间选择。",
    )


def _too_few(n: int) -> Finding:
    return Finding(
        id="knowledge",
        severity="note",
        title=Text(
            en=f"{n} rows are too few to estimate what answers need to know",
            zh=f"只有 {n} 条数据，不足以估计答案需要多少知识",
        ),
        measures=[Measure(name=Text(en="rows", zh="数据条数"), value=n, unit="rows")],
        why=Text(en=f"An estimate needs at least {FEWEST_ROWS} rows.", zh=f"至少要有 {FEWEST_ROWS} 条才能估计。"),
        seed_rows=["N2", "X3"],
        fix=Text(en="Nothing to do.", zh="无需处理。"),
    )


PLUGIN = Knowledge()
