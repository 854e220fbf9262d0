"""Documents of a task: loaded, cut, indexed in the run's folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from embedding_server import Answer, embedding_server, vectors_of
from rows_made import label_rows, write_rows
from tuneworth.core.task import Example, Message, Query
from tuneworth.data.sections import Documents
from tuneworth.data.taskfile import task_file_for
from tuneworth.errors import EnvironmentProblem, InputError
from tuneworth.models import catalog
from tuneworth.models.api.embeddings import ApiEncoder
from tuneworth.models.scripted import ScriptedModel
from tuneworth.race.folder import RunFolder
from tuneworth.race.library import build_index, index_documents, make_index, open_shelf
from tuneworth.race.prepare import ready
from tuneworth.race.store import Store
from tuneworth.race.watch import Silent
from tuneworth.retrieval import refresh
from tuneworth.testing.cases import HashEncoder


def row(gold: str, output: str) -> Example:
    return Example(Query(f"r-{gold}", (Message("user", f"about {gold}?"),)), output, gold=(gold,))


def docs(folder: Path) -> Path:
    place = folder / "docs"
    place.mkdir()
    (place / "pump.md").write_text(
        "# Pump\n\nThe pump holds three litres.\n\n## Care\n\nOil it in May.", encoding="utf-8"
    )
    (place / "copy.md").write_text(
        "# Pump\n\nThe pump holds three litres.\n\n## Care\n\nOil it in May.", encoding="utf-8"
    )
    (place / "filter.md").write_text("# Filter\n\nThe filter lasts six weeks.", encoding="utf-8")
    (place / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    return place


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return docs(tmp_path)


def test_the_task_knows_its_documents(place: Path) -> None:
    shelf = open_shelf(Documents(source=str(place)), "en", [ScriptedModel()])
    known = shelf.collection([row("pump.md", "not in the documents")])
    assert (known.n_documents, known.n_passages) == (2, 3)
    assert known.unanswerable
    assert shelf.collection([row("pump.md", "Not in the documents.")]).unanswerable
    assert not shelf.collection([row("pump.md", "in May")]).unanswerable
    assert known.encoder == "minilm"
    assert 3 < known.mean_tokens < 30
    other = open_shelf(Documents(source=str(place), passage_tokens=100), "en", [ScriptedModel()])
    assert other.collection([]).digest != known.digest
    assert open_shelf(Documents(source=str(place)), "zh", []).encoder == "multilingual-e5-small"


def test_what_cannot_be_read_or_found_is_said(place: Path) -> None:
    shelf = open_shelf(Documents(source=str(place)), "en", [])
    [unread, unknown] = shelf.warnings([row("pump.md", "x"), row("copy.md", "x"), row("nowhere", "x")])
    assert "broken.pdf" in unread.en
    assert "broken.pdf" in unread.zh
    assert "1 rows name documents that are not there" in unknown.en
    assert "nowhere" in unknown.zh
    with pytest.raises(InputError, match="no such file or folder"):
        open_shelf(Documents(source=str(place / "nowhere")), "en", [])


def test_a_threshold_that_nothing_can_be_held_against_is_said(place: Path) -> None:
    section = Documents(source=str(place), min_similarity=0.5)
    without = open_shelf(section, "zh", [])
    assert any(
        "min_similarity 0.5 has no effect" in text.en for text in replace(without, own_encoder=None).warnings([])
    )
    assert not any("min_similarity" in text.en for text in open_shelf(section, "en", []).warnings([]))


def test_documents_are_embedded_by_a_service_and_what_it_has_embedded_is_paid_once(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "ROWS_PER_WRITE", 1)
    monkeypatch.setattr(ApiEncoder, "patience_seconds", 0.01)
    sent: list[dict[str, Any]] = []
    shelf = open_shelf(Documents(source=str(place), encoder="openai/bge-m3"), "zh", [])

    def full_after_one(request: dict[str, Any]) -> Answer:
        return vectors_of(request) if len(sent) <= 2 else (429, {"error": {"message": "quota"}})

    with embedding_server(sent, full_after_one) as address:
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        with pytest.raises(EnvironmentProblem, match="What was embedded is kept"):
            shelf.library(tmp_path, HashEncoder, Silent()).index()
    [_, first, *_] = [request["input"] for request in sent]  # before it, the sentence by which the model is known again
    sent.clear()
    with embedding_server(sent) as other:
        monkeypatch.setenv("OPENAI_BASE_URL", other)
        library = shelf.library(tmp_path, HashEncoder, Silent())
        assert library.search(["how long does the filter last"], 1)[0][0].passage.document_id == "filter.md"
    assert len(first) == 1
    assert [text for request in sent for text in request["input"]].count(first[0]) == 0


def test_a_service_of_the_task_file_embeds_and_is_kept_for_questions_after_the_run(place: Path, tmp_path: Path) -> None:
    sent: list[dict[str, Any]] = []
    with embedding_server(sent) as address:
        services = {"corp": {"address": address, "key_variable": ["CORP_KEY"], "embeds": 1}}
        task_file = task_file_for(
            write_rows(tmp_path / "rows.jsonl", label_rows(20)),
            documents={"source": str(place), "encoder": "corp/bge-m3"},
            strategies=["majority"],
            services=services,
            max_calls=100,
        )
        known = ready(task_file, Silent()).task.documents
        [indexed] = index_documents(task_file, RunFolder(tmp_path / "run"), Silent()).indexes
        assert indexed.encoder == "corp/bge-m3"
        assert sent
        assert {len(request["input"]) for request in sent} == {1}, "`embeds` of the task file holds"
        assert known is not None
        assert not known.encoder_elsewhere
        assert known.encoder_service == services
        assert catalog.open_encoder("corp/bge-m3", services=known.encoder_service).encode(["a"]).shape[0] == 1


def test_a_private_task_embeds_by_no_service_of_its_file_that_is_elsewhere(place: Path, tmp_path: Path) -> None:
    task_file = task_file_for(
        write_rows(tmp_path / "rows.jsonl", label_rows(20)),
        documents={"source": str(place), "encoder": "corp/bge-m3"},
        strategies=["majority"],
        services={"corp": {"address": "https://corp.invalid/v1", "key_variable": []}},
        limits={"private": True},
        max_calls=100,
    )
    with pytest.raises(InputError, match="corp/bge-m3: the task is private"):
        ready(task_file, Silent())


def test_it_is_said_that_texts_leave_the_machine(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "k")
    shelf = open_shelf(Documents(source=str(place), encoder="dashscope/text-embedding-v4"), "zh", [])
    assert shelf.collection([]).encoder_elsewhere
    assert any("are sent to dashscope/text-embedding-v4" in text.en for text in shelf.warnings([]))
    here = open_shelf(Documents(source=str(place), encoder="ollama/bge-m3"), "zh", [])
    assert not here.collection([]).encoder_elsewhere
    assert not any("sent to" in text.en for text in here.warnings([]))


def test_gold_of_a_duplicate_is_that_of_the_one_kept(place: Path, tmp_path: Path) -> None:
    library = open_shelf(Documents(source=str(place)), "en", []).library(tmp_path, HashEncoder, Silent())
    rows = [row("copy.md", "in May"), row("pump.md", "in May")]
    assert [[passage.text for passage in library.gold(each)] for each in rows] == [["Oil it in May."]] * 2
    library.know("text", rows[:1])
    assert library.gold_of("r-copy.md") == library.gold(rows[0])
    assert library.gold_of("unheard of") == ()


def test_an_update_is_measured_by_adding_what_is_new(place: Path, tmp_path: Path) -> None:
    library = open_shelf(Documents(source=str(place)), "en", []).library(tmp_path, HashEncoder, Silent())
    facts = build_index(library, lambda passage: passage.document_id == "filter.md")
    assert (facts.n_documents, facts.n_passages, facts.update_passages) == (2, 3, 1)
    assert facts.update_seconds is not None
    assert 0 < facts.update_seconds < facts.seconds
    assert library.refreshes[240].added == 1
    assert library.search(["how long does the filter last"], 1)[0][0].passage.document_id == "filter.md"


def test_a_run_that_goes_on_tells_what_the_first_start_paid(place: Path, tmp_path: Path) -> None:
    shelf = open_shelf(Documents(source=str(place)), "en", [])
    with Store(tmp_path / "store.sqlite") as store:
        digest = shelf.collection([]).digest
        first = make_index(shelf.library(tmp_path, HashEncoder, Silent()), digest, store, Silent())
        library = shelf.library(tmp_path, HashEncoder, Silent())
        assert make_index(library, digest, store, Silent()) == first
        assert library.refreshes[240].embedded == 0
        assert make_index(library, "other documents", store, Silent()) != first


def test_an_index_that_was_there_already_is_not_timed(place: Path, tmp_path: Path) -> None:
    shelf = open_shelf(Documents(source=str(place)), "en", [])
    assert build_index(shelf.library(tmp_path, HashEncoder, Silent())).seconds is not None
    assert build_index(shelf.library(tmp_path, HashEncoder, Silent())).seconds is None
