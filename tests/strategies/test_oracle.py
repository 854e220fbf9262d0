"""The yardstick that is given the gold passages: what it shows, whom it refuses, when it does not run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reading_made import MANUALS, ask, context_of, reads_the_first, with_kind

from tuneworth.core.task import Example
from tuneworth.models.scripted import ScriptedModel
from tuneworth.strategies.oracle import Oracle, OracleConfig
from tuneworth.strategies.rag import Rag, RagConfig


def test_the_reader_is_given_the_gold_passage_alone(tmp_path: Path) -> None:
    model = ScriptedModel(reads_the_first)
    context = context_of(MANUALS, tmp_path, model)
    solver = Oracle(OracleConfig(constrained=False)).fit(MANUALS.train, MANUALS.dev, context)
    answers = solver.solve(MANUALS.queries)
    for row, answer in zip(MANUALS.held_out, answers):
        [shown] = answer.passages
        assert shown.startswith(row.gold[0])
        assert row.output in (answer.text or "")
        assert answer.citations == (shown,)


def test_it_asks_like_rag(tmp_path: Path) -> None:
    model = ScriptedModel(reads_the_first)
    context = context_of(MANUALS, tmp_path, model)
    for strategy in (Oracle(OracleConfig(constrained=False)), Rag(RagConfig(k=1, mode="text", constrained=False))):
        strategy.fit(MANUALS.train, MANUALS.dev, context).solve([MANUALS.queries[0]])
    assert model.requests[0] == model.requests[1]


def test_a_row_without_gold_is_refused_and_costs_no_other_row(tmp_path: Path) -> None:
    model = ScriptedModel(reads_the_first)
    context = context_of(MANUALS, tmp_path, model)
    assert context.library is not None
    unanswerable = Example(ask("Who made it?"), "not in the documents")
    own_words = replace(MANUALS.held_out[0], query=ask("In other words?"), output="ages", references=("ages",))
    context.library.know("text", MANUALS.train, [*MANUALS.held_out, unanswerable, own_words])
    solver = Oracle(OracleConfig(constrained=False)).fit(MANUALS.train, MANUALS.dev, context)
    first, *refused, last = solver.solve(
        [MANUALS.queries[0], ask("a row nobody knows"), ask("Who made it?"), ask("In other words?"), MANUALS.queries[1]]
    )
    for answer in refused:
        assert (answer.text, answer.status) == (None, "refused")
        assert "no gold passage" in (answer.error or "")
    assert first.passages
    assert last.passages
    assert first.passages != last.passages
    assert len(model.requests) == 2


def test_skipped_without_documents_or_gold() -> None:
    model, train = ScriptedModel(), MANUALS.train
    nameless = [replace(row, gold=()) for row in train]
    for task, rows, reason in (
        (with_kind(MANUALS.task, documents=None), train, "no documents"),
        (MANUALS.task, nameless, "no training row names the passage"),
        (MANUALS.task, (), "no training row names the passage"),
    ):
        why = Oracle.why_skipped(task, model, rows)
        assert why is not None
        assert reason in why.en
    assert Oracle.why_skipped(MANUALS.task, model, [*nameless, train[0]]) is None
    assert Oracle.yardstick


def test_work_counts_one_passage_or_two() -> None:
    def prompt(rows) -> float:
        return Oracle().workload(MANUALS.task, ScriptedModel(), rows, 12).prompt_tokens

    many = [replace(row, gold=row.gold * 9) for row in MANUALS.train]
    none = [replace(row, gold=()) for row in MANUALS.train]
    one, two, zero = prompt(MANUALS.train), prompt(many), prompt(none)
    assert two - one == one - zero > 0
