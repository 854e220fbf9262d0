"""LoRA + RAG: what it is trained on, that a training is taken up again, what it answers from, what is saved."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import pytest
from reading_made import MANUALS, RETURNS, context_of, with_kind

from tuneworth.models.base import Model, TrainExample
from tuneworth.models.local.load import open_local
from tuneworth.models.scripted import ScriptedModel
from tuneworth.retrieval.library import Library
from tuneworth.strategies import Context, lora_rag
from tuneworth.strategies._parts.raft import NEAR_BEST
from tuneworth.strategies.lora_rag import LoraRag, LoraRagConfig, LoraRagSolver, lessons_note
from tuneworth.strategies.rag import Rag, RagConfig
from tuneworth.testing.cases import DOCUMENT_CASES, Case, HashEncoder, library_of
from tuneworth.testing.models import make_tiny_llama
from tuneworth.testing.strategies import STRATEGY_CHECKS, Bench


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_llama(tmp_path_factory.mktemp("tiny") / "llama")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return library_of(MANUALS, tmp_path_factory.mktemp("index"), HashEncoder())


def open_tiny(folder: Path) -> Model:
    import torch

    return open_local(folder, model_id="tiny", device="cpu", dtype=torch.float32, attention="eager")


class Stop(Exception):
    pass


def lessons_of(config: LoraRagConfig, case: Case, context: Context, monkeypatch: pytest.MonkeyPatch):
    """What ``fit`` would train on, without training."""
    seen: list[Sequence[TrainExample]] = []

    def note(lessons, dev_lessons, rank, context) -> Path:
        seen.extend((lessons, dev_lessons))
        raise Stop

    monkeypatch.setattr(lora_rag, "train_adapter", note)
    with pytest.raises(Stop):
        LoraRag(config).fit(case.train, case.dev, context)
    return seen


def test_one_arm_searched_in_the_best_way() -> None:
    model = ScriptedModel(can_train=True)
    assert LoraRag.arms(MANUALS.task, model, MANUALS.train) == [LoraRagConfig(mode="hybrid", constrained=False)]
    assert LoraRag.arms(RETURNS.task, model, RETURNS.train) == [LoraRagConfig(mode="text", constrained=True)]


def test_skipped_without_documents_or_where_lora_is() -> None:
    trainable, fixed = ScriptedModel(can_train=True), ScriptedModel(id="remote")
    for task, model, rows, reason in (
        (with_kind(MANUALS.task, documents=None), trainable, MANUALS.train, "no documents"),
        (MANUALS.task, None, MANUALS.train, "needs a language model"),
        (MANUALS.task, fixed, MANUALS.train, "remote cannot be trained"),
        (MANUALS.task, trainable, MANUALS.train[:10], "10 training rows"),
    ):
        why = LoraRag.why_skipped(task, model, rows)
        assert why is not None
        assert reason in why.en
    assert LoraRag.why_skipped(MANUALS.task, trainable, MANUALS.train) is None


def test_lessons_are_prompts_as_they_will_be_asked(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ScriptedModel(can_train=True)
    context = context_of(MANUALS, tmp_path, model, library)
    _, dev_lessons = lessons_of(LoraRagConfig(k=3, mode="text", constrained=False), MANUALS, context, monkeypatch)
    rag = Rag(RagConfig(k=3, mode="text", constrained=False)).fit(MANUALS.train, MANUALS.dev, context)
    answers = rag.solve([row.query for row in MANUALS.dev])
    assert [lesson.messages[-1] for lesson in dev_lessons] == [request.messages[-1] for request in model.requests]
    for lesson, row, answer in zip(dev_lessons, MANUALS.dev, answers):
        [gold] = library.gold(row)
        cited = f" [{answer.passages.index(gold.id) + 1}]" if gold.id in answer.passages else ""
        assert lesson.completion == row.output + cited
    assert any("[" in lesson.completion for lesson in dev_lessons)


def test_gold_is_kept_in_four_of_five_rows(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for p_gold, low, high in ((1.0, 1.0, 1.0), (0.8, 0.6, 0.95), (0.0, 0.0, 0.0)):
        context = context_of(MANUALS, tmp_path, ScriptedModel(can_train=True), library)
        config = LoraRagConfig(k=3, mode="text", p_gold=p_gold, constrained=False)
        lessons, _ = lessons_of(config, MANUALS, context, monkeypatch)
        shown = [row.output in each.messages[-1].content for row, each in zip(MANUALS.train, lessons)]
        assert low <= sum(shown) / len(shown) <= high


def test_a_threshold_turns_no_training_row_away(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = context_of(MANUALS, tmp_path, ScriptedModel(can_train=True), library, min_similarity=0.999)
    lessons, _ = lessons_of(LoraRagConfig(k=3, constrained=False), MANUALS, context, monkeypatch)
    assert all(lesson.messages[-1].content.startswith("[1] ") for lesson in lessons)


@pytest.mark.slow
@pytest.mark.parametrize("case", DOCUMENT_CASES, ids=lambda case: case.task.name)
def test_conformance_on_a_tiny_llama(case: Case, tiny_folder: Path, tmp_path: Path) -> None:
    few = replace(case, train=case.train[:40])  # seven trainings: what they must keep does not need many steps
    bench = Bench(LoraRag, few, lambda: open_tiny(tiny_folder), HashEncoder(), tmp_path)
    for check in STRATEGY_CHECKS:
        check(replace(bench, folder=tmp_path / check.__name__))


def test_trained_answering_saved_and_loaded(tiny_folder: Path, library: Library, tmp_path: Path) -> None:
    model = open_tiny(tiny_folder)
    context = context_of(MANUALS, tmp_path, model, library)
    solver = LoraRag(LoraRagConfig(constrained=False)).fit(MANUALS.train[:60], MANUALS.dev, context)
    recall_at = context.details["train_recall_at"]
    assert set(recall_at) == {1, 3, 5}
    assert (
        context.details["k"] == solver.finder.k == min(k for k in recall_at if recall_at[k] >= recall_at[5] - NEAR_BEST)
    )
    assert {"steps", "dev_losses", "n_gold_inserted", "n_gold_removed"} <= context.details.keys()
    json.dumps(context.details)
    shown, trained = context.notes[-1], context.notes[0]
    assert shown == lessons_note(solver.finder.k, context.details["n_gold_inserted"], context.details["n_gold_removed"])
    assert "Trained for" in trained.en

    answers = solver.solve(MANUALS.queries)
    assert all(len(answer.passages) == solver.finder.k for answer in answers)
    untuned = replace(solver.reader, asker=replace(solver.reader.asker, adapter=None))
    base = untuned.read(MANUALS.queries, solver.finder.find(MANUALS.queries))
    assert [answer.text for answer in base] != [answer.text for answer in answers]

    solver.save(tmp_path)
    finished = library_of(MANUALS, library.folder, HashEncoder(), finished=True)
    loaded = LoraRagSolver.load(tmp_path, replace(context, library=finished, model=open_tiny(tiny_folder)))
    assert loaded.finder.k == solver.finder.k
    assert [answer.text for answer in loaded.solve(MANUALS.queries)] == [answer.text for answer in answers]


def test_the_note_tells_only_what_happened() -> None:
    plain, full = lessons_note(1, 0, 0), lessons_note(3, 4, 5)
    assert plain.en == "Every training row was shown 1 passage found by the search."
    assert plain.zh == "每条训练数据都附上检索到的 1 个段落。"
    assert "gold passage of 4 rows" in full.en
    assert "From 5 rows" in full.en
    assert "有 4 条没有检索到标准段落" in full.zh
    assert "有 5 条特意去掉了标准段落" in full.zh


def test_a_finished_training_is_taken_over(tiny_folder: Path, library: Library, tmp_path: Path) -> None:
    model = open_tiny(tiny_folder)

    def fit(seed_rows: int) -> int:
        context = context_of(MANUALS, tmp_path, model, library)
        steps: list[int] = []
        context.progress = lambda done, total, unit: steps.append(done)
        LoraRag(LoraRagConfig(k=1, constrained=False)).fit(MANUALS.train[:seed_rows], MANUALS.dev, context)
        return len(steps)

    assert fit(50) > 0
    assert fit(50) == 0
    assert fit(52) > 0


def test_work_is_mostly_the_passages_in_training() -> None:
    def work(**config):
        model = ScriptedModel(can_train=True)
        return LoraRag(LoraRagConfig(**config)).workload(MANUALS.task, model, MANUALS.train, 12)

    documents = MANUALS.task.documents
    assert documents is not None
    assert work(k=5).train_tokens - work(k=1).train_tokens > 4 * documents.mean_tokens
    assert work().train_tokens == work(k=1).train_tokens
    assert work(k=3).passes(100) > 1
    assert work(mode="text").encoded_chars == 0


def test_a_passage_that_several_rows_ask_about_is_read_once_for_them() -> None:
    def trained(golds: list[str]) -> float:
        rows = [replace(row, gold=(gold,) if gold else ()) for row, gold in zip(MANUALS.train, golds, strict=False)]
        return LoraRag(LoraRagConfig(k=1)).workload(MANUALS.task, ScriptedModel(can_train=True), rows, 12).train_tokens

    documents = MANUALS.task.documents
    assert documents is not None
    unlike, pairs, alike = ([f"d{i // each}" for i in range(16)] for each in (1, 2, 16))
    assert trained([""] * 16) == trained(unlike)
    assert trained(unlike) - trained(pairs) > 0.5 * 0.8 * documents.mean_tokens
    assert trained(unlike) - trained(alike) > 0.75 * 0.8 * documents.mean_tokens
    assert trained(alike) > 0


def test_time_for_searching_is_time_of_the_training(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Library):
        def search(self, *args, **options):
            time.sleep(0.2)
            return super().search(*args, **options)

    left: list[float | None] = []

    def note(lessons, dev_lessons, rank, context) -> Path:
        left.append(context.seconds_left)
        raise Stop

    monkeypatch.setattr(lora_rag, "train_adapter", note)
    slow = Slow(**{each.name: getattr(library, each.name) for each in fields(library)})
    context = replace(context_of(MANUALS, tmp_path, ScriptedModel(can_train=True), slow), seconds_left=60.0)
    with pytest.raises(Stop):
        LoraRag(LoraRagConfig(k=1, constrained=False)).fit(MANUALS.train, MANUALS.dev, context)
    assert left[0] is not None
    assert left[0] < 60.0 - 0.2


def test_a_repeat_is_trained_on_as_many_passages_as_the_first() -> None:
    assert LoraRag(LoraRagConfig()).settled({"k": 5}).k == 5
    assert LoraRag(LoraRagConfig(k=3)).settled({}).k == 3


@pytest.mark.parametrize(("seconds_left", "k"), [(None, 3), (1e6, 3), (40.0, 1), (0.0, 1)])
def test_no_more_passages_than_the_time_can_train_on(
    seconds_left: float | None,
    k: int,
    tmp_path: Path,
    library: Library,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timed: list[int] = []

    def pace(model: Model, prompts: Sequence[Sequence[object]]) -> float:
        timed.append(len(prompts))
        return 0.01  # seconds per token

    monkeypatch.setattr(lora_rag, "enough_passages", lambda recall_at: 3)
    monkeypatch.setattr(lora_rag, "reading_seconds", pace)
    context = replace(context_of(MANUALS, tmp_path, ScriptedModel(can_train=True), library), seconds_left=seconds_left)
    case = replace(MANUALS, train=MANUALS.train[:15])
    n_shown = [
        max(
            lesson.messages[-1].content.count("\n> ")
            for lesson in lessons_of(LoraRagConfig(), case, context, monkeypatch)[0]
        )
        for _ in range(2)  # killed and taken up again
    ]
    assert n_shown[0] == n_shown[1]
    assert (n_shown[0] > 2) == (k == 3)
    assert len(timed) == (0 if seconds_left is None else 1)
