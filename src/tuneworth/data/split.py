"""Freezing rows into train, dev and test.

Near-duplicates stay together, classes keep their shares, and everything follows from the rows and
the seed. Rows keep their order in the file.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from tuneworth.core.labelsets import joiner
from tuneworth.core.run import DataSummary
from tuneworth.core.task import Example, OutputKind, Split, Task
from tuneworth.core.text import Text
from tuneworth.data.dated import deal_by_date
from tuneworth.data.examples import check_rows, check_sides, check_test, spread_of
from tuneworth.data.groups import (
    Group,
    Groups,
    Side,
    deal,
    first_repeated,
    group_rows,
    most_rows,
    stratified_sample,
)
from tuneworth.data.load import Loaded
from tuneworth.data.rows import Rejected, place_of
from tuneworth.data.schema import in_order, schema_of
from tuneworth.stats.clusters import MIN_GROUPS
from tuneworth.words.say import say

MAX_TEST = 300
MAX_DEV = 150
LeftOut = Literal["leak", "cap", "merged", "group"]


class Leak(NamedTuple):
    """A row of the user's test file that repeats a row the arms learn or choose from."""

    test: Example
    train: Example


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows ready for a run.

    Attributes:
        task: the task; a JSON schema nobody gave is inferred from the train side alone.
        rejected: all rows set aside, those of ``load`` among them.
        leaks: test rows left out of the decision, each with the train or dev row it repeats.
        left_out: id → why a good row is on no side: it leaks, the side is full, another row with the same input took it
            in as a reference, or its group is a twentieth of dev or test without it.
    """

    task: Task
    split: Split
    summary: DataSummary
    rejected: tuple[Rejected, ...]
    leaks: list[Leak]
    left_out: dict[str, LeftOut]


@dataclass(slots=True)
class _Sides:
    train: list[Example]
    dev: list[Example]
    test: list[Example]


def make_split(
    loaded: Loaded,
    *,
    seed: int,
    fits: Callable[[str], bool] | None = None,
    max_train: int | None = None,
    max_dev: int | None = None,
    max_test: int | None = None,
) -> Prepared:
    """Freeze ``loaded`` into train, dev and test.

    Without a test file, test gets a quarter of the rows (at most 300, at least a third of the first
    90) and dev 15 % (at most 150). With one, dev comes from the train file and the test rows that
    repeat train or dev rows are left out.

    Args:
        fits: whether a text (question and answer) fits the model's context; rows that do not are rejected.
        max_train, max_dev, max_test: most rows of a side.

    Raises:
        NotEnoughData: too few rows, groups or classes are left.
    """
    rng = np.random.default_rng(seed)
    kind = loaded.task.kind
    rows, rejected = _fitting(loaded.examples, loaded, fits)
    check_rows(loaded.train_name, rows, has_test=loaded.test_examples is not None, kind=kind)
    groups = _groups(rows)
    rows = [replace(row, group=f"g{group}") for row, group in zip(rows, groups.of_row)]
    left_out: dict[str, LeftOut] = {}
    leaks: list[Leak] = []
    sides = _deal(rows, groups, loaded, max_dev or MAX_DEV, max_test or MAX_TEST, rng)
    sides.train = _capped(sides.train, loaded.task, max_train, rng, left_out)
    sides.dev = _capped(_merged(sides.dev, kind, left_out), loaded.task, max_dev or MAX_DEV, rng, left_out)
    sides.dev = _evened(sides.dev, rng, left_out)
    if loaded.test_examples is not None:
        given, more_rejected = _fitting(loaded.test_examples, loaded, fits)
        rejected += more_rejected
        # Who named no group and brings a test file has split as they meant to; what the two share is said, not left out.
        named = {row.id: row.group for row in loaded.examples if row.group and not loaded.group_found}
        sides.test, leaks = _without_leaks(given, sides, groups, named, left_out)
    sides.test = _capped(_merged(sides.test, kind, left_out), loaded.task, max_test or MAX_TEST, rng, left_out)
    if loaded.test_examples is not None and sides.test:
        sides.test = _grouped(sides.test)
    sides.test = _evened(sides.test, rng, left_out)
    if loaded.test_examples is not None:
        check_test(loaded.test_name, len(sides.test), len(leaks))
    check_sides(loaded.train_name, len(sides.train), len(sides.dev), len(sides.test), groups.n_groups)
    task, sides.train, sides.dev, sides.test = _with_train_schema(loaded, sides.train, sides.dev, sides.test)
    split = Split(tuple(sides.train), tuple(sides.dev), tuple(sides.test))
    split = replace(split, digest=split_digest(split))
    everything = (*loaded.rejected, *rejected)
    warnings = [*loaded.warnings, *groups.warnings, *_split_warnings(split, loaded, leaks, rejected, left_out)]
    summary = _summary(loaded, split, len(everything), groups.n_groups, len(leaks), warnings)
    return Prepared(task, split, summary, everything, leaks, left_out)


def split_digest(split: Split) -> str:
    """SHA-256 over ids and contents of the three sides, in order."""
    digest = hashlib.sha256()
    for side in (split.train, split.dev, split.test):
        for row in side:
            turns = [[message.role, message.content] for message in row.query.messages]
            record = [row.id, turns, row.output, row.references, row.query.choices, *([row.gold] if row.gold else [])]
            digest.update(json.dumps(record, ensure_ascii=True).encode() + b"\n")
        digest.update(b"--\n")
    return digest.hexdigest()


def _fitting(
    rows: Iterable[Example], loaded: Loaded, fits: Callable[[str], bool] | None
) -> tuple[list[Example], list[Rejected]]:
    if fits is None:
        return list(rows), []
    kept, rejected = [], []
    for row in rows:
        if fits(f"{row.query.text}\n{row.output}"):
            kept.append(row)
        else:
            file, line = place_of(row.source)
            size = len(row.query.text) + len(row.output)
            rejected.append(Rejected(file, line or 0, say("split.over_context", size=size), loaded.raw[row.id]))
    return kept, rejected


def _deal(
    rows: list[Example],
    groups: Groups,
    loaded: Loaded,
    max_dev: int,
    max_test: int,
    rng: np.random.Generator,
) -> _Sides:
    members, kind = groups.members(), loaded.task.kind
    strata = _strata(rows, loaded.task)
    rows_of = [[rows[at] for at in group] for group in members]
    sized = [Group(_classes(of, [strata[at] for at in group], kind)) for of, group in zip(rows_of, members)]
    targets = _targets(sum(group.size for group in sized), loaded.test_examples is None, max_dev, max_test)
    if loaded.by_date:
        dealt = deal_by_date(rows_of, [group.size for group in sized], targets)
    else:
        dealt = deal(sized, targets, rng)
    sides: dict[Side, list[int]] = {"train": [], "dev": [], "test": []}
    for group, side in zip(members, dealt):
        sides[side] += group
    return _Sides(*([rows[at] for at in sorted(sides[side])] for side in ("train", "dev", "test")))


def _targets(total: int, with_test: bool, max_dev: int, max_test: int) -> dict[Side, int]:
    """Sizes of the sides, in rows as a side counts them."""
    dev = min(max_dev, max(round(0.15 * total), min(20, total // 5)))
    if not with_test:
        return {"train": total - dev, "dev": dev}
    test = min(max_test, max(total // 4, min(30, total // 3)))
    return {"train": total - dev - test, "dev": dev, "test": test}


def n_test_rows(total: int, given: int = 0) -> int:
    """How many test rows a run of ``total`` rows, or with a test file of ``given`` rows, has at most."""
    return min(given, MAX_TEST) if given else _targets(total, True, MAX_DEV, MAX_TEST)["test"]


def _strata(rows: Sequence[Example], task: Task) -> list[str]:
    """What is dealt in equal shares, for every row: its label, its rarest label, the fifth of all numbers that its own is in."""
    if task.kind == "label":
        return [row.output for row in rows]
    if task.kind == "number":
        values = np.array([float(row.output) for row in rows])
        return [str(fifth) for fifth in np.searchsorted(np.quantile(values, (0.2, 0.4, 0.6, 0.8)), values)]
    if task.kind == "multilabel":
        sets = [row.output.split(joiner(task.labels)) for row in rows]
        counts = Counter(label for labels in sets for label in labels)
        return [min(labels, key=lambda label: (counts[label], label)) for labels in sets]
    return [""] * len(rows)


def _classes(rows: Sequence[Example], strata: Sequence[str], kind: OutputKind) -> Counter[str]:
    """Rows of a group by class. Rows of text with one input count once: on dev and test they are one."""
    return Counter({"": len({row.query.messages for row in rows})}) if kind == "text" else Counter(strata)


def _merged(rows: list[Example], kind: OutputKind, left_out: dict[str, LeftOut]) -> list[Example]:
    """Text rows with one input as one row with all their answers as references."""
    if kind != "text":
        return rows
    merged: dict[object, Example] = {}
    for row in rows:
        first = merged.get(row.query.messages)
        if first is None:
            merged[row.query.messages] = row
        else:
            references = tuple(dict.fromkeys((*first.references, *row.references)))
            merged[row.query.messages] = replace(first, references=references)
            left_out[row.id] = "merged"
    return list(merged.values())


def _groups(rows: Sequence[Example]) -> Groups:
    return group_rows([row.query.text for row in rows], [row.output for row in rows], [row.group for row in rows])


def _grouped(given: Sequence[Example]) -> list[Example]:
    """Rows of the user's own test file with the groups among them: no side is left to leak to, but they are not independent."""
    return [replace(row, group=f"t{group}") for row, group in zip(given, _groups(given).of_row)]


def _evened(rows: list[Example], rng: np.random.Generator, left_out: dict[str, LeftOut]) -> list[Example]:
    """Dev or test rows without those of large groups that would make one group decide; which stay is by chance."""
    sizes = Counter(row.group for row in rows)
    most, kept = most_rows(list(sizes.values())), Counter[str]()
    if max(sizes.values(), default=0) <= most:
        return rows
    taken: set[str] = set()
    for at in rng.permutation(len(rows)):
        row = rows[int(at)]
        kept[row.group] += 1
        if kept[row.group] <= most:
            taken.add(row.id)
    left_out.update({row.id: "group" for row in rows if row.id not in taken})
    return [row for row in rows if row.id in taken]


def _capped(
    rows: list[Example], task: Task, size: int | None, rng: np.random.Generator, left_out: dict[str, LeftOut]
) -> list[Example]:
    if size is None or len(rows) <= size:
        return rows
    taken = set(stratified_sample(_strata(rows, task), size, rng))
    left_out.update({row.id: "cap" for at, row in enumerate(rows) if at not in taken})
    return [row for at, row in enumerate(rows) if at in taken]


def _without_leaks(
    given: list[Example], sides: _Sides, groups: Groups, named: dict[str, str], left_out: dict[str, LeftOut]
) -> tuple[list[Example], list[Leak]]:
    """Test rows that repeat no train or dev row, and those that do.

    Args:
        named: row id → the group that the user's own field gives it.
    """
    seen = [*sides.train, *sides.dev]
    first: dict[str, Example] = {}
    for row in seen:
        first.setdefault(groups.prepared(row.query.text), row)
    originals = list(first.values())
    by_group = {named[row.id]: row for row in seen if row.id in named}
    texts = [groups.prepared(row.query.text) for row in given]
    near = {} if groups.numbers_matter else first_repeated(texts, list(first), groups.n)
    kept, leaks = [], []
    for at, (row, text) in enumerate(zip(given, texts)):
        original = first.get(text) or by_group.get(row.group)
        if original is None and at in near:
            original = originals[near[at]]
        if original is None:
            kept.append(row)
        else:
            leaks.append(Leak(row, original))
            left_out[row.id] = "leak"
    return kept, leaks


def _with_train_schema(
    loaded: Loaded, train: list[Example], dev: list[Example], test: list[Example]
) -> tuple[Task, list[Example], list[Example], list[Example]]:
    """Task and sides with the schema, or the spread, of the train side, so that nothing of a test row is in the task."""
    if loaded.task.kind == "number":
        return loaded.task.model_copy(update={"spread": spread_of(train)}), train, dev, test
    if loaded.task.kind != "json":
        return loaded.task, train, dev, test
    schema = loaded.task.json_schema or {}
    if loaded.schema_inferred:
        schema = schema_of(train)
    task = loaded.task.model_copy(update={"json_schema": schema})
    return task, in_order(train, schema), in_order(dev, schema), in_order(test, schema)


def _split_warnings(
    split: Split, loaded: Loaded, leaks: list[Leak], rejected: list[Rejected], left_out: dict[str, LeftOut]
) -> list[Text]:
    warnings, kind = list[Text](), loaded.task.kind
    if loaded.group_found and loaded.test_examples is not None and loaded.shape is not None:
        known = {row.group for row in loaded.examples if row.group}
        shared = sum(row.group in known for row in loaded.test_examples)
        if shared:
            warnings.append(say("groups.shared_with_test", n=shared, column=loaded.shape.extras.group or ""))
    if loaded.by_date:
        train, dev, test = (
            [row.changed for row in side if row.changed] for side in (split.train, split.dev, split.test)
        )
        ends = {"train": max(train, default=None), "dev": min(dev, default=None), "test": min(test, default=None)}
        told = {side: "?" if day is None else day.isoformat() for side, day in ends.items()}
        warnings.append(say("groups.by_date", **told))
    surplus = sum(why == "group" for why in left_out.values())
    if surplus:
        warnings.append(say("groups.surplus", n=surplus))
    few = len({row.group for row in split.test})
    if few < min(MIN_GROUPS, len(split.test)):
        warnings.append(say("groups.few_on_test", n=few, rows=len(split.test), least=MIN_GROUPS))
    if rejected:
        n = len(rejected)
        warnings.append(say("split.over_context_rows", n=str(n)))
    if leaks:
        n, pair = len(leaks), leaks[0]
        warnings.append(say("split.leaks", n=str(n), source=pair.test.source, source2=pair.train.source))
    if kind == "label":
        unseen = sorted({row.output for row in (*split.dev, *split.test)} - {row.output for row in split.train})
        if unseen:
            shown = ", ".join(unseen[:5])
            warnings.append(say("split.unseen_classes", n_unseen=str(len(unseen)), shown=shown))
    return warnings


def _summary(
    loaded: Loaded, split: Split, n_rejected: int, n_groups: int, n_leaks: int, warnings: list[Text]
) -> DataSummary:
    return DataSummary(
        files=loaded.files,
        n_read=loaded.n_read,
        n_rejected=n_rejected,
        n_groups=n_groups,
        n_leaks=n_leaks,
        n_train=len(split.train),
        n_dev=len(split.dev),
        n_test=len(split.test),
        split_digest=split.digest,
        inferred=loaded.inferred,
        warnings=warnings,
        doubts=list(loaded.shape.warnings) if loaded.shape else [],
    )
