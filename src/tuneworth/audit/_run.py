"""Run every check over the rows and put together what they say.

A check that cannot run (an extra is missing, too few rows) is listed as skipped with the reason. So is a
check of another distribution that fails in whatever way: it must not take the audit down. A built-in that
fails is a bug of ours and is raised.

How many rows can be learned from: a training row counts unless a check would drop it (it repeats another row, it is
empty, …) or another row contradicts it. Wrong labels are not known row by row but as a rate, so they come off as a
share of the rows that are left. A row that contradicts another *and* is mislabelled comes off twice; the count is on
the low side then, by at most the number of contradictions times the noise rate.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tuneworth.audit import Check, Checked, Embed, Patch, Subject
from tuneworth.core.audit import AuditFact, AuditResult, CheckRun, Finding, Severity
from tuneworth.core.record import Interval
from tuneworth.core.registry import load_plugin, plugin_modules
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.data.load import Loaded
from tuneworth.errors import InputError, Interrupted, Problem, TuneworthError
from tuneworth.words.say import say

GROUP = "tuneworth.audit"
Watch = Callable[[Text, int, int], None]
"""Called with (title of the check, done, total) while it works; (title, 0, 0) as it starts."""

# Quick answers first; the checks that embed rows or train a classifier come last.
_ORDER = ("duplicates", "leaks", "conflicts", "templates", "size", "outputs", "personal", "knowledge", "style")
_RANK: dict[Severity, int] = {"serious": 0, "warning": 1, "note": 2}
_NOT_ABOUT_QUALITY = ("leaks",)  # a leaked row is a good row on the wrong side


@dataclass(frozen=True)
class Audited:
    """An audit with what it would change.

    Attributes:
        result: the findings, as they are stored and shown.
        patches: the changes ``--fix`` makes (``certain``) or suggests.
        train: the training rows as the certain patches leave them. Masking is not done here: it changes
            the texts of the file, see ``audit._fixes``.
    """

    result: AuditResult
    patches: list[Patch] = field(default_factory=list[Patch])
    train: tuple[Example, ...] = ()


def no_watch(title: Text, done: int, total: int) -> None:
    """For callers that do not show progress."""


def subject_of(
    loaded: Loaded,
    *,
    embed: Embed | None = None,
    count_tokens: Callable[[str], int] | None = None,
    context_tokens: int | None = None,
    documents: Sequence[str] = (),
    seed: int = 0,
) -> Subject:
    """What ``audit`` looks at, from loaded files and whatever models are at hand."""
    return Subject(
        task=loaded.task,
        train=loaded.examples,
        test=loaded.test_examples or (),
        raw=loaded.raw,
        inputs=loaded.shape.inputs.columns if loaded.shape else (),
        unused=loaded.shape.unused if loaded.shape else (),
        embed=embed,
        count_tokens=count_tokens,
        context_tokens=context_tokens,
        documents=tuple(documents),
        seed=seed,
    )


def audit(subject: Subject, *, watch: Watch = no_watch, only: Sequence[str] | None = None) -> Audited:
    """Ask every check, or those named in ``only``, about ``subject``.

    Raises:
        InputError: ``only`` names a check that there is not.
    """
    started = time.perf_counter()
    runs: list[CheckRun] = []
    answers: list[Checked] = []
    for name in _chosen(only):
        run, checked = _timed(name, subject, watch)
        runs.append(run)
        answers += [] if checked is None else [checked]
    patches = [careful(patch, subject.raw) for checked in answers for patch in checked.patches]
    facts = _facts([fact for checked in answers for fact in checked.facts])
    result = AuditResult(
        n_train=len(subject.train),
        n_test=len(subject.test),
        findings=worst_first([finding for checked in answers for finding in checked.findings]),
        checks=runs,
        facts=[*facts, *row_facts(subject, patches, facts)],
        seconds=time.perf_counter() - started,
    )
    return Audited(result, patches, cleaned(subject.train, patches))


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """By severity, then by the rows concerned; otherwise in the order found."""
    return sorted(findings, key=lambda finding: (_RANK[finding.severity], -finding.n_rows))


def careful(patch: Patch, raw: Mapping[str, str]) -> Patch:
    """``patch``, made a suggestion if it would delete a row that differs in any column from the one that stays.

    What a check compares is what a model reads; a column beside it may be what tells two rows apart.

    Args:
        raw: example id → the row as it stood in its file.
    """
    if not patch.certain or patch.action not in ("drop", "merge"):
        return patch
    gone, stays = raw.get(patch.row_id), raw.get(patch.into)
    if gone is None or stays is None:
        return replace(patch, certain=False)
    here, there = _columns(gone), _columns(stays)
    if here == there:
        return patch
    both = isinstance(here, dict) and isinstance(there, dict)
    names = [name for name in dict.fromkeys((*here, *there)) if here.get(name) != there.get(name)] if both else []
    why = say("columns.fix.differs", why=patch.why, names=", ".join(names)) if names else patch.why
    return replace(patch, why=why, certain=False)


def _columns(raw: str) -> Any:
    """A row whose spacing and order of columns do not count; what is not JSON counts as it stands."""
    try:
        return json.loads(raw)
    except ValueError:
        return raw


def cleaned(rows: Sequence[Example], patches: Sequence[Patch]) -> tuple[Example, ...]:
    """``rows`` after the certain patches: some dropped or merged into others, some with another output."""
    certain = [patch for patch in patches if patch.certain]
    gone = {patch.row_id for patch in certain if patch.action in ("drop", "merge")}
    changed = {row.id: row for row in rows}
    for patch in certain:
        row = changed.get(patch.row_id)
        if row is None:
            continue
        if patch.action in ("relabel", "replace"):
            others = tuple(text for text in row.references if text != row.output)
            changed[row.id] = replace(row, output=patch.after, references=(patch.after, *others))
        elif patch.action == "merge" and (into := changed.get(patch.into)) is not None:
            merged = tuple(dict.fromkeys((*into.references, *row.references)))
            changed[into.id] = replace(into, references=merged)
    return tuple(changed[row.id] for row in rows if row.id not in gone)


def _chosen(only: Sequence[str] | None) -> list[str]:
    """Ids of the checks to run, in their order."""
    known = plugin_modules(GROUP)
    unknown = [] if only is None else [name for name in only if name not in known]
    if unknown:
        there = ", ".join(known)
        raise InputError([Problem(name, say("audit.run.no_such_check", there=there)) for name in unknown])
    place = {name: at for at, name in enumerate(_ORDER)}
    return sorted(known if only is None else set(only), key=lambda name: (place.get(name, len(place)), name))


def _timed(name: str, subject: Subject, watch: Watch) -> tuple[CheckRun, Checked | None]:
    """Run one check, or say why it did not."""
    title, started = Text(en=name, zh=name), time.perf_counter()
    try:
        check: Check = load_plugin(GROUP, name)
        title = check.title
        watch(title, 0, 0)
        why = check.skip(subject)
        checked = None if why is not None else check.run(subject, lambda done, total: watch(title, done, total))
    except Interrupted:
        raise
    except TuneworthError as error:
        why, checked = Text(en=error.to("en"), zh=error.to("zh")), None
    except Exception as error:
        if plugin_modules(GROUP)[name].startswith(f"{GROUP}."):
            raise
        why, checked = _crashed(error), None
    seconds = time.perf_counter() - started
    if checked is None:
        return CheckRun(check=name, title=title, seconds=seconds, skipped=why), None
    n = checked.n_looked_at
    sampled = n < len(subject.train)
    return CheckRun(check=name, title=title, n_looked_at=n, sampled=sampled, seconds=seconds), checked


def _crashed(error: Exception) -> Text:
    what = f"{type(error).__name__}: {error}"
    return say("audit.run.crashed", what=what)


def _facts(facts: Sequence[AuditFact]) -> list[AuditFact]:
    """Each fact once: the first check that gives it has the say."""
    first: dict[str, AuditFact] = {}
    for fact in facts:
        first.setdefault(fact.name, fact)
    return list(first.values())


def row_facts(subject: Subject, patches: Sequence[Patch], facts: Sequence[AuditFact]) -> list[AuditFact]:
    """``total_rows`` and ``quality_rows`` of the training file.

    Args:
        patches: all that checks would change or look at.
        facts: those of the checks; ``noise_rate`` is used where there is one.
    """
    total = len(subject.train)
    left = total - len(_doubtful(subject, patches))
    noise = next((fact for fact in facts if fact.name == "noise_rate"), None)
    counted = AuditFact(name="total_rows", value=total, why=say("audit.run.total_rows"))
    return [counted, _quality(total, left, noise)]


def _doubtful(subject: Subject, patches: Sequence[Patch]) -> set[str]:
    """Ids of training rows that a check would drop or that another row contradicts."""
    found = {
        patch.row_id
        for patch in patches
        if (patch.action == "drop" and patch.check not in _NOT_ABOUT_QUALITY)
        or (patch.action == "relabel" and patch.check == "conflicts")
    }
    return found & {row.id for row in subject.train}


def _quality(total: int, left: int, noise: AuditFact | None) -> AuditFact:
    gone = total - left
    if noise is None:
        return AuditFact(name="quality_rows", value=left, why=say("audit.run.quality_rows", total=total, gone=gone))
    rate = float(noise.value)
    return AuditFact(
        name="quality_rows",
        value=round(left * (1 - rate)),
        why=say("audit.run.quality_rows_noise", total=total, gone=gone, rate=f"{rate:.1%}"),
        interval=_counts(left, noise),
    )


def _counts(left: int, noise: AuditFact) -> Interval | None:
    """The noise rate's interval as rows that are left."""
    if noise.interval is None:
        return None
    low, high = noise.interval.low, noise.interval.high
    return Interval(low=round(left * (1 - high)), high=round(left * (1 - low)), level=noise.interval.level)
