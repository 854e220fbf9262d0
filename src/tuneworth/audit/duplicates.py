"""Rows that repeat an earlier row of their file, answer included.

Three degrees, each row counted under the first that fits: the same to the letter; the same but for case,
spacing and punctuation; near-duplicate, which means that the n-grams of the inputs have a Jaccard similarity of
at least 0.8 and so have those of free-text answers, while labels are the same. A row is held against rows that
are kept, never against one that is itself a repeat, so that a chain of small changes does not swallow a file.

0.8 is what work on language-model corpora uses (Lee et al. 2022, "Deduplicating Training Data Makes Language
Models Better"). It is stricter than the 0.7 by which the split keeps rows on one side: joining two rows too many
costs the split nothing, while here they are taken off the count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

import numpy as np

from tuneworth.audit import Checked, Patch, Subject, Tick, no_tick
from tuneworth.audit._findings import measure, mention, no_rows
from tuneworth.audit._likeness.forms import asked, bare
from tuneworth.core.audit import MAX_ROWS_SHOWN, AuditFact, Finding, Measure, RowMention, Severity
from tuneworth.core.task import Example, OutputKind
from tuneworth.core.text import Text
from tuneworth.data.evidence import values_of
from tuneworth.data.neardup import Pairs, ngram_size, pairs_within, plain, similarities, sketch

Degree = Literal["exact", "spacing", "near"]
SIMILARITY = 0.8
_SHORT = 40
_SERIOUS, _WARNING = 0.2, 0.02  # at a fifth, counts and shares mislead; under 2 % hardly anything changes

DEGREES: dict[Degree, Text] = {
    "exact": Text(en="to the letter", zh="一字不差"),
    "spacing": Text(en="but for case, spacing or punctuation", zh="仅大小写、空格或标点不同"),
    "near": Text(en="nearly word for word", zh="几乎一字不差"),
}


@dataclass(frozen=True, slots=True)
class Repeat:
    """Row ``row`` repeats ``first``, an earlier one, by their places in the file."""

    row: int
    first: int
    degree: Degree
    similarity: float = 1.0


class Duplicates:
    title = Text(en="Repeated rows", zh="重复的数据")

    def skip(self, subject: Subject) -> Text | None:
        return no_rows(subject)

    def run(self, subject: Subject, tick: Tick = no_tick) -> Checked:
        tick(0, 2)
        train = find_repeats(subject.train, subject.task.kind, _short_cells(subject, subject.train))
        tick(1, 2)
        test = find_repeats(subject.test, subject.task.kind, _short_cells(subject, subject.test))
        share = len(train) / len(subject.train)
        why = Text(
            en=f"{len(train):,} of {len(subject.train):,} training rows repeat or nearly repeat an earlier one",
            zh=f"{len(subject.train):,} 条训练数据中有 {len(train):,} 条与前面的重复或几乎重复",
        )
        findings = [_train_finding(subject, train)] if train else []
        findings += [_test_finding(subject, test)] if test else []
        return Checked(
            findings,
            len(subject.train) + len(subject.test),
            facts=[AuditFact(name="duplicate_share", value=share, why=why)],
            patches=[_patch(subject.train, repeat) for repeat in train],
        )


def _short_cells(subject: Subject, rows: Sequence[Example]) -> list[tuple[str, ...]]:
    """The short cells of each row's question, where it is read from several columns."""
    if len(subject.inputs) < 2:
        return []
    values = [subject.columns_of(row) for row in rows]
    cells = ([values_of(name, values) for name in subject.inputs]) if values else []
    return [tuple(cell if len(cell) <= _SHORT else "" for cell in row) for row in zip(*cells)]


def find_repeats(rows: Sequence[Example], kind: OutputKind, cells: Sequence[tuple[str, ...]] = ()) -> list[Repeat]:
    """The rows that repeat an earlier one, in their order.

    Args:
        cells: short cells of the questions, one tuple a row. A word that is a cell of its own, such as the aspect that is
            asked about, decides the answer, so rows that differ in one are no near-duplicates however long the rest is.
    """
    found: dict[int, Repeat] = {}
    _same(found, [(row.query.messages, row.query.choices, row.output) for row in rows], "exact")
    texts = asked(rows)
    _same(found, [(bare(text), row.output) for text, row in zip(texts, rows)], "spacing")
    kept = [at for at in range(len(rows)) if at not in found]
    pairs = _near([texts[at] for at in kept], [rows[at].output for at in kept], free=kind == "text")
    if cells:
        alike = [_alike(cells[kept[a]], cells[kept[b]]) for a, b in zip(pairs.a.tolist(), pairs.b.tolist())]
        pairs = Pairs(pairs.a[alike], pairs.b[alike], pairs.similarity[alike])
    for row, first, similarity in _leaders(pairs):
        found[kept[row]] = Repeat(kept[row], kept[first], "near", similarity)
    return [found[at] for at in sorted(found)]


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return all(a == b or SequenceMatcher(None, a, b).ratio() >= SIMILARITY for a, b in zip(one, other))


def _same(found: dict[int, Repeat], keys: Sequence[object], degree: Degree) -> None:
    first: dict[object, int] = {}
    for at, key in enumerate(keys):
        if at not in found and first.setdefault(key, at) != at:
            found[at] = Repeat(at, first[key], degree)


def _near(texts: Sequence[str], outputs: Sequence[str], *, free: bool) -> Pairs:
    """Pairs of rows with near-duplicate inputs and the same output (``free``: near-duplicate outputs)."""
    plains = [plain(text, keep_numbers=True) for text in texts]
    pairs = pairs_within(sketch(plains, ngram_size(plains)), SIMILARITY)
    if free:
        answers = sketch([plain(output, keep_numbers=True) for output in outputs], ngram_size(outputs))
        keep = similarities(answers, answers, pairs.a, pairs.b) >= SIMILARITY
    else:
        ids = {output: at for at, output in enumerate(outputs)}
        numbers = np.array([ids[output] for output in outputs], dtype=np.int64)
        keep = numbers[pairs.a] == numbers[pairs.b]
    return Pairs(pairs.a[keep], pairs.b[keep], pairs.similarity[keep])


def _leaders(pairs: Pairs) -> list[tuple[int, int, float]]:
    """(row, an earlier row that is kept, similarity) for every row that has such a pair."""
    gone: set[int] = set()
    found: list[tuple[int, int, float]] = []
    for at in np.lexsort((pairs.a, pairs.b)).tolist():
        first, row = int(pairs.a[at]), int(pairs.b[at])
        if row not in gone and first not in gone:
            gone.add(row)
            found.append((row, first, float(pairs.similarity[at])))
    return found


def _measures(repeats: Sequence[Repeat], total: int) -> list[Measure]:
    counts = Counter(repeat.degree for repeat in repeats)
    share = measure("share of the rows", "占比", len(repeats) / total)
    return [
        share,
        *(Measure(name=DEGREES[degree], value=counts[degree], unit="rows") for degree in DEGREES if counts[degree]),
    ]


def _train_finding(subject: Subject, repeats: Sequence[Repeat]) -> Finding:
    n, total = len(repeats), len(subject.train)
    share = n / total
    severity: Severity = "serious" if share >= _SERIOUS else "warning" if share >= _WARNING else "note"
    return Finding(
        id="duplicates.train",
        severity=severity,
        title=Text(
            en=f"{n:,} of {total:,} training rows ({share:.1%}) repeat or nearly repeat an earlier row",
            zh=f"{total:,} 条训练数据中有 {n:,} 条（{share:.1%}）与前面的重复或几乎重复",
        ),
        measures=_measures(repeats, total),
        why=Text(
            en="A repeated row teaches nothing new, so there are fewer rows to learn from than the file has lines. "
            "Training also leans towards what is repeated.",
            zh="重复的数据不带来新信息，真正可学的数据比文件行数少；训练还会偏向重复多的内容。",
        ),
        seed_rows=["Q1", "N4", "K4"],
        fix=Text(
            en="Drop the repeats. Keep them only if their frequency is what real requests look like and is meant to count.",
            zh="删去重复数据；除非其出现频率正好反映真实请求，并且需要计入。",
        ),
        rows=_mentions(subject, subject.train, repeats),
        n_rows=n,
    )


def _test_finding(subject: Subject, repeats: Sequence[Repeat]) -> Finding:
    n, total = len(repeats), len(subject.test)
    return Finding(
        id="duplicates.test",
        severity="warning" if n / total >= _WARNING else "note",
        title=Text(
            en=f"{n:,} of {total:,} test rows ({n / total:.1%}) repeat or nearly repeat an earlier one",
            zh=f"{total:,} 条测试数据中有 {n:,} 条（{n / total:.1%}）与前面的重复或几乎重复",
        ),
        measures=_measures(repeats, total),
        why=Text(
            en="A repeated question counts twice. The test has fewer independent rows than it seems, so its intervals "
            "are too narrow.",
            zh="同一道题会被计两次分；独立的测试题比看上去少，算出的置信区间因此偏窄。",
        ),
        seed_rows=["K4"],
        fix=Text(en="Keep one row of each.", zh="每组只保留一条。"),
        rows=_mentions(subject, subject.test, repeats),
        n_rows=n,
    )


def _mentions(subject: Subject, rows: Sequence[Example], repeats: Sequence[Repeat]) -> list[RowMention]:
    return [
        mention(
            subject,
            rows[repeat.row],
            detail=DEGREES[repeat.degree],
            other=rows[repeat.first].source,
            score=repeat.similarity,
        )
        for repeat in repeats[:MAX_ROWS_SHOWN]
    ]


def _patch(rows: Sequence[Example], repeat: Repeat) -> Patch:
    row, first = rows[repeat.row], rows[repeat.first]
    how = DEGREES[repeat.degree]
    why = Text(en=f"repeats {first.source} {how.en}", zh=f"与 {first.source} 重复（{how.zh}）")
    certain = repeat.degree == "exact"
    return Patch("duplicates", row.id, row.source, "drop", why, row.query.text, into=first.id, certain=certain)


PLUGIN = Duplicates()
