"""How rows are shaped: which of their fields are the question and which is the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tuneworth.core.text import Text
from tuneworth.data.columns import judge
from tuneworth.data.drafts import (
    Draft,
    Extras,
    is_answer,
    is_conversation,
    question_and_answer,
    read_turns,
    target_turn,
)
from tuneworth.data.evidence import SAMPLE, WIDE, Sampled, flat, is_label, values_of
from tuneworth.data.fieldnames import (
    ANSWERS,
    GENERAL_ANSWERS,
    HISTORIES,
    LAST_ANSWERS,
    MAYBE_TRUTHS,
    METADATA,
    OPTION_LISTS,
    QUESTIONS,
    SYSTEM_TURNS,
    by_key,
    ends_like,
    in_yaml,
    is_system,
    is_truth,
    key,
    option_columns,
)
from tuneworth.data.forms import accepted_answers
from tuneworth.data.inputs import Inputs, absent, answer_form, chosen_mark, inputs_named, options_in
from tuneworth.data.rows import BadRow, RawRow
from tuneworth.data.transcripts import conversation_in
from tuneworth.data.truth import Marks, Truth, true_answer
from tuneworth.data.values import cell, check_text
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say, table

CHATS = ("messages", "conversations", "conversation")
_INSTRUCTIONS, _MORE = ("instruction", "指令"), ("input", "输入")


@dataclass(frozen=True, slots=True)
class Shape:
    """A way to read rows.

    Attributes:
        used: the fields it reads, the one with the answer last.
        reason: why it was chosen, for a person to read.
        inputs: what is asked.
        chat: the answer is the last turn of the conversation in the last field.
        day_first: how dates such as 03/05/2024 are meant.
        marks: fields that say which rows not to learn from.
        unused: fields that nothing reads; ``untold`` are those of them of which nothing is said yet.
        notes, warnings: what was decided about the other fields, and what the user should decide.
    """

    name: str
    used: tuple[str, ...]
    reason: Text
    inputs: Inputs
    chat: bool = False
    extras: Extras = field(default_factory=Extras)
    day_first: bool | None = None
    marks: Marks = field(default_factory=lambda: Marks({}))
    unused: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()
    warnings: tuple[Text, ...] = ()

    @property
    def answer(self) -> str:
        """The field with the answer."""
        return self.used[-1]

    def told(self) -> list[Text]:
        """Why the rows are read so, a sentence each."""
        names = ", ".join(name for name in self.untold if name not in self.extras.columns())
        return [self.reason, *self.notes, *([say("columns.not_used", names=names)] if names else [])]

    def left_out(self, row: RawRow) -> Text | None:
        """Why a row is not to be learnt from although it can be read: it says so itself."""
        return self.marks.reason(row.value)

    def read(self, row: RawRow) -> Draft:
        """The row's question, answer and extras.

        Raises:
            BadRow: a field is missing, empty, or not text.
        """
        value = row.value
        draft = self._chat_read(value) if self.chat else self._read(value)
        asked = ", ".join(column for column in self.used if column != self.answer) or self.answer
        for message in draft.messages:
            check_text(asked, message.content)
        if not any(message.content.strip() for message in draft.messages if message.role == "user"):
            raise BadRow(say("rows.field.empty_input"))
        return self.extras.add_to(draft, value, self.day_first)

    def _given(self, value: Mapping[str, Any]) -> Any:
        given = cell(value, self.answer)
        if given is None:
            raise absent(self.answer, value)
        return given

    def _chat_read(self, value: Mapping[str, Any]) -> Draft:
        turns = conversation_in(self._given(value))
        if turns is None:
            raise BadRow(say("rows.turns.no_list", name=self.answer))
        said, output = question_and_answer(turns)
        return Draft(self.inputs.messages(value, said), output)

    def _read(self, value: Mapping[str, Any]) -> Draft:
        draft = Draft(self.inputs.messages(value), self._given(value))
        if is_conversation(draft.output):
            at = target_turn(draft.output)
            return replace(draft, output=read_turns(draft.output)[-1 if at is None else at].content)
        if self.inputs.form is None:
            return draft
        options = self.inputs.options_of(value)
        mark = chosen_mark(draft.output, options, self.inputs.form)
        if mark is None:
            raise BadRow(say("columns.no_option", name=self.answer, value=str(draft.output)[:40], n=len(options)))
        if self.inputs.form == "text":
            return replace(draft, output=options[mark], choices=tuple(options.values()))
        return replace(draft, output=mark, choices=tuple(options))


def shape_for(shape: Shape, rows: Sequence[RawRow]) -> Shape:
    """``shape`` for ``rows`` of another file, which may have columns of its own that say which rows, or which answer, is right.

    Raises:
        InputError: a column that says of itself that it is right differs from the answer that ``shape`` reads.
    """
    sample, used = _sample(rows), {*shape.used, *shape.inputs.columns, *shape.extras.columns()}
    own = Marks.found(sample, used, shape.marks.answer)
    shape = replace(shape, marks=replace(own, columns={**own.columns, **shape.marks.columns}))
    if shape.chat or shape.name == "mapped":
        return shape
    truth = true_answer(shape.answer, sample, shape.used[0])
    if truth.column != shape.answer:
        fields = {"input": in_yaml(*shape.used[:-1]), "output": in_yaml(shape.answer)}
        message = say("columns.truth.other_file", truth=truth.column, answer=shape.answer)
        raise InputError(Problem(rows[0].file, message), say("columns.truth.other_file_next", **fields))
    return shape


def mapped_shape(
    inputs: Sequence[str], output: str, extras: Extras, rows: Sequence[RawRow] = (), *, documents: bool = False
) -> Shape:
    """The shape the user's ``fields`` describe; what other fields show is warned of and nothing joins."""
    sample = _sample(rows)
    read = _with_options(inputs_named(inputs, [row.value for row in sample]), output, extras, sample)
    reason = say("rows.shape.mapped", shown=", ".join(inputs), output=output)
    shape = Shape("mapped", (*inputs, output), reason, read, extras=extras)
    return _judged(shape, Truth(output), sample, may_join=False, documents=documents) if sample else shape


def detect_shape(rows: Sequence[RawRow], extras: Extras | None = None, *, documents: bool = False) -> Shape:
    """The first known shape that at least half of the rows have, with the columns that belong to its question.

    Args:
        extras: the extra fields the user named; found by name where they did not.
        documents: the task has documents to look answers up in.

    Raises:
        InputError: no known shape; the message lists the fields there are. Or two fields could be the answer.
    """
    sample = _sample(rows)
    counts = Counter(column for row in sample for column in row.value)
    extras = (extras or Extras()).found_in(counts)
    enough = max(len(sample) / 2, 1)
    for name in (*CHATS, "chosen"):
        if name in counts and (shape := _chat_shape(name, sample, extras, documents=documents)):
            return shape
    columns = [column for column, n in counts.items() if n >= enough]
    sources, found = _question_and_answer(columns, sample)
    if found is None:
        for name in columns:  # one text with both sides, whatever its column is called
            if shape := _chat_shape(name, sample, extras, documents=documents):
                return shape
        raise _unknown_shape(rows[0].file, sample, columns)
    truth = true_answer(found, sample, sources[0])
    named = by_key(columns)
    instruction, more = (
        next((named[name] for name in names if name in named), None) for names in (_INSTRUCTIONS, _MORE)
    )
    if instruction and more and truth.column not in (instruction, more):
        shown = ", ".join((instruction, more, truth.column))
        inputs, reason = Inputs((instruction, more)), say("rows.shape.alpaca", shown=shown)
        shape = Shape("alpaca", (instruction, more, truth.column), reason, inputs, extras=extras)
    else:
        reason = say("rows.shape.pair", source=", ".join(sources), target=truth.column)
        inputs = Inputs((sources[0],), required=(sources[0],)).with_named(sources[1:])
        shape = Shape("pair", (*sources, truth.column), reason, inputs, extras=extras)
    shape = replace(shape, inputs=_with_options(inputs, truth.column, extras, sample, found=True))
    return _judged(shape, truth, sample, documents=documents)


def _chat_shape(name: str, sample: Sequence[RawRow], extras: Extras, *, documents: bool) -> Shape | None:
    """The shape of rows with a conversation in ``name``, if at least half have one with two sides."""
    found = [conversation_in(row.value.get(name)) for row in sample]
    if sum(turns is not None and (name in CHATS or len(turns) > 1) for turns in found) * 2 < max(len(sample), 2):
        return None
    answered = sum(turns is not None and any(map(is_answer, turns)) for turns in found)
    values = [row.value for row in sample]
    rest = [column for column in dict.fromkeys(column for value in values for column in value) if column != name]
    labels = [
        column
        for column in rest
        if is_truth(column) or (key(column) in ANSWERS and (answered == 0 or is_label(values_of(column, values))))
    ]
    if answered * 2 < len(sample) and labels:
        return None  # nobody answers in it: it is what the label is about
    shape = Shape(name, (name,), say("rows.shape.chat", name=name), Inputs(), chat=True, extras=extras)
    shape = _judged(shape, Truth(name, others=("rejected",)), sample, documents=documents)
    targets = [(turns, target_turn(turns)) for turns in found if turns]
    said = [(turns, at) for turns, at in targets if at is not None]
    light = sum(any(is_answer(turn) for turn in turns[at + 1 :]) for turns, at in said)
    doubts = [
        say("columns.label_beside_chat", name=label, inputs=in_yaml(name), output=in_yaml(label))
        for label in labels
        if label in shape.unused
    ]
    shape = replace(shape, warnings=(*shape.warnings, *doubts))
    if light:
        note = say("columns.weightless", n=light, of=len(said))
        shape = replace(shape, notes=(note, *shape.notes))
    return shape


def _sample(rows: Sequence[RawRow]) -> list[RawRow]:
    """At most ``SAMPLE`` rows, evenly spread."""
    step = max(1, -(-len(rows) // SAMPLE))
    return list(rows[::step])


def _question_and_answer(columns: Sequence[str], sample: Sequence[RawRow]) -> tuple[list[str], str | None]:
    """The columns that by their names are asked and answered; by the last word of it where no whole name is known."""
    named = by_key(columns)
    plain = [named[name] for name in ANSWERS if name in named]
    right = [named[name] for name in by_key(columns) if is_truth(name)]
    general = not plain or key(plain[0]) in GENERAL_ANSWERS  # what is called right beside an answer is compared with it
    answers = [*plain, *right] if general else [*right, *plain]
    answers += [named[name] for name in (*sorted(MAYBE_TRUTHS), "chosen", *LAST_ANSWERS) if name in named]
    if not answers:
        answers = [name for name in columns if ends_like(name, ANSWERS)]
    answers = [name for name in answers if not is_system(name)] or answers
    marks = Marks.found(sample, (), "plain").columns
    answers = [name for name in answers if name not in marks] or answers
    for answer in answers:
        sources = [named[name] for name in QUESTIONS if name in named and named[name] != answer]
        if sources:
            return sources[:1], answer
        sources = [name for name in columns if name != answer and ends_like(name, QUESTIONS)]
        sources = [
            name for name in sources if name not in answers and key(name) not in METADATA and not is_system(name)
        ]
        if sources:
            return sources, answer
    return [], None


def _with_options(
    inputs: Inputs, output: str, extras: Extras, sample: Sequence[RawRow], *, found: bool = False
) -> Inputs:
    """``inputs`` with the options of a row and the way its answer names one.

    Args:
        found: look for columns that are called like options.

    Raises:
        InputError: answers are places that may be counted from 0 or from 1.
    """
    options = inputs.options or extras.choices
    if options is None and found:
        columns = list(dict.fromkeys(name for row in sample for name in row.value if name != output))
        lists = [
            name
            for name in columns
            if key(name) in OPTION_LISTS and any(options_in(row.value[name]) for row in sample if name in row.value)
        ]
        options = option_columns(columns) or (lists[0] if lists else None)
    if options is None:
        return inputs
    named = replace(inputs, options=options)
    pairs = []
    for row in sample:
        try:
            given, listed = cell(row.value, output), named.options_of(row.value)
        except BadRow:
            continue  # counted and listed when candidates are made
        pairs += [(given, listed)] if listed and given is not None else []
    form = answer_form(pairs)
    if form == "open":
        file, listed = sample[0].file, options if isinstance(options, str) else ", ".join(options.values())
        raise InputError(
            Problem(file, say("columns.open_places", name=output, options=listed)), say("columns.open_places_next")
        )
    if form is None and options == extras.choices and not inputs.options:
        return (
            replace(named, form=None) if found else inputs
        )  # the user's list of allowed answers, as `Extras` reads it
    # An answer in full is listed with the others by whoever asks; so is what the user calls choices.
    return replace(named, form=form, shown=form != "text" or options != extras.choices)


def _judged(shape: Shape, truth: Truth, sample: Sequence[RawRow], *, may_join: bool = True, documents: bool) -> Shape:
    """``shape`` with the columns that belong to what is asked, and with what there is to say of the others."""
    used = {*shape.used, *shape.inputs.columns, *shape.extras.columns()}
    marks = Marks.found(sample, used, "right" if truth.others and truth.notes else "plain")
    shape = replace(shape, marks=marks)
    columns = dict.fromkeys(name for row in sample for name in row.value)
    outer = {name.split(".")[0] for name in used}
    unused = [name for name in columns if name not in used and name not in outer and name not in marks.columns]
    drafts = []
    step = -(-len(sample) // max(200, len(sample) * WIDE // max(len(unused), WIDE)))
    for row in sample[:: max(step, 1)]:
        if shape.left_out(row) is None:
            try:
                drafts.append((row.value, shape.read(row)))
            except BadRow:
                continue  # counted and listed when candidates are made
    values = [value for value, _ in drafts]
    sampled = Sampled(
        [flat("\n".join(turn.content for turn in draft.messages)) for _, draft in drafts],
        [flat((accepted_answers(draft.output) or (draft.output,))[0]) for _, draft in drafts],
        {name: values_of(name, values) for name in unused},
    )
    judged = judge(sampled, read=shape.used, may_join=may_join, documents=documents, others=truth.others)
    inputs = shape.inputs
    joined = [name for name in judged.joined if name not in inputs.columns]
    history = [name for name in joined if key(name) in HISTORIES]
    system = [name for name in joined if key(name) in SYSTEM_TURNS]
    extra = inputs_named([*system, *history], values)
    inputs = replace(inputs, system=extra.system, history=extra.history) if joined else inputs
    inputs = inputs.with_named([name for name in joined if name not in (*inputs.system, *inputs.history)])
    left = tuple(name for name in unused if name not in joined)
    others = [name for name in left if any(sampled.columns[name]) and name not in judged.said]
    listed = inputs.options if isinstance(inputs.options, str) else ", ".join((inputs.options or {}).values())
    form = inputs.form and say("columns.options", names=listed, form=table("columns.form")[inputs.form])
    notes = (*truth.notes, *([form] if form else []), *judged.notes)
    used_now = shape.used if not may_join else (*inputs.columns, shape.answer)
    shape = replace(shape, inputs=inputs, used=used_now, unused=left, untold=tuple(others))
    return replace(shape, notes=notes, warnings=(*truth.doubts, *judged.warnings))


def _unknown_shape(file: str, sample: Sequence[RawRow], columns: Sequence[str]) -> InputError:
    """What rows there are, and lines of ``fields`` that may be meant."""
    values = [row.value for row in sample]
    counts = Counter(column for value in values for column in value)
    seldom = [f"{column} ({n}/{len(sample)})" for column, n in counts.items() if column not in columns]
    shown = ", ".join([*columns, *seldom]) or "(none)"
    nested = {name: value for name in columns if isinstance(value := values[0].get(name), Mapping)}
    inner = [f"{name}.{part}" for name, value in nested.items() for part in value]
    if len(columns) == 1 and len(inner) == 2:
        a, b = nested[columns[0]]
        lines = {"first": in_yaml(inner[0]), "second": in_yaml(inner[1])}
        problem = Problem(file, say("columns.nested", name=columns[0], a=a, b=b))
        return InputError(problem, say("columns.nested_next", **lines))
    last = {name: name.rsplit(".", 1)[-1] for name in (*(name for name in columns if name not in nested), *inner)}
    names = [name for name in last if not (key(last[name]) in METADATA or ends_like(last[name], METADATA))]
    names = [name for name in names if not is_system(last[name])]
    cells = {name: values_of(name, values) for name in names}
    outputs = [name for name in names if key(last[name]) in ANSWERS or is_truth(last[name])]
    labels = [name for name in names if is_label(cells[name])]
    numbered = [name for name in labels if all(cell.isdecimal() for cell in cells[name])]
    outputs += [name for name in labels[::-1] if name not in numbered] + numbered
    outputs += names[1:] if len(names) == 2 else []  # the answer usually stands behind the question
    asked = [name for name in names if name not in outputs[:1]]
    if outputs:  # other people's labels of the same rows are not asked
        asked = [name for name in asked if name not in labels or not set(cells[name]) & set(cells[outputs[0]])]
    problem = Problem(file, say("rows.shape.unknown", shown=shown))
    if not outputs or not asked:
        return InputError(problem, say("rows.shape.unknown_next"))
    fields = {"inputs": in_yaml(*asked[:6]), "output": in_yaml(outputs[0])}
    return InputError(problem, say("columns.perhaps", **fields))
