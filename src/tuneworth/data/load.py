"""From files of rows to a resolved task and its examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tuneworth.core.task import LABELLED, Example, OutputKind, Task
from tuneworth.core.text import Text
from tuneworth.data import formats, onehot
from tuneworth.data.belonging import OFF, find_group
from tuneworth.data.dated import find_date
from tuneworth.data.drafts import Extras
from tuneworth.data.examples import Candidate, Rules, build, check_rows, check_test, spread_of, usual_choices
from tuneworth.data.formats import PREFIX, RawData
from tuneworth.data.forms import Forms, find_forms
from tuneworth.data.infer import common_unit, guess_kind, guess_metric, near_misses, unfit
from tuneworth.data.labelsets import find_label_sets, labels_in
from tuneworth.data.language import guess_language
from tuneworth.data.rows import BadRow, RawRow, Rejected
from tuneworth.data.schema import schema_check, schema_of
from tuneworth.data.sections import Output
from tuneworth.data.setaside import said, too_many
from tuneworth.data.shapes import Shape, detect_shape, mapped_shape, shape_for
from tuneworth.data.spelling import usual_case, whole_numbers, without_case
from tuneworth.data.taskfile import TaskFile
from tuneworth.data.values import OutputType, cell, common_type, is_empty, output_text
from tuneworth.errors import InputError, Problem
from tuneworth.words.names import joined
from tuneworth.words.say import say

_SHOWN_SPELLINGS = 5


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything the files say.

    Attributes:
        task: fully resolved; nothing is left to infer.
        test_examples: rows of the user's own test file, or ``None`` without one.
        files: file name → SHA-256.
        inferred: what was inferred and why, one sentence each.
        raw: example id → the row as it stood in its file.
        schema_inferred: the JSON schema comes from the rows, not from the user.
        train_name, test_name: how messages call the files.
        group_found: the user did not name the field of groups.
        by_date: the newest rows are to be the test rows.
        label_columns: the columns of 1 and 0 that were read as one column of labels.
    """

    task: Task
    examples: tuple[Example, ...]
    test_examples: tuple[Example, ...] | None
    rejected: tuple[Rejected, ...]
    files: dict[str, str]
    inferred: list[Text]
    warnings: list[Text]
    n_read: int
    raw: dict[str, str]
    schema_inferred: bool
    train_name: str
    test_name: str = ""
    shape: Shape | None = None
    group_found: bool = False
    by_date: bool = False
    label_columns: tuple[str, ...] = ()


@dataclass(slots=True)
class _Side:
    """One file on its way; ``left_out`` are rows that say of themselves that their answer does not count."""

    data: RawData
    candidates: list[Candidate]
    rejected: list[Rejected]
    left_out: list[Rejected] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    guessed: bool = False  # which columns count

    @property
    def name(self) -> str:
        return self.data.name


def load(task_file: TaskFile) -> Loaded:
    """Read the files of ``task_file``, set bad rows aside and infer what it leaves open.

    Raises:
        InputError: a file is missing, empty or broken, or more than half of its rows are bad.
        NotEnoughData: too few rows are left, or all have the same answer.
        EnvironmentProblem: a file cannot be read, an extra is missing, or the hub does not answer.
    """
    names = _names(task_file)
    data = [formats.read(source, name=name) for source, name in names]
    _check_objects(data)
    label_columns: list[str] = []
    if task_file.fields.output in (None, onehot.COLUMN) and (label_columns := onehot.label_columns(data[0].rows)):
        data = onehot.united(data, label_columns)
    shape = find_group(data[0].rows, _shape(data[0], task_file), task_file.fields.group)
    if (
        task_file.documents is None or task_file.split.by == "date"
    ):  # with documents, a date is that of the knowledge asked for
        shape = find_date(data[0], shape, task_file.split.by)
    expected = _common_output(data[0], shape)
    sides = [_candidates(one, shape_for(shape, one.rows) if at else shape, expected) for at, one in enumerate(data)]
    for side in sides:
        _check_half(side)
    train, test = sides[0], sides[1] if len(sides) > 1 else None
    inferred = [note for one in data for note in one.notes] + shape.told()
    warnings: list[Text] = [*shape.warnings, *(_absent_columns(test.data, shape) if test else [])]
    forms = find_forms([one.output for one in train.candidates], shape.answer, task_file.output.kind)
    inferred += forms.notes
    for side in sides:
        _read_forms(side, forms)
    inferred += _one_spelling(sides, task_file.output)
    kind = _kind(task_file, train, inferred)
    rules = _rules(task_file, kind, train, shape.answer)
    raw = _build(sides, rules, warnings)
    check_rows(train.name, train.examples, has_test=test is not None, kind=kind)
    if test is not None:
        check_test(test.name, len(test.examples), 0)
    task = _task(task_file, kind, rules, train, inferred)
    rejected = [row for side in sides for row in (*side.rejected, *side.left_out)]
    warnings += [*unfit(task.metric, [row.output for row in train.examples]), *_warnings(task, sides)]
    return Loaded(
        task=task,
        examples=tuple(train.examples),
        test_examples=None if test is None else tuple(test.examples),
        rejected=tuple(rejected),
        files={one.name: one.sha256 for one in data},
        inferred=inferred,
        warnings=warnings,
        n_read=sum(one.n_read for one in data),
        raw=raw,
        schema_inferred=kind == "json" and task_file.output.json_schema is None,
        train_name=train.name,
        test_name="" if test is None else test.name,
        shape=shape,
        group_found=task_file.fields.group is None and shape.extras.group is not None,
        by_date=task_file.split.by == "date",
        label_columns=tuple(label_columns),
    )


def _names(task_file: TaskFile) -> list[tuple[str, str]]:
    """Sources with the names messages call them by: short ones, unless they are the same."""
    sources = [task_file.train] + ([task_file.test] if task_file.test else [])
    short = [source if source.startswith(PREFIX) else Path(source).name for source in sources]
    return list(zip(sources, short if len(set(short)) == len(short) else sources))


def _check_objects(data: Sequence[RawData]) -> None:
    """Stop when there is no row to tell fields from."""
    for one in data:
        if not one.rows:
            raise too_many(one.name, one.rejected, one.n_read, fields_may_help=False)


def _shape(data: RawData, task_file: TaskFile) -> Shape:
    fields = task_file.fields
    columns = {column for row in data.rows for column in row.value}
    extras = Extras(
        id=fields.id,
        references=fields.references,
        choices=fields.choices,
        group=None if fields.group == OFF else fields.group,
        gold=fields.gold,
        doc_set=fields.doc_set,
        date=fields.date,
    )
    if task_file.documents is not None:
        extras = extras.about_documents(columns)
    named = [*fields.input_names, fields.output, *extras.columns()]
    unknown = [name for name in named if name and not _is_there(name, data.rows, columns)]
    if unknown:
        there = ", ".join(sorted(columns))
        problems = [
            Problem(
                f"{data.name} {name}",
                say("rows.load.no_such_field", there=there),
            )
            for name in unknown
        ]
        raise InputError(problems)
    if fields.output in fields.input_names:
        raise InputError(Problem(f"{data.name} {fields.output}", say("rows.load.asked_and_answered")))
    documents = task_file.documents is not None
    if fields.input_names and fields.output:
        extras = extras.found_in(columns)
        return mapped_shape(fields.input_names, fields.output, extras, data.rows, documents=documents)
    return detect_shape(data.rows, extras, documents=documents)


def _is_there(name: str, rows: Sequence[RawRow], columns: set[str]) -> bool:
    """Whether a row has the column, or what ``a.b`` names inside one."""
    return name in columns or ("." in name and any(cell(row.value, name) is not None for row in rows))


def _absent_columns(data: RawData, shape: Shape) -> list[Text]:
    """Columns of the question that no row of a test file has: what is asked there is another question."""
    names = [name for name in shape.inputs.columns if all(is_empty(cell(row.value, name)) for row in data.rows)]
    return [say("columns.absent", name=name, file=data.name) for name in names]


def _common_output(data: RawData, shape: Shape) -> OutputType:
    outputs = []
    for row in data.rows:
        try:
            outputs += [] if shape.left_out(row) else [shape.read(row).output]
        except BadRow:
            continue  # counted and listed when candidates are made
    return common_type(outputs)


def _candidates(data: RawData, shape: Shape, expected: OutputType) -> _Side:
    by_purpose = {flag: [row for row in data.rejected if row.on_purpose == flag] for flag in (False, True)}
    side = _Side(data, [], by_purpose[False], by_purpose[True], guessed=shape.name == "pair")
    for row in data.rows:
        if reason := shape.left_out(row):
            side.left_out.append(row.rejected(reason, on_purpose=True))
            continue
        try:
            draft = shape.read(row)
            side.candidates.append(
                Candidate(row, draft, output_text(draft.output, expected, shape.answer), shape.answer)
            )
        except BadRow as error:
            side.rejected.append(row.rejected(error.reason))
    return side


def _read_forms(side: _Side, forms: Forms) -> None:
    """Every candidate with the answer that is in its output."""
    kept = []
    for candidate in side.candidates:
        output, more = forms.read(candidate.output)
        if output:
            draft = candidate.draft
            kept.append(replace(candidate, output=output, draft=replace(draft, references=(*more, *draft.references))))
        else:
            side.rejected.append(candidate.row.rejected(say("rows.output.empty", name=candidate.answer)))
    side.candidates = kept


def _check_half(side: _Side) -> None:
    n = side.data.n_read - len(side.left_out)
    if n == 0:
        message = say("columns.left_out.all", n=len(side.left_out), reasons=_counted(side.left_out))
        raise InputError(Problem(side.name, message))
    if len(side.rejected) * 2 > n:
        raise too_many(side.name, side.rejected, n, fields_may_help=side.guessed)


def _counted(left_out: Sequence[Rejected]) -> Text:
    """The reasons, each with its number of rows."""
    counts = Counter(row.reason for row in left_out)
    times = [say("columns.left_out.times", n=n, reason=reason) for reason, n in counts.most_common()]
    return joined(times, say("units.names.between"))


def _kind(task_file: TaskFile, train: _Side, inferred: list[Text]) -> OutputKind:
    output = task_file.output
    if output.kind is not None:
        return output.kind
    outputs = [candidate.output for candidate in train.candidates]
    if output.labels is not None:
        several = not set(outputs) <= set(output.labels) and find_label_sets(outputs) is not None
        return "multilabel" if several else "label"
    if output.json_schema is not None:
        return "json"
    guess = guess_kind([candidate.pair for candidate in train.candidates])
    inferred.append(guess.reason)
    return guess.kind


def _rules(task_file: TaskFile, kind: OutputKind, train: _Side, answer: str) -> Rules:
    schema, outputs = task_file.output.json_schema, [candidate.output for candidate in train.candidates]
    labels = tuple(task_file.output.labels or ())
    if kind == "multilabel" and not labels:
        labels = labels_in(outputs)
    return Rules(
        kind=kind,
        answer=answer,
        labels=labels,
        unit=common_unit(outputs) if kind == "number" else "",
        check_schema=None if schema is None else schema_check(schema, answer),
        usual_choices=usual_choices(train.candidates) if kind == "choice" else (),
    )


def _build(sides: Sequence[_Side], rules: Rules, warnings: list[Text]) -> dict[str, str]:
    """Examples of every side, with ids that are unique over all of them."""
    own = [candidate.draft.id for side in sides for candidate in side.candidates]
    use_own = all(own) and len(set(own)) == len(own)
    if not use_own and any(own):
        warnings.append(say("rows.load.ids_not_unique"))
    raw: dict[str, str] = {}
    for prefix, side in zip(("train", "test"), sides):
        places = [str(candidate.row.line) for candidate in side.candidates]
        if len(set(places)) < len(places):  # several files, or several records on a line
            places = [str(at) for at in range(1, len(places) + 1)]
        ids = [candidate.draft.id or "" for candidate in side.candidates]
        ids = ids if use_own else [f"{prefix}-{place}" for place in places]
        side.examples, rejected, more = build(side.candidates, ids, rules)
        side.rejected += rejected
        side.rejected.sort(key=lambda row: (row.file, row.line))
        raw.update(more)
        _check_half(side)
    return raw


def _task(task_file: TaskFile, kind: OutputKind, rules: Rules, train: _Side, inferred: list[Text]) -> Task:
    rows = train.examples
    outputs = [row.output for row in rows]
    labels = tuple(sorted(rules.labels or set(outputs))) if kind in LABELLED else ()
    schema = None
    if kind == "json":
        schema = task_file.output.json_schema or schema_of(rows)
        inferred.append(say("rows.load.key_order"))
    metric = task_file.metric
    if metric is None:
        guess = guess_metric(kind, [candidate.pair for candidate in train.candidates])
        metric = guess.metric
        inferred.append(guess.reason)
    language = task_file.text_language
    if language is None:
        found = guess_language(f"{row.query.text}\n{row.output}" for row in rows)
        language = found.language
        inferred.append(found.reason)
    return Task(
        name=task_file.name or _default_name(task_file.train),
        instruction=task_file.instruction,
        kind=kind,
        labels=labels,
        spread=spread_of(rows) if kind == "number" else None,
        json_schema=schema,
        metric=metric,
        metric_settings=task_file.metric_settings,
        margin=task_file.margin,
        language=language,
        limits=task_file.limits,
    )


def _default_name(source: str) -> str:
    if source.startswith(PREFIX):
        return source.removeprefix(PREFIX).split(":")[0].split("/")[1]
    path = Path(source)
    return path.stem if path.stem not in ("train", "data") or not path.parent.name else path.parent.name


def _one_spelling(sides: Sequence[_Side], output: Output) -> list[Text]:
    """Give answers that are one label though they are written differently one spelling; what was done is said."""
    given = output.labels or ()
    outputs = [candidate.output for side in sides for candidate in side.candidates]
    spelling = {} if set(given) & set(outputs) - set(whole_numbers(outputs).values()) else whole_numbers(outputs)
    if output.ignore_case:
        spelling |= usual_case([spelling.get(text, text) for text in outputs], given)
    for side in sides if spelling else ():
        side.candidates = [replace(one, output=spelling.get(one.output, one.output)) for one in side.candidates]
    if not spelling:
        return []
    shown = ", ".join(f"{old!r} → {new!r}" for old, new in list(spelling.items())[:_SHOWN_SPELLINGS])
    return [say("reading.labels.respelled", n=len(spelling), shown=shown)]


def _warnings(task: Task, sides: Sequence[_Side]) -> list[Text]:
    warnings = list[Text]()
    for side in sides:
        if side.left_out:
            counts = {"n": len(side.left_out), "read": side.data.n_read, "reasons": _counted(side.left_out)}
            warnings.append(say("columns.left_out.counted", name=side.name, **counts))
        if side.rejected:
            warnings.append(said(side.name, side.rejected, side.data.n_read))
    if task.kind != "label":
        return warnings
    counts = Counter(row.output for side in sides for row in side.examples)
    for a, b in near_misses(sorted(counts, key=lambda label: -counts[label])):
        key = "reading.labels.case" if without_case(a) == without_case(b) else "rows.load.labels_alike"
        rows = {"n_a": counts[a], "n_b": counts[b]} if key == "reading.labels.case" else {}
        warnings.append(say(key, a=repr(a), b=repr(b), **rows))
    return warnings
