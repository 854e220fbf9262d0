"""From drafts to examples: what the output kind demands of every row."""

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
from tuneworth.data.outputs import json_text, parse_structure
from tuneworth.data.rows import BadRow, RawRow, Rejected, quote


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
