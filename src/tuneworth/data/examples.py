"""From drafts to examples: what the output kind demands of every row, and whether the rows can carry an answer at all.

The smallest test that can end in anything but "can't tell" has 6 rows: with 5 pairs that all disagree in one
direction, the exact McNemar test gives p = 2 × 0.5⁵ = 0.0625; with 6 it gives 0.031. A third of the rows may be test
rows at most, and a fit and a choice need some too, hence 20 rows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tuneworth.core.labelsets import read_labels, written
from tuneworth.core.quantity import number_text, read_quantity, spread
from tuneworth.core.task import Example, OutputKind, Query
from tuneworth.data.drafts import Draft
from tuneworth.data.infer import Pair, allowed_choices
from tuneworth.data.rows import BadRow, RawRow, Rejected, quote
from tuneworth.data.values import json_text, parse_structure
from tuneworth.errors import NotEnoughData, Problem
from tuneworth.words.say import say

MIN_TEST = 6
MIN_TRAIN = 8
MIN_DEV = 3
MIN_ROWS = 20
MIN_ROWS_WITH_TEST = MIN_ROWS - MIN_TEST


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row whose question and answer were read; ``output`` is its answer as text, from the field ``answer``."""

    row: RawRow
    draft: Draft
    output: str
    answer: str = ""

    @property
    def pair(self) -> Pair:
        """The row as inference sees it."""
        text = "\n".join(message.content for message in self.draft.messages)
        others = (value for name, value in self.row.value.items() if name != self.answer)
        beside = (value for value in others if isinstance(value, str) and value != self.output)
        return Pair(text, self.output, self.draft.choices, "\n".join(beside), self.draft.references)


@dataclass(frozen=True, slots=True)
class Rules:
    """What rows of a task must keep.

    Attributes:
        answer: the field that answers stand in, for messages.
        labels: the allowed answers when the user listed them, else empty; of kind ``multilabel`` those of the rows.
        unit: what numbers are written with.
        check_schema: raises ``BadRow`` on a JSON value the user's schema refuses.
        usual_choices: allowed answers of a ``choice`` row that lists none.
    """

    kind: OutputKind
    answer: str = "output"
    labels: tuple[str, ...] = ()
    unit: str = ""
    check_schema: Callable[[Any], None] | None = None
    usual_choices: tuple[str, ...] = ()

    def example(self, candidate: Candidate, row_id: str) -> Example:
        """The row as an example.

        Raises:
            BadRow: its answer is not one this kind of task allows.
        """
        output, references, choices = candidate.output, candidate.draft.references, ()
        if self.kind == "label":
            if self.labels and output not in self.labels:
                shown, n = repr(quote(output)), len(self.labels)
                near = [label for label in self.labels if label.casefold() == output.casefold()]
                raise BadRow(
                    say("rows.output.near_label", name=self.answer, output=shown, n=str(n), near=repr(near[0]))
                    if near
                    else say("rows.output.no_label", name=self.answer, output=shown, n=str(n))
                )
        elif self.kind == "multilabel":
            output = self._label_set(output)
            references = tuple(map(self._label_set, references))
        elif self.kind == "number":
            output = self._number(output)
            references = tuple(map(self._number, references))
        elif self.kind == "json":
            output = self._json(output)
            references = tuple(self._json(reference) for reference in references)
        elif self.kind == "choice":
            choices = allowed_choices(candidate.pair) or self.usual_choices
            if output not in choices:
                options = json.dumps(list(choices), ensure_ascii=False)[:80]
                raise BadRow(
                    say("rows.output.no_option", name=self.answer, output=repr(quote(output)), options=options)
                )
        query = Query(row_id, candidate.draft.messages, choices)
        accepted = tuple(dict.fromkeys((output, *references)))
        draft = candidate.draft
        return Example(
            query, output, accepted, candidate.row.source, draft.group, draft.gold, draft.doc_set, draft.changed
        )

    def _label_set(self, output: str) -> str:
        found = read_labels(output, self.labels)
        if unknown := found - set(self.labels):
            raise BadRow(
                say("rows.output.no_label", name=self.answer, output=repr(quote(min(unknown))), n=str(len(self.labels)))
            )
        return written(found, self.labels)

    def _number(self, output: str) -> str:
        quantity = read_quantity(output)
        if quantity is None:
            raise BadRow(say("answers.row.no_number", name=self.answer, shown=quote(output)))
        if quantity.unit != self.unit:
            raise BadRow(say("answers.row.other_unit", name=self.answer, shown=quote(output), unit=self.unit or "1"))
        return number_text(quantity.value)

    def _json(self, output: str) -> str:
        value = parse_structure(output)
        if value is None:
            shown = quote(output)
            raise BadRow(say("rows.output.not_json", name=self.answer, shown=shown))
        if self.check_schema is not None:
            self.check_schema(value)
        return json_text(value)


def spread_of(rows: Sequence[Example]) -> float:
    """The spread of the numbers that ``rows`` of kind ``number`` have as outputs."""
    return spread([float(row.output) for row in rows])


def usual_choices(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """The list of options that most rows have."""
    counts = Counter(choices for candidate in candidates if (choices := allowed_choices(candidate.pair)))
    return counts.most_common(1)[0][0] if counts else ()


def build(
    candidates: Sequence[Candidate], ids: Sequence[str], rules: Rules
) -> tuple[list[Example], list[Rejected], dict[str, str]]:
    """Examples, rejected rows, and the raw text of every example by its id."""
    examples, rejected, raw = [], [], {}
    for candidate, row_id in zip(candidates, ids):
        try:
            example = rules.example(candidate, row_id)
        except BadRow as error:
            rejected.append(candidate.row.rejected(error.reason))
        else:
            examples.append(example)
            raw[row_id] = candidate.row.raw
    return examples, rejected, raw


def check_rows(file: str, examples: Sequence[Example], *, has_test: bool, kind: OutputKind) -> None:
    """Refuse rows that are too few or all answered alike.

    Raises:
        NotEnoughData: with the number there is and the number needed.
    """
    needed = MIN_ROWS_WITH_TEST if has_test else MIN_ROWS
    n = len(examples)
    if n < needed:
        key = "rows.enough.one_row" if n == 1 else "rows.enough.too_few"
        raise NotEnoughData(Problem(file, say(key, found=n, needed=needed)), say("rows.enough.add_rows"))
    answers = {example.output for example in examples}
    if len(answers) == 1:
        key = "rows.enough.one_class" if kind == "label" else "rows.enough.one_output"
        raise NotEnoughData(Problem(file, say(key, shown=repr(next(iter(answers))[:40]))))


def check_test(file: str, n_rows: int, n_leaks: int) -> None:
    """Refuse a test file that has too few rows left.

    Raises:
        NotEnoughData: fewer than ``MIN_TEST``.
    """
    if n_rows >= MIN_TEST:
        return
    raise NotEnoughData(
        Problem(file, say("rows.enough.test", n_rows=str(n_rows), n_leaks=str(n_leaks), min_test=MIN_TEST)),
        say("rows.enough.add_rows"),
    )


def check_sides(file: str, n_train: int, n_dev: int, n_test: int, n_groups: int) -> None:
    """Refuse a split whose groups leave a side too small.

    Raises:
        NotEnoughData: naming the sizes and the number of groups.
    """
    if n_train >= MIN_TRAIN and n_dev >= MIN_DEV and n_test >= MIN_TEST:
        return
    message = say(
        "rows.enough.sides",
        n_groups=str(n_groups),
        n_train=str(n_train),
        n_dev=str(n_dev),
        n_test=str(n_test),
        min_train=MIN_TRAIN,
        min_dev=MIN_DEV,
        min_test=MIN_TEST,
    )
    raise NotEnoughData(Problem(file, message), say("rows.enough.sides_next"))
