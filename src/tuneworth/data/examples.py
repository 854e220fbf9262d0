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

from tuneworth.core.task import Example, OutputKind, Query
from tuneworth.core.text import Text
from tuneworth.data.drafts import Draft
from tuneworth.data.infer import Pair, allowed_choices
from tuneworth.data.rows import BadRow, RawRow, Rejected, quote
from tuneworth.data.values import json_text, parse_structure
from tuneworth.errors import NotEnoughData, Problem

MIN_TEST = 6
MIN_TRAIN = 8
MIN_DEV = 3
MIN_ROWS = 20
MIN_ROWS_WITH_TEST = MIN_ROWS - MIN_TEST
_MORE_ROWS = Text(en="Add rows and run again.", zh="请补充数据后重新运行。")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row whose question and answer were read; ``output`` is its answer as text."""

    row: RawRow
    draft: Draft
    output: str

    @property
    def pair(self) -> Pair:
        """The row as inference sees it."""
        text = "\n".join(message.content for message in self.draft.messages)
        return Pair(text, self.output, self.draft.choices)


@dataclass(frozen=True, slots=True)
class Rules:
    """What rows of a task must keep.

    Attributes:
        labels: the allowed answers when the user listed them, else empty.
        check_schema: raises ``BadRow`` on a JSON value the user's schema refuses.
        usual_choices: allowed answers of a ``choice`` row that lists none.
    """

    kind: OutputKind
    labels: tuple[str, ...] = ()
    check_schema: Callable[[Any], None] | None = None
    usual_choices: tuple[str, ...] = ()

    def example(self, candidate: Candidate, row_id: str) -> Example:
        """The row as an example.

        Raises:
            BadRow: its answer is not one this kind of task allows.
        """
        output, references, choices = candidate.output, candidate.draft.references, ()
        if self.kind == "label":
            self._check_label(output)
        elif self.kind == "json":
            output = self._json(output)
            references = tuple(self._json(reference) for reference in references)
        elif self.kind == "choice":
            choices = allowed_choices(candidate.pair) or self.usual_choices
            _check_choice(output, choices)
        query = Query(row_id, candidate.draft.messages, choices)
        accepted = tuple(dict.fromkeys((output, *references)))
        draft = candidate.draft
        return Example(
            query, output, accepted, candidate.row.source, draft.group, draft.gold, draft.doc_set, draft.changed
        )

    def _check_label(self, output: str) -> None:
        if self.labels and output not in self.labels:
            near = [label for label in self.labels if label.casefold() == output.casefold()]
            hint_en = f"; did you mean {near[0]!r}?" if near else ""
            hint_zh = f"；是否应为 {near[0]!r}？" if near else ""
            raise BadRow(
                Text(
                    en=f"the output {quote(output)!r} is not one of the {len(self.labels)} labels{hint_en}",
                    zh=f"输出 {quote(output)!r} 不在给定的 {len(self.labels)} 个标签中{hint_zh}",
                )
            )

    def _json(self, output: str) -> str:
        value = parse_structure(output)
        if value is None:
            shown = quote(output)
            raise BadRow(
                Text(en=f"the output is not a JSON object or array: {shown}", zh=f"输出不是 JSON 对象或数组：{shown}")
            )
        if self.check_schema is not None:
            self.check_schema(value)
        return json_text(value)


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


def _check_choice(output: str, choices: tuple[str, ...]) -> None:
    if output in choices:
        return
    shown = json.dumps(list(choices), ensure_ascii=False)[:80]
    raise BadRow(
        Text(
            en=f"the output {quote(output)!r} is not one of the row's options {shown}",
            zh=f"输出 {quote(output)!r} 不在这条数据的选项 {shown} 中",
        )
    )


def check_rows(file: str, examples: Sequence[Example], *, has_test: bool, kind: OutputKind) -> None:
    """Refuse rows that are too few or all answered alike.

    Raises:
        NotEnoughData: with the number there is and the number needed.
    """
    needed = MIN_ROWS_WITH_TEST if has_test else MIN_ROWS
    if len(examples) < needed:
        raise NotEnoughData(Problem(file, _too_few(len(examples), needed)), _MORE_ROWS)
    answers = {example.output for example in examples}
    if len(answers) == 1:
        shown = next(iter(answers))[:40]
        message = (
            Text(
                en=f"all rows have the one class {shown!r}; there is nothing to tell apart",
                zh=f"所有数据都属于同一类别 {shown!r}，没有可区分的内容",
            )
            if kind == "label"
            else Text(
                en=f"all outputs are equal ({shown!r}); there is nothing to learn",
                zh=f"所有输出都相同（{shown!r}），没有可学习的内容",
            )
        )
        raise NotEnoughData(Problem(file, message))


def check_test(file: str, n_rows: int, n_leaks: int) -> None:
    """Refuse a test file that has too few rows left.

    Raises:
        NotEnoughData: fewer than ``MIN_TEST``.
    """
    if n_rows >= MIN_TEST:
        return
    message = Text(
        en=f"{n_rows} usable test rows are left ({n_leaks} repeat train rows); at least {MIN_TEST} are needed, "
        "because fewer can never show a difference at the 5 % level",
        zh=f"可用的测试数据只剩 {n_rows} 条（另有 {n_leaks} 条与训练数据重复）；至少需要 {MIN_TEST} 条，"
        "再少就不可能在 5% 水平上显示出差异",
    )
    raise NotEnoughData(Problem(file, message), _MORE_ROWS)


def check_sides(file: str, n_train: int, n_dev: int, n_test: int, n_groups: int) -> None:
    """Refuse a split whose groups leave a side too small.

    Raises:
        NotEnoughData: naming the sizes and the number of groups.
    """
    if n_train >= MIN_TRAIN and n_dev >= MIN_DEV and n_test >= MIN_TEST:
        return
    message = Text(
        en=f"the rows form only {n_groups} groups of near-duplicates, which split into {n_train} train, {n_dev} dev "
        f"and {n_test} test rows; at least {MIN_TRAIN}, {MIN_DEV} and {MIN_TEST} are needed",
        zh=f"数据只有 {n_groups} 个近似重复组，划分后训练集 {n_train} 条、开发集 {n_dev} 条、测试集 {n_test} 条；"
        f"至少分别需要 {MIN_TRAIN}、{MIN_DEV}、{MIN_TEST} 条",
    )
    next_step = Text(
        en="Add rows that differ in more than a number or a word, or bring a test file of your own.",
        zh="请补充内容真正不同的数据（不只是换个数字或词），或提供自己的测试文件。",
    )
    raise NotEnoughData(Problem(file, message), next_step)


def _too_few(found: int, needed: int) -> Text:
    return Text(
        en=f"has {found} usable row{'s' if found != 1 else ''}; at least {needed} are needed for an answer",
        zh=f"只有 {found} 条可用数据；至少需要 {needed} 条才能得出结论",
    )
