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
from tuneworth.audit._findings import measure, mentions
from tuneworth.audit._personal.mask import excerpt
from tuneworth.audit.knowledge.words import Haystack, Library, is_question, leaves, units_of, units_of_json
from tuneworth.core.audit import AuditFact, Finding, Measure
from tuneworth.core.record import Interval
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.stats.intervals import mean_interval, wilson
from tuneworth.words.say import say

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
            return say("audit.knowledge.skip.chosen")
        if subject.task.language == "other":
            return say("audit.knowledge.skip.language")
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
    why = say("audit.knowledge.fact.novelty", n_rows=novelty.n_rows, none=novelty.n_rows - n_stating)
    return AuditFact(name="answer_novelty", value=round(novelty.value, 4), why=why, interval=novelty.interval)


def _cover_fact(cover: _Estimate) -> AuditFact:
    return AuditFact(
        name="documents_cover",
        value=round(cover.value, 4),
        why=say("audit.knowledge.fact.cover", n_rows=cover.n_rows),
        interval=cover.interval,
    )


def _finding(subject: Subject, rows: list[_Row], novelty: _Estimate, cover: _Estimate | None) -> Finding:
    new = sorted((row for row in rows if row.new), key=lambda row: (-row.novelty, -len(row.new)))
    share = len(new) / len(rows)
    measures = [
        Measure(
            name=say("audit.knowledge.measure.with_new"),
            value=share,
            unit="share",
            interval=wilson(len(new), len(rows)),
        ),
        Measure(
            name=say("audit.knowledge.measure.not_in_input"),
            value=novelty.value,
            unit="share",
            interval=novelty.interval,
        ),
    ]
    if cover is not None:
        measures.append(
            Measure(
                name=say("audit.knowledge.measure.in_document"),
                value=cover.value,
                unit="share",
                interval=cover.interval,
            )
        )
    much = novelty.interval.low >= MUCH
    return Finding(
        id="knowledge",
        severity="warning" if much and cover is None else "note",
        title=say("audit.knowledge.title.new", share=f"{share:.0%}")
        if cover is None
        else say("audit.knowledge.title.covered", share=f"{share:.0%}", cover=f"{cover.value:.0%}"),
        measures=measures,
        why=say("audit.knowledge.why_much") if much else say("audit.knowledge.why_little"),
        seed_rows=["N2", "A2", "T3", "X3"],
        fix=_fix(much, cover),
        rows=mentions(subject, ((row.example, _new_units(row)) for row in new)),
        n_rows=len(new),
    )


def _new_units(row: _Row) -> Text:
    shown = excerpt(", ".join(row.new[:6]), 80)
    return say("audit.knowledge.new_units", shown=shown)


def _fix(much: bool, cover: _Estimate | None) -> Text:
    if not much:
        return say("audit.nothing_to_do")
    if cover is None:
        return say("audit.knowledge.fix.no_documents")
    if cover.interval.low >= MUCH:
        return say("audit.knowledge.fix.retrieval")
    return say("audit.knowledge.fix.incomplete")


def _too_few(n: int) -> Finding:
    return Finding(
        id="knowledge",
        severity="note",
        title=say("audit.knowledge.too_few.title", n=str(n)),
        measures=[measure("rows", "数据条数", n, "rows")],
        why=say("audit.knowledge.too_few.why", fewest=FEWEST_ROWS),
        seed_rows=["N2", "X3"],
        fix=say("audit.nothing_to_do"),
    )


PLUGIN = Knowledge()
