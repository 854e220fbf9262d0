"""RAG: its arms, what it shows and cites, when it declines, what its latency holds, what is saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from reading_made import MANUALS, RETURNS, ask, context_of, reads_the_first, with_kind

from tuneworth.core.task import Collection, Query, Task
from tuneworth.models.scripted import MS_PER_TOKEN, ScriptedModel
from tuneworth.retrieval.library import Library
from tuneworth.strategies import Context
from tuneworth.strategies.rag import Rag, RagConfig, RagSolver
from tuneworth.testing.cases import HashEncoder, library_of

WARRANTY = ask("How long is the warranty of the Quandle lamp?")
SENTENCE = "The Quandle lamp has a warranty of 22 months."
BIG = Collection(
    n_documents=90, n_passages=400, digest="d", passage_tokens=240, mean_tokens=180.0, encoder="e", no_answer="unknown"
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return library_of(MANUALS, tmp_path_factory.mktemp("index"), HashEncoder())


def fit(context: Context, **config: Any) -> RagSolver:
    return Rag(RagConfig(**{"k": 2, "mode": "text", "constrained": False} | config)).fit(
        MANUALS.train, MANUALS.dev, context
    )


def arms(task: Task, documents: Collection | None, model: ScriptedModel | None = None) -> list[dict[str, Any]]:
    configs = Rag.arms(with_kind(task, documents=documents), model or ScriptedModel(), ())
    return [config.model_dump(exclude_defaults=True) for config in configs]


def test_arms_vary_one_thing_at_a_time() -> None:
    assert arms(RETURNS.task, BIG.model_copy(update={"reranker": "r"})) == [
        {"k": 1},
        {},
        {"k": 5},
        {"mode": "text"},
        {"passage_tokens": 120},
        {"rerank": True},
        {"constrained": False},
    ]


def test_what_the_documents_do_not_have_is_no_arm() -> None:
    words_only = BIG.model_copy(update={"encoder": None, "mean_tokens": 60.0})
    assert arms(RETURNS.task, words_only) == [
        {"k": 1, "mode": "text"},
        {"mode": "text"},
        {"k": 5, "mode": "text"},
        {"mode": "text", "constrained": False},
    ]
    free = {"constrained": False}
    assert arms(MANUALS.task, BIG.model_copy(update={"n_passages": 2, "mean_tokens": 9.0})) == [
        {"k": 1, **free},
        {"k": 1, "mode": "text", **free},
    ]
    four = BIG.model_copy(update={"n_passages": 4, "mean_tokens": 9.0})
    assert [arm.get("k", 3) for arm in arms(MANUALS.task, four)] == [1, 3, 3]
    assert arms(MANUALS.task, None) == []


def test_a_task_without_documents_is_skipped_with_a_reason() -> None:
    why = Rag.why_skipped(with_kind(MANUALS.task, documents=None), ScriptedModel(), MANUALS.train)
    assert why is not None
    assert why.en == "the task has no documents"
    assert Rag.why_skipped(MANUALS.task, None, MANUALS.train) is not None
    assert Rag.why_skipped(MANUALS.task, ScriptedModel(), MANUALS.train) is None


def test_what_was_found_is_shown_read_and_cited(library: Library, tmp_path: Path) -> None:
    model = ScriptedModel(reads_the_first)
    [answer] = fit(context_of(MANUALS, tmp_path, model, library)).solve([WARRANTY])
    assert answer.text == SENTENCE
    assert answer.passages[0] == "quandle-lamp#0"
    assert answer.citations == ("quandle-lamp#0",)
    [request] = model.requests
    assert request.messages[-1].content.startswith(f"[1] Quandle lamp > Warranty\n> {SENTENCE}\n\n[2] ")
    assert request.messages[-1].content.endswith(f"\n\nQuestion: {WARRANTY.text}")


def test_the_number_of_passages_is_that_of_the_arm(library: Library, tmp_path: Path) -> None:
    for k in (1, 3, 5):
        [answer] = fit(context_of(MANUALS, tmp_path, ScriptedModel(), library), k=k).solve([WARRANTY])
        assert len(answer.passages) == k
        assert len(set(answer.passages)) == k


def test_ways_of_searching_give_other_passages(library: Library, tmp_path: Path) -> None:
    def shown(**config: Any) -> list[tuple[str, ...]]:
        solver = fit(context_of(MANUALS, tmp_path, ScriptedModel(), library), k=5, **config)
        return [answer.passages for answer in solver.solve(MANUALS.queries)]

    by_words, by_vectors, both = (shown(mode=mode) for mode in ("text", "vector", "hybrid"))
    assert by_words != by_vectors
    assert both not in (by_words, by_vectors)


class Backwards:
    """A reranker that likes what comes last in the alphabet."""

    id = "backwards"

    def scores(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([sorted(texts).index(text) for text in texts], dtype=np.float32)


def test_a_reranker_decides_the_order(library: Library, tmp_path: Path) -> None:
    opened: list[Backwards] = []

    def opens() -> Backwards:
        opened.append(Backwards())
        return opened[-1]

    context = context_of(MANUALS, tmp_path, ScriptedModel(), replace(library, reranker=opens))
    plain, turned = fit(context, k=3), fit(context, k=3, rerank=True)
    assert len(opened) == 1, "opened in fit, not at the first query"
    [before], [after] = plain.solve([WARRANTY]), turned.solve([WARRANTY])
    assert len(after.passages) == 3
    assert after.passages != before.passages
    assert len(opened) == 1


def test_smaller_passages_come_from_an_index_of_their_own(tmp_path: Path) -> None:
    library = library_of(MANUALS, tmp_path / "index", HashEncoder())
    context = context_of(MANUALS, tmp_path, ScriptedModel(), library)
    solver = fit(context, passage_tokens=16)
    assert (tmp_path / "index" / "16").is_dir(), "made in fit, not at the first query"
    assert solver.solve([WARRANTY])[0].passages


def test_the_system_text_is_shared_and_the_passages_are_the_rows_own(library: Library, tmp_path: Path) -> None:
    model = ScriptedModel()
    fit(context_of(MANUALS, tmp_path, model, library)).solve(MANUALS.queries)
    assert {request.n_shared for request in model.requests} == {1}
    assert len({request.messages[0] for request in model.requests}) == 1


def test_a_citation_that_was_not_shown_is_kept_as_made_up(library: Library, tmp_path: Path) -> None:
    model = ScriptedModel(lambda request: "22 months [2, 9]")
    [answer] = fit(context_of(MANUALS, tmp_path, model, library)).solve([WARRANTY])
    assert answer.text == "22 months"
    assert answer.citations == (answer.passages[1], "?9")


def test_labels_are_constrained_and_never_read_for_citations(tmp_path: Path) -> None:
    model = ScriptedModel()
    context = context_of(RETURNS, tmp_path, model)
    solver = Rag(RagConfig(k=1, mode="text", constrained=True)).fit(RETURNS.train, RETURNS.dev, context)
    answers = solver.solve(RETURNS.queries)
    assert all(request.constraint is not None for request in model.requests)
    assert all(answer.citations == () and answer.passages for answer in answers)
    assert [answer.text for answer in answers] == [row.output for row in RETURNS.held_out]


def test_nothing_found_is_said_without_asking_the_model(library: Library, tmp_path: Path) -> None:
    model = ScriptedModel(reads_the_first)
    solver = fit(context_of(MANUALS, tmp_path, model, library))
    stray, known = solver.solve([ask("xyzzy plugh"), WARRANTY])
    assert (stray.text, stray.status, stray.passages, stray.citations) == ("not in the documents", "scored", (), ())
    assert stray.usage.prompt_tokens == 0
    assert stray.latency_ms > 0, "the search took time"
    assert known.text == SENTENCE
    assert len(model.requests) == 1


def test_a_row_that_cannot_decline_is_asked_without_passages(tmp_path: Path) -> None:
    model = ScriptedModel()
    context = context_of(RETURNS, tmp_path, model)
    solver = Rag(RagConfig(mode="text", constrained=True)).fit(RETURNS.train, RETURNS.dev, context)
    [answer] = solver.solve([ask("qqqq 三十天")])
    [blank] = solver.solve([ask("zzzz")])
    assert answer.status == blank.status == "scored"
    assert blank.text in RETURNS.task.labels
    assert model.requests[-1].messages[-1].content == "输入：zzzz"


def test_passages_below_the_threshold_are_not_shown(library: Library, tmp_path: Path) -> None:
    near = library.nearest_cosine(WARRANTY.text)
    assert near is not None
    for threshold, declines in ((near - 0.01, False), (near + 0.01, True)):
        model = ScriptedModel(reads_the_first)
        context = context_of(MANUALS, tmp_path, model, library, min_similarity=threshold)
        [answer] = fit(context).solve([WARRANTY])
        assert (answer.text == "not in the documents") is declines
        assert len(model.requests) == (0 if declines else 1)


def test_latency_is_that_of_the_search_and_of_the_model(library: Library, tmp_path: Path) -> None:
    solver = fit(context_of(MANUALS, tmp_path, ScriptedModel(reads_the_first), library))
    [answer] = solver.solve([WARRANTY])
    model_ms = MS_PER_TOKEN * (answer.usage.prompt_tokens + answer.usage.completion_tokens)
    assert answer.latency_ms > model_ms


def test_passages_that_do_not_fit_are_dropped_and_a_long_question_is_over_the_limit(
    library: Library, tmp_path: Path
) -> None:
    # 5 passages of about 15 words with their heads need about 100 words, system text and question about 60.
    model = ScriptedModel(reads_the_first, context_tokens=140)
    solver = fit(context_of(MANUALS, tmp_path, model, library), k=5)
    short, long = solver.solve([WARRANTY, ask(WARRANTY.text + " please" * 200)])
    assert short.text == SENTENCE
    assert 0 < len(short.passages) < 5
    assert (long.status, long.text, long.passages) == ("over_limit", None, ())
    assert long.error


def test_saved_with_everything_and_loaded_on_a_finished_library(library: Library, tmp_path: Path) -> None:
    context = context_of(MANUALS, tmp_path, ScriptedModel(reads_the_first), library, min_similarity=0.05)
    solver = fit(context, k=4, mode="hybrid")
    solver.save(tmp_path)
    finished = library_of(MANUALS, library.folder, HashEncoder(), finished=True)
    loaded = RagSolver.load(tmp_path, replace(context, library=finished, model=ScriptedModel(reads_the_first)))
    assert loaded.finder == replace(solver.finder, library=finished)
    assert (loaded.reader.prompt, loaded.reader.asker.constrained) == (solver.reader.prompt, False)
    before, after = solver.solve(MANUALS.queries), loaded.solve(MANUALS.queries)
    assert [(a.text, a.passages, a.citations) for a in after] == [(a.text, a.passages, a.citations) for a in before]


def test_a_missing_library_is_an_error_of_the_program(tmp_path: Path) -> None:
    context = replace(context_of(MANUALS, tmp_path, ScriptedModel()), library=None)
    with pytest.raises(ValueError, match="reads documents"):
        fit(context)


def test_json_and_choice_rows_keep_their_form(library: Library, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"months": {"type": "integer"}}, "required": ["months"]}
    model = ScriptedModel()
    context = context_of(MANUALS, tmp_path, model, library)
    for changes in (
        {"kind": "json", "json_schema": schema, "metric": "json_exact"},
        {"kind": "choice", "metric": "accuracy"},
    ):
        here = replace(context, task=with_kind(context.task, **changes))
        choices = ("22 months", "23 months") if changes["kind"] == "choice" else ()
        query = Query("q", WARRANTY.messages, choices)
        [answer] = fit(here, constrained=True).solve([query])
        assert answer.status == "scored"
        assert answer.text in ('{"months": 0}', "22 months")
        assert model.requests[-1].constraint is not None


def test_work_grows_with_the_passages_and_searching_by_words_encodes_nothing() -> None:
    def work(**config: Any):
        return Rag(RagConfig(**config)).workload(MANUALS.task, ScriptedModel(), MANUALS.train, 12)

    documents = MANUALS.task.documents
    assert documents is not None
    one, three = work(k=1), work(k=3)
    assert three.prompt_tokens - one.prompt_tokens > 2 * documents.mean_tokens
    assert one.shared_tokens == three.shared_tokens > 0
    assert work(k=3, passage_tokens=16).prompt_tokens <= three.prompt_tokens
    assert work(mode="text").encoded_chars == 0 < work(mode="hybrid").encoded_chars
    small = Rag(RagConfig(k=5)).workload(MANUALS.task, ScriptedModel(context_tokens=90), MANUALS.train, 12)
    assert small.prompt_tokens + small.shared_tokens + 12 == pytest.approx(90)
