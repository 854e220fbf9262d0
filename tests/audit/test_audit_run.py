"""The runner: order, skipped checks, progress, facts, and the rows that patches leave."""

from __future__ import annotations

import sys
from types import MappingProxyType, ModuleType

import pytest
from audit_rows import example, sentences, subject

from tuneworth.audit import Checked, Patch
from tuneworth.audit import _run as runner
from tuneworth.audit._run import audit, cleaned, row_facts, worst_first
from tuneworth.core.audit import AuditFact, CheckRun, Finding
from tuneworth.core.run import Interval
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, InputError, Interrupted, Problem

A, NOTE = Text("a", "一"), Text("why", "原因")
OURS = ["duplicates", "leaks", "conflicts", "templates"]


class Outsider:
    """A check of another distribution that does what the test asks for."""

    title = Text("outsider", "外来")

    def __init__(self, act):
        self.act = act

    def skip(self, subject):
        return None

    def run(self, subject, tick):
        return self.act(subject, tick)


@pytest.fixture
def outsider(monkeypatch):
    def install(act, name="outsider"):
        module = ModuleType(f"other_{name}")
        module.PLUGIN = Outsider(act)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        found = MappingProxyType({name: module.__name__})
        monkeypatch.setattr(runner, "plugin_modules", lambda group: found)
        monkeypatch.setattr(runner, "load_plugin", lambda group, plugin: sys.modules[found[plugin]].PLUGIN)

    return install


def run_of(act, outsider) -> CheckRun:
    outsider(act)
    return audit(subject([("a", "b")])).result.checks[0]


def raiser(error):
    def act(subject, tick):
        raise error

    return act


def test_an_outsiders_crash_is_a_skipped_check_with_the_error(outsider):
    run = run_of(raiser(ZeroDivisionError("oh")), outsider)
    assert run.skipped is not None
    assert "ZeroDivisionError: oh" in run.skipped.en
    assert "ZeroDivisionError: oh" in run.skipped.zh


def test_a_missing_extra_is_a_skipped_check_in_both_languages(outsider):
    problem = EnvironmentProblem(Problem("", Text("pip install it", "请安装")))
    assert run_of(raiser(problem), outsider).skipped == Text("pip install it", "请安装")


def test_a_built_in_crash_is_raised(monkeypatch):
    monkeypatch.setattr(runner, "load_plugin", lambda group, plugin: Outsider(raiser(ZeroDivisionError("oh"))))
    with pytest.raises(ZeroDivisionError, match="oh"):
        audit(subject([("a", "b")]), only=["duplicates"])


def test_interrupting_stops_the_audit(outsider):
    with pytest.raises(Interrupted):
        run_of(raiser(Interrupted(Problem("", A))), outsider)


def test_unknown_checks_are_all_named_at_once():
    with pytest.raises(InputError, match="duplicates") as caught:
        audit(subject([("a", "b")]), only=["nope", "duplicates", "neither"])
    assert [problem.where for problem in caught.value.problems] == ["nope", "neither"]


def test_only_runs_what_is_asked_for_in_the_audits_order():
    result = audit(subject([("a", "b")] * 9), only=["templates", "duplicates"]).result
    assert [run.check for run in result.checks] == ["duplicates", "templates"]


def test_a_sample_is_marked_as_one(outsider):
    outsider(lambda subject, tick: Checked([], 2))
    assert audit(subject([("a", "b")] * 3)).result.checks[0].sampled
    outsider(lambda subject, tick: Checked([], 3))
    assert not audit(subject([("a", "b")] * 3)).result.checks[0].sampled


def test_progress_names_the_check(outsider):
    seen = []
    outsider(lambda subject, tick: (tick(1, 2), Checked([], 1))[1])
    audit(subject([("a", "b")]), watch=lambda title, done, total: seen.append((title.en, done, total)))
    assert seen == [("outsider", 0, 0), ("outsider", 1, 2)]


def test_worst_findings_first():
    def finding(name, severity, n):
        return Finding(id=name, severity=severity, title=A, measures=[], why=NOTE, seed_rows=[], fix=NOTE, n_rows=n)

    found = [
        finding("a", "note", 9),
        finding("b", "serious", 1),
        finding("c", "warning", 5),
        finding("d", "warning", 7),
    ]
    assert [one.id for one in worst_first(found)] == ["b", "d", "c", "a"]


def test_quality_rows_leave_out_repeats_contradictions_and_estimated_noise():
    rows = subject([(text, "x") for text in sentences(10)])
    ids = [row.id for row in rows.train]
    patches = [
        Patch("duplicates", ids[0], "", "drop", NOTE),
        Patch("conflicts", ids[1], "", "relabel", NOTE, certain=False),
        Patch("conflicts", ids[0], "", "relabel", NOTE, certain=False),
        Patch("conflicts", ids[2], "", "merge", NOTE, certain=False),
        Patch("leaks", ids[3], "", "drop", NOTE),
        Patch("label_noise", ids[4], "", "relabel", NOTE, certain=False),
        Patch("duplicates", "a test row", "", "drop", NOTE),
    ]
    noise = AuditFact(name="noise_rate", value=0.25, why=NOTE, interval=Interval(low=0.0, high=0.5))
    total, quality = row_facts(rows, patches, [noise])
    assert (total.value, quality.value) == (10, 6)
    assert quality.interval == Interval(low=4, high=8)
    assert row_facts(rows, patches, [])[1].value == 8
    assert row_facts(rows, patches, [])[1].interval is None


def test_cleaned_rows_follow_the_certain_patches_only():
    rows = [example(f"question {at}", f"answer {at}", at) for at in range(5)]
    ids = [row.id for row in rows]
    patches = [
        Patch("a", ids[0], "", "drop", NOTE),
        Patch("a", ids[1], "", "drop", NOTE, certain=False),
        Patch("a", ids[2], "", "replace", NOTE, after="new"),
        Patch("a", ids[3], "", "merge", NOTE, into=ids[4]),
        Patch("a", "unknown", "", "drop", NOTE),
    ]
    left = cleaned(rows, patches)
    assert [row.id for row in left] == [ids[1], ids[2], ids[4]]
    assert (left[1].output, left[1].references) == ("new", ("new",))
    assert left[2].references == ("answer 4", "answer 3")


@pytest.mark.parametrize(
    "train",
    [
        [("a", "b")],
        [("same", "same")] * 30,
        [("", "x"), ("", "y"), (" ", "x"), ("\n\n", "z")],
        [("🙂🙃", "x"), ("שלום עולם", "x"), ("\ud800 lone", "x"), ("‮abc", "y"), ("e\u0301\u0000", "y")],
        [("word " * 100_000, "x"), ("字" * 250_000, "y"), ("short", "x")],
    ],
    ids=["one row", "all equal", "empty", "emoji, right to left, lone surrogate", "huge"],
)
@pytest.mark.parametrize("kind", ["label", "text"])
def test_strange_rows_are_audited(train, kind):
    result = audit(subject(train, train[:1], kind), only=OURS).result
    assert all(run.skipped is None or run.check == "templates" for run in result.checks)
    facts = {fact.name: fact.value for fact in result.facts}
    assert facts["total_rows"] == len(train)
    assert 1 <= int(facts["quality_rows"]) <= len(train)
    repeats = next(finding for finding in result.findings if finding.id == "leaks.repeats")
    assert repeats.n_rows == 1
