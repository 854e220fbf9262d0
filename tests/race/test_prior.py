"""What a run knows before it measures anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from rows_made import label_rows, write_rows
from tuneworth.advisor.facts import Facts
from tuneworth.core.audit import AuditFact, AuditResult
from tuneworth.core.task import Task
from tuneworth.core.text import Text
from tuneworth.data.load import load
from tuneworth.data.split import make_split
from tuneworth.data.taskfile import task_file_for
from tuneworth.errors import InputError
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.prepare import Ready, advice_on, audit_rows, check_situation
from tuneworth.race.store import Store
from tuneworth.race.watch import Silent

TASK = Task(name="t", kind="label", labels=("fruit", "tool"), metric="accuracy")


class Listener(Silent):
    """A watcher that remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: Text) -> None:
        self.said.append(message.en)


def audited(tmp_path: Path, test: Path | None = None) -> tuple[AuditResult, AuditResult, list[str]]:
    """An audit, the same asked for again, and the sources of the run's own test rows."""
    options = {} if test is None else {"test": str(test)}
    rows = write_rows(tmp_path / "train.jsonl", label_rows(200))
    task_file = task_file_for(rows, text_language="other", **options)
    loaded = load(task_file)
    prepared = make_split(loaded, seed=0)
    ready = Ready(task_file, loaded, prepared, [], [])
    encoder = SharedEncoder(lambda: pytest.fail("no encoder for this language"), [])
    with Store(tmp_path / "store.sqlite") as store:
        first = audit_rows(ready, encoder, store, Silent())
        again = audit_rows(ready, encoder, store, Silent())
    return first, again, [row.source for row in prepared.split.test]


def test_the_runs_own_test_rows_are_not_audited(tmp_path):
    result, _, withheld = audited(tmp_path)
    assert result.n_train == 200 - len(withheld)
    assert result.n_test == 0
    mentioned = {row.source for finding in result.findings for row in finding.rows}
    assert not mentioned & set(withheld)


def test_an_audit_is_made_once_in_a_run(tmp_path):
    first, again, _ = audited(tmp_path)
    assert again == first
    assert any(check.skipped is None for check in first.checks)


def test_a_test_file_is_held_against_the_training_rows(tmp_path):
    fresh = [
        {"input": f"{chr(97 + i) * 6} {chr(98 + i) * 7} {chr(99 + i) * 5} fruit{chr(97 + i % 8)}", "output": "fruit"}
        for i in range(20)
    ]
    test = write_rows(tmp_path / "test.jsonl", fresh + label_rows(200)[:20])
    result, _, _ = audited(tmp_path, test)
    assert (result.n_train, result.n_test) == (200, 40)
    assert any(finding.id.startswith("leaks") for finding in result.findings)


def test_answers_that_cannot_all_be_true_stop_the_run_before_it_starts():
    with pytest.raises(InputError, match="quality"):
        check_situation(TASK, Facts(total_rows=10, quality_rows=5000))


def test_answers_that_the_rows_contradict_are_left_out_and_it_is_said():
    facts = [AuditFact(name="total_rows", value=150, why=Text(en="counted", zh="数出来的"))]
    result = AuditResult(n_train=150, n_test=0, findings=[], checks=[], facts=facts)
    listener = Listener()
    advice = advice_on(TASK, result, Facts(quality_rows=5000), listener)
    assert {fact.name: fact.value for fact in advice.facts}["total_rows"] == 150
    assert "quality_rows" not in {fact.name for fact in advice.facts}
    assert len(listener.said) == 1
    assert "`situation` is left out of the advice" in listener.said[0]
