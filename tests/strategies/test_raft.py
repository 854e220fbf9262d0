"""Lessons of a reader: what is shown, where the gold passage stands, what is to be answered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tuneworth.core.documents import Passage
from tuneworth.core.task import Collection, Example, Message, OutputKind, Query, Task
from tuneworth.models.base import TrainExample
from tuneworth.models.scripted import ScriptedModel
from tuneworth.retrieval.library import Library
from tuneworth.strategies._parts.passages import passage_prompt
from tuneworth.strategies._parts.raft import LessonMaker, Studied, enough_passages, recalls, study
from tuneworth.strategies._parts.reading import USUAL_K

TASK = Task(
    name="t",
    kind="text",
    metric="token_f1",
    documents=Collection(
        n_documents=9, n_passages=9, digest="d", passage_tokens=64, mean_tokens=8.0, no_answer="not in the documents"
    ),
)
GOLD = Passage("gold#0", "gold", "Gold", "Within 30 days.", "g")
OTHERS = tuple(Passage(f"d{i}#0", f"d{i}", f"Other {i}", f"Word{i} only.", f"o{i}") for i in range(9))


def row(n: int = 0, output: str = "30 days") -> Example:
    return Example(Query(f"q{n}", (Message("user", f"How long, number {n}?"),)), output, gold=("gold",))


def found(n: int = 0, at: int = 0) -> Studied:
    """A row whose gold passage the search put in place ``at``."""
    return Studied(row(n), (*OTHERS[:at], GOLD, *OTHERS[at:]), (GOLD,), "gold")


def missed(n: int = 0) -> Studied:
    return Studied(row(n), OTHERS, (GOLD,), "gold")


def unknown(n: int = 0) -> Studied:
    return Studied(replace(row(n), gold=()), OTHERS, (), None)


def maker(*, k: int = 3, p_gold: float = 1.0, n_tokens: int = 500, task: Task = TASK) -> LessonMaker:
    return LessonMaker(passage_prompt(task, "Answer.", []), ScriptedModel(), k, p_gold, n_tokens)


def titles(lesson: TrainExample) -> list[str]:
    return [line.split("] ")[1] for line in lesson.messages[-1].content.splitlines() if line.startswith("[")]


def lessons(made: LessonMaker, rows: list[Studied], seed: int = 0) -> list[TrainExample]:
    return made.training(rows, np.random.default_rng(seed))


def test_what_was_found_is_shown_as_it_was_and_cited() -> None:
    made = maker()
    [first, second] = lessons(made, [found(at=0), found(at=2)])
    assert titles(first) == ["Gold", "Other 0", "Other 1"]
    assert titles(second) == ["Other 0", "Other 1", "Gold"]
    assert [lesson.completion for lesson in (first, second)] == ["30 days [1]", "30 days [3]"]
    assert (made.n_inserted, made.n_removed) == (0, 0)


def test_a_gold_passage_that_was_missed_is_put_in_anywhere() -> None:
    made = maker()
    done = lessons(made, [missed(n) for n in range(300)])
    places = [titles(lesson).index("Gold") for lesson in done]
    assert np.all(np.abs(np.bincount(places, minlength=3) - 100) < 30)
    for lesson, place in zip(done, places):
        assert lesson.completion == f"30 days [{place + 1}]"
        assert [title for title in titles(lesson) if title != "Gold"] == ["Other 0", "Other 1"]
    assert made.n_inserted == 300


def test_a_share_of_the_rows_goes_without_its_gold_passage() -> None:
    made = maker(p_gold=0.8)
    done = lessons(made, [found(n, at=n % 3) for n in range(1000)])
    without = [lesson for lesson in done if "Gold" not in titles(lesson)]
    assert len(without) == made.n_removed
    assert abs(made.n_removed - 200) < 40
    for lesson in without:
        assert titles(lesson) == ["Other 0", "Other 1", "Other 2"], "the next distractor takes its place"
        assert lesson.completion == "30 days", "as in the paper, and nothing to cite"


def test_without_known_gold_the_passages_are_as_found() -> None:
    made = maker(p_gold=0.0)
    [lesson] = lessons(made, [unknown()])
    assert titles(lesson) == ["Other 0", "Other 1", "Other 2"]
    assert lesson.completion == "30 days"
    by_answer = Studied(replace(row(), gold=()), (OTHERS[0], GOLD), (), "answer")
    [lesson] = lessons(made, [by_answer])
    assert lesson.completion == "30 days [2]"
    assert made.n_removed == 0


def test_dev_lessons_are_as_found() -> None:
    made = maker(p_gold=0.0)
    done = made.as_found([found(at=1), missed()])
    assert [titles(lesson) for lesson in done] == [["Other 0", "Gold", "Other 1"], ["Other 0", "Other 1", "Other 2"]]
    assert [lesson.completion for lesson in done] == ["30 days [2]", "30 days"]


def test_dev_lessons_show_the_first_that_fit_as_the_solver_does() -> None:
    short = maker(k=5, n_tokens=80)
    [lesson] = short.as_found([found(at=4)])
    assert 0 < len(titles(lesson)) < 5
    assert titles(lesson) == [f"Other {n}" for n in range(len(titles(lesson)))]
    assert lesson.completion == "30 days", "what is not shown is not cited"
    [trained] = lessons(short, [found(at=4)])
    assert titles(trained)[0] == "Gold"


def test_the_same_seed_gives_the_same_lessons() -> None:
    rows = [missed(n) if n % 2 else found(n) for n in range(60)]
    first = lessons(maker(p_gold=0.5), rows)
    assert lessons(maker(p_gold=0.5), rows) == first
    assert lessons(maker(p_gold=0.5), rows, seed=1) != first


def test_a_row_keeps_its_lot_whatever_the_other_rows_know() -> None:
    rows = [missed(n) for n in range(40)]
    plain = lessons(maker(p_gold=0.5), rows)
    mixed = lessons(maker(p_gold=0.5), [unknown(n) if n % 2 else each for n, each in enumerate(rows)])
    assert mixed[::2] == plain[::2]


UNANSWERABLE = TASK.model_copy(
    update={"documents": TASK.documents and TASK.documents.model_copy(update={"unanswerable": True})}
)


@pytest.mark.parametrize("kind", ["json", "label", "choice", "text"])
def test_where_no_right_passage_is_known_the_usual_number_is_shown(kind: OutputKind, tmp_path: Path) -> None:
    """Answers that are not quoted stand in no passage: that is no recall of 0."""
    rows = [replace(row(n, f"answer {n} in other words"), gold=()) for n in range(20)]
    library = Library(tmp_path, "en", 64, cut=lambda size: [GOLD, *OTHERS], no_answer="not in the documents")
    library.know(kind, rows)
    studied = study(library, rows, [OTHERS] * len(rows))
    assert {each.judge for each in studied} == {None}
    assert recalls(studied) == {}
    assert enough_passages(recalls(studied)) == USUAL_K


def test_a_document_whose_right_passage_is_not_known_is_a_row_without_gold(tmp_path: Path) -> None:
    parts = [replace(GOLD, id=f"gold#{n}", text=f"Part {n}.") for n in range(3)]
    library = Library(tmp_path, "en", 64, cut=lambda size: [*parts, *OTHERS])
    [studied] = study(library, [row()], [OTHERS])
    made = maker(p_gold=0.0)
    [lesson] = lessons(made, [studied])
    assert (studied.gold, studied.judge) == ((), None)
    assert titles(lesson) == ["Other 0", "Other 1", "Other 2"]
    assert (made.n_inserted, made.n_removed) == (0, 0)


def test_where_a_task_may_decline_a_row_without_its_passage_does() -> None:
    [lesson] = lessons(maker(p_gold=0.0, task=UNANSWERABLE), [found()])
    assert lesson.completion == "not in the documents"


def test_it_does_not_decline_what_another_passage_answers() -> None:
    twin = replace(GOLD, id="twin#0", document_id="twin", title="Twin")
    studied = Studied(row(), (GOLD, twin, *OTHERS), (GOLD,), "gold")
    [lesson] = lessons(maker(p_gold=0.0, task=UNANSWERABLE), [studied])
    assert titles(lesson)[0] == "Twin"
    assert lesson.completion == "30 days"


def test_a_row_that_is_rightly_declined_cites_nothing() -> None:
    stray = Studied(replace(row(output="not in the documents"), gold=()), OTHERS, (), None)
    [lesson] = lessons(maker(task=UNANSWERABLE), [stray])
    assert lesson.completion == "not in the documents"


@pytest.mark.parametrize("n_tokens", range(30, 110, 4))
def test_lessons_fit_what_can_be_trained_and_keep_the_gold_passage(n_tokens: int) -> None:
    model, made = ScriptedModel(), maker(k=5, n_tokens=n_tokens)
    long = replace(GOLD, text="Within 30 days. " * 3)
    studied = Studied(row(), (*OTHERS[:4], long, *OTHERS[4:]), (long,), "gold")
    [lesson] = lessons(made, [studied])
    shown = titles(lesson)
    n_words = sum(model.count_tokens(turn.content) for turn in lesson.messages) + model.count_tokens(lesson.completion)
    assert n_words <= n_tokens or not shown
    if shown:
        assert "Gold" in shown
        assert lesson.completion == f"30 days [{shown.index('Gold') + 1}]"
    else:
        assert lesson.completion == "30 days"


def test_some_of_those_lessons_had_to_be_cut() -> None:
    n_shown = []
    for n_tokens in (80, 90, 500):
        [lesson] = lessons(maker(k=5, n_tokens=n_tokens), [found(at=4)])
        n_shown.append(len(titles(lesson)))
    assert 0 < n_shown[0] < n_shown[1] < n_shown[2] == 5


def test_labels_learn_no_citations() -> None:
    task = TASK.model_copy(update={"kind": "label", "labels": ("30 days", "60 days")})
    [lesson] = lessons(maker(task=task), [found()])
    assert lesson.completion == "30 days"


def test_recall_counts_rows_of_which_the_right_passage_is_known() -> None:
    rows = [found(at=0), found(at=0), found(at=2), missed(), unknown(), unknown()]
    assert recalls(rows) == {1: 0.5, 3: 0.75, 5: 0.75}
    assert recalls([unknown()]) == {}


@pytest.mark.parametrize(
    ("recall_at", "k"),
    [
        ({1: 0.95, 3: 0.96, 5: 0.965}, 1),
        ({1: 0.80, 3: 0.96, 5: 0.975}, 3),
        ({1: 0.50, 3: 0.70, 5: 0.90}, 5),
        ({1: 0.0, 3: 0.0, 5: 0.0}, 1),
        ({}, 3),
    ],
)
def test_the_fewest_passages_that_find_nearly_as_much(recall_at: dict[int, float], k: int) -> None:
    assert enough_passages(recall_at) == k
