"""Test rows that repeat training rows: word for word, or but for case, spacing, numbers, names or word order.

A model that has seen the row scores on it whatever it has learnt, so the test overrates every arm that learns.
Each test row is compared with every training row, by forms of the text that keep nothing of what may have been
changed; a row counts once, under the first kind that fits. A changed number or name is a repeat only if the
answer did not change with it, else it is what the task asks about; free text and JSON may carry the change along.
Where nothing fits but the wording is very close, the row is reported apart, because a person has to judge it.

It does not find paraphrases and translations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tuneworth.audit import Checked, Patch, Subject, Tick, no_tick
from tuneworth.audit._findings import measure, mention
from tuneworth.audit._likeness.forms import (
    ENOUGH_LETTERS,
    Names,
    bare,
    boilerplate_of,
    letters,
    questions,
    stripped,
    without_numbers,
)
from tuneworth.audit._likeness.frames import Lines, NameSpans, common_frames
from tuneworth.core.audit import MAX_ROWS_SHOWN, Finding, Measure, RowMention
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.data.neardup import ngram_size, pairs_across, plain, sketch

Kind = Literal["exact", "spacing", "numbers", "names", "order", "wording"]
CLOSE_WORDING = 0.8
_KEPT = 0.6  # of a row, beside the one span that differs
_MAX_TRAIN_ROWS = 20  # training rows named for one test row
_SERIOUS_SHARE = 0.01
_STEPS = 7

KINDS: dict[Kind, Text] = {
    "exact": Text(en="word for word", zh="一字不差"),
    "spacing": Text(en="but for case, spacing or punctuation", zh="仅大小写、空格或标点不同"),
    "numbers": Text(en="but for a number", zh="仅数字不同"),
    "names": Text(en="but for a name", zh="仅名称不同"),
    "order": Text(en="but for the order of words", zh="仅词序不同"),
    "wording": Text(en="in close wording", zh="措辞非常接近"),
}


@dataclass(frozen=True, slots=True)
class Leak:
    """A test row and the training rows that it repeats, by their places."""

    kind: Kind
    test: int
    train: tuple[int, ...]


@dataclass
class Search:
    """Leaks found so far, and the rows that are still to be looked at.

    Attributes:
        answers_decide: the answer is one of a few, so a changed answer says that the change matters.
        decided: rows whose answer changes with the number or name in them.
        enough: letters that must be left of a text to recognise it by.
    """

    train: Sequence[Example]
    test: Sequence[Example]
    answers_decide: bool
    enough: int
    found: dict[int, Leak] = field(default_factory=dict[int, Leak])
    decided: set[int] = field(default_factory=set[int])

    def by_form(self, kind: Kind, mine: Sequence[str], theirs: Iterable[str]) -> None:
        """Test rows with a form ``mine`` that a training row has too."""
        wanted: dict[str, list[int]] = {form: [] for at, form in enumerate(mine) if at not in self.found}
        for at, form in enumerate(theirs):
            if form in wanted:
                wanted[form].append(at)
        for at, form in enumerate(mine):
            repeated = wanted.get(form)
            if at in self.found or not repeated:
                continue
            if kind in ("numbers", "names") and not self._agree(at, repeated):
                self.decided.add(at)
            elif kind in ("exact", "spacing") or letters(form) >= self.enough:
                self.found[at] = Leak(kind, at, tuple(repeated[:_MAX_TRAIN_ROWS]))

    def by_order(self, mine: Lines, theirs: Lines) -> None:
        """Test rows with the words of a training row in another order, whatever their numbers."""
        said = mine.letters()
        places = [at for at in self.left() if said[at] >= self.enough]
        keys, others = mine.unordered(), theirs.unordered()
        wanted: dict[int, list[int]] = {int(keys[at]): [] for at in places}
        for other in np.flatnonzero(np.isin(others, keys)).tolist():
            wanted.get(int(others[other]), []).append(other)
        for at in places:
            if repeated := wanted[int(keys[at])]:
                self.found[at] = Leak("order", at, tuple(repeated[:_MAX_TRAIN_ROWS]))

    def by_name(self, mine: Lines, theirs: Lines, names: Names) -> None:
        """Test rows that differ from a training row in one span, where both spans are names."""
        places = self.left()
        judge = NameSpans(names, mine, theirs)
        ours, others = common_frames(mine.take(places), theirs, _KEPT, given=self.enough - ENOUGH_LETTERS)
        for (row, *span), (other, *place) in zip(ours.spans(), others.spans()):
            at = places[row]
            if at in self.found or not self._agree(at, [other]):
                continue
            if judge.differ(mine.row(at), (span[0], span[1]), theirs.row(other), (place[0], place[1])):
                self.found[at] = Leak("names", at, (other,))

    def by_wording(self, mine: Sequence[str], theirs: Sequence[str]) -> None:
        """Test rows that are near-duplicates of a training row."""
        places, n = self.left(), ngram_size(theirs)
        rows = sketch([plain(mine[at], keep_numbers=True) for at in places], n)
        pairs = pairs_across(rows, sketch([plain(text, keep_numbers=True) for text in theirs], n), CLOSE_WORDING)
        close: dict[int, list[int]] = {}
        for at in np.argsort(-pairs.similarity, kind="stable").tolist():
            close.setdefault(places[int(pairs.a[at])], []).append(int(pairs.b[at]))
        for at, others in close.items():
            if self._agree(at, others):  # else the little that differs decides
                self.found[at] = Leak("wording", at, tuple(others[:_MAX_TRAIN_ROWS]))

    def left(self) -> list[int]:
        return [at for at in range(len(self.test)) if at not in self.found and at not in self.decided]

    def _agree(self, at: int, repeated: Sequence[int]) -> bool:
        """Whether the answer is the same in spite of the change; free texts with words in them always agree."""
        answer = self.test[at].output
        if not self.answers_decide and any(map(str.isalpha, answer)):
            return True
        return {answer} == {self.train[other].output for other in repeated}


class Leaks:
    title = Text(en="Test rows that repeat training rows", zh="与训练数据重复的测试数据")

    def skip(self, subject: Subject) -> Text | None:
        if subject.test:
            return None
        return Text(
            en="there is no test file; when rows are held out, near-duplicates are kept on one side",
            zh="没有测试文件；自动划分时，近似重复的数据总在同一侧",
        )

    def run(self, subject: Subject, tick: Tick = no_tick) -> Checked:
        leaks = find_leaks(subject, tick)
        certain = [leak for leak in leaks if leak.kind != "wording"]
        close = [leak for leak in leaks if leak.kind == "wording"]
        findings = [_repeats(subject, certain)] if certain else []
        findings += [_wording(subject, close)] if close else []
        return Checked(findings, len(subject.train) + len(subject.test), patches=_patches(subject, leaks))


def find_leaks(subject: Subject, tick: Tick = no_tick) -> list[Leak]:
    """Test rows that repeat training rows, in the order of the test file."""
    theirs, mine = questions(subject.train), questions(subject.test)
    boilerplate = boilerplate_of(subject.train)
    names = Names([*theirs, *mine])
    # An instruction that all rows share is no sign that two of them are the same.
    enough = ENOUGH_LETTERS + letters(boilerplate.prefix + boilerplate.suffix)
    search = Search(subject.train, subject.test, subject.task.kind in ("label", "choice"), enough)
    search.by_form("exact", mine, theirs)
    tick(1, _STEPS)
    search.by_form("spacing", list(map(bare, mine)), map(bare, theirs))
    tick(2, _STEPS)
    numberless = list(map(without_numbers, mine)), list(map(without_numbers, theirs))
    search.by_form("numbers", *numberless)
    tick(3, _STEPS)
    search.by_form("names", list(map(names.masked, mine)), map(names.masked, theirs, numberless[1]))
    tick(4, _STEPS)
    words = Lines.of(mine), Lines.of(theirs)
    search.by_order(*words)
    tick(5, _STEPS)
    search.by_name(*words, names)
    tick(6, _STEPS)
    search.by_wording(stripped(mine, boilerplate), stripped(theirs, boilerplate))
    return [search.found[at] for at in sorted(search.found)]


def _repeats(subject: Subject, leaks: Sequence[Leak]) -> Finding:
    n, total = len(leaks), len(subject.test)
    counts = Counter(leak.kind for leak in leaks)
    return Finding(
        id="leaks.repeats",
        severity="serious" if n >= _SERIOUS_SHARE * total else "warning",
        title=Text(
            en=f"{n:,} of {total:,} test rows ({n / total:.1%}) repeat training rows",
            zh=f"{total:,} 条测试数据中有 {n:,} 条（{n / total:.1%}）与训练数据重复",
        ),
        measures=[
            measure("share of the test rows", "占测试数据的比例", n / total),
            *(Measure(name=KINDS[kind], value=counts[kind], unit="rows") for kind in KINDS if counts[kind]),
        ],
        why=Text(
            en="A model that has learnt a row answers it from memory. The test then overrates fine-tuning and few-shot "
            "prompts against a plain prompt, which has seen nothing.",
            zh="模型学过的题可以直接背出答案。这样测出来的分数会高估微调和少样本提示，而没见过这些数据的普通提示词就吃亏了。",
        ),
        seed_rows=["K4", "N4", "Q1"],
        fix=Text(
            en="Take these rows out of the training file and leave the test file as it is. A run leaves near-duplicate "
            "test rows out by itself.",
            zh="从训练文件中删去对应的行，测试文件保持不变。正式运行时也会自动排除近似重复的测试数据。",
        ),
        rows=[_mention(subject, leak) for leak in sorted(leaks, key=lambda leak: list(KINDS).index(leak.kind))][
            :MAX_ROWS_SHOWN
        ],
        n_rows=n,
    )


def _wording(subject: Subject, leaks: Sequence[Leak]) -> Finding:
    n, total = len(leaks), len(subject.test)
    return Finding(
        id="leaks.wording",
        severity="note",
        title=Text(
            en=f"{n:,} of {total:,} test rows ({n / total:.1%}) are worded almost like a training row",
            zh=f"{total:,} 条测试数据中有 {n:,} 条（{n / total:.1%}）与某条训练数据措辞几乎相同",
        ),
        measures=[measure("share of the test rows", "占测试数据的比例", n / total)],
        why=Text(
            en="A test row in the words of a training row is easier than what users will ask. How much that matters "
            "depends on whether real requests repeat themselves as well.",
            zh="措辞与训练数据相近的题，比真实请求更容易。影响有多大，要看线上请求本身是否也这样重复。",
        ),
        seed_rows=["K4", "Q1"],
        fix=Text(
            en="Look at the pairs. Drop the training row where both came from one source.",
            zh="逐对查看；若两条出自同一来源，删去训练文件中的那一条。",
        ),
        rows=[_mention(subject, leak) for leak in leaks[:MAX_ROWS_SHOWN]],
        n_rows=n,
    )


def _mention(subject: Subject, leak: Leak) -> RowMention:
    other = subject.train[leak.train[0]]
    return mention(subject, subject.test[leak.test], detail=KINDS[leak.kind], other=other.source)


def _patches(subject: Subject, leaks: Sequence[Leak]) -> list[Patch]:
    """Drop the training rows, since the test rows are frozen; for sure only where the text is the same."""
    patches: dict[str, Patch] = {}
    for leak in leaks:
        test, certain = subject.test[leak.test], leak.kind in ("exact", "spacing")
        for at in leak.train if certain else leak.train[:1]:
            row = subject.train[at]
            why = Text(
                en=f"the test row {test.source} repeats it {KINDS[leak.kind].en}",
                zh=f"测试数据 {test.source} 与它重复（{KINDS[leak.kind].zh}）",
            )
            if certain or row.id not in patches:
                patches[row.id] = Patch(
                    "leaks", row.id, row.source, "drop", why, row.query.text, into=test.id, certain=certain
                )
    return list(patches.values())


PLUGIN = Leaks()
