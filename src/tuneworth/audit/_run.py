"""Run every check over the rows and put together what they say.

A check that cannot run (an extra is missing, too few rows) is listed as skipped with the reason. So is a
check of another distribution that fails in whatever way: it must not take the audit down. A built-in that
fails is a bug of ours and is raised.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tuneworth.audit import Check, Checked, Embed, Patch, Subject
from tuneworth.audit._quality import row_facts
from tuneworth.core.audit import AuditFact, AuditResult, CheckRun, Finding, Severity
from tuneworth.core.registry import load_plugin, plugin_modules
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.data.load import Loaded
from tuneworth.errors import InputError, Interrupted, Problem, TuneworthError

GROUP = "tuneworth.audit"
Watch = Callable[[Text, int, int], None]
"""Called with (title of the check, done, total) while it works; (title, 0, 0) as it starts."""

# Quick answers first; the checks that embed rows or train a classifier come last.
_ORDER = ("duplicates", "leaks", "conflicts", "templates", "size", "outputs", "personal", "knowledge", "style")
_RANK: dict[Severity, int] = {"serious": 0, "warning": 1, "note": 2}


@dataclass(frozen=True)
class Audited:
    """An audit with what it would change.

    Attributes:
        result: the findings, as they are stored and shown.
        patches: the changes ``--fix`` makes (``certain``) or suggests.
        train: the training rows as the certain patches leave them. Masking is not done here: it changes
            the texts of the file, see ``data.fixes``.
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
    patches = [patch for checked in answers for patch in checked.patches]
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
        message = Text(en=f"no such check; there are {there}", zh=f"没有这项检查；可选：{there}")
        raise InputError([Problem(name, message) for name in unknown])
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
        if _is_ours(name):
            raise
        why, checked = _crashed(error), None
    seconds = time.perf_counter() - started
    if checked is None:
        return CheckRun(check=name, title=title, seconds=seconds, skipped=why), None
    n = checked.n_looked_at
    sampled = n < len(subject.train)
    return CheckRun(check=name, title=title, n_looked_at=n, sampled=sampled, seconds=seconds), checked


def _is_ours(name: str) -> bool:
    return plugin_modules(GROUP)[name].startswith(f"{GROUP}.")


def _crashed(error: Exception) -> Text:
    what = f"{type(error).__name__}: {error}"
    return Text(
        en=f"the check failed ({what}); update or uninstall the package it comes from",
        zh=f"检查出错（{what}）；请更新或卸载它所属的软件包",
    )


def _facts(facts: Sequence[AuditFact]) -> list[AuditFact]:
    """Each fact once: the first check that gives it has the say."""
    first: dict[str, AuditFact] = {}
    for fact in facts:
        first.setdefault(fact.name, fact)
    return list(first.values())
