"""What a task file says about documents, and what rows say about them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from tuneworth.core.task import Message
from tuneworth.data.drafts import Draft, Extras
from tuneworth.data.load import load
from tuneworth.data.taskfile import TaskFile, load_task_file, task_file_for, with_options
from tuneworth.errors import InputError
from tuneworth.race.folder import folder_for, settings_digest


def written(folder: Path, documents: str, more: str = "") -> TaskFile:
    rows = [
        {
            "input": f"Which part is number {n}?",
            "output": f"part {n}",
            "doc_id": f"d{n}",
            "doc_set": "old",
            "date": "2024-05-01",
        }
        for n in range(24)
    ]
    folder.mkdir(exist_ok=True)
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    path = folder / "task.yaml"
    path.write_text(f"train: rows.jsonl\n{documents}\n{more}\n", encoding="utf-8")
    return load_task_file(path)


@pytest.mark.parametrize(
    ("said", "sources"),
    [
        ("documents: docs", ["docs"]),
        ("documents: [docs, 说明 书.pdf]", ["docs", "说明 书.pdf"]),
        ("documents: {source: docs, passage_tokens: 120}", ["docs"]),
        ("documents:\n  source: [docs/*.md, hf://a/b]", ["docs/*.md", "hf://a/b"]),
    ],
)
def test_documents_may_be_a_path_a_list_or_a_section(tmp_path: Path, said: str, sources: list[str]) -> None:
    section = written(tmp_path, said).documents
    assert section is not None
    assert section.sources == [name if name.startswith("hf://") else str(tmp_path / name) for name in sources]


def test_everything_wrong_in_the_section_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        written(
            tmp_path,
            "documents:\n  source: docs\n  passage_tokens: 3\n  encodr: x\n  min_similarity: 2\nupdates:\n  knowledge_every_days: 0",
        )
    shown = [str(problem) for problem in caught.value.problems]
    assert len(shown) == 4
    for place in ("task.yaml:4 documents.passage_tokens", "task.yaml:5 documents.encodr", "task.yaml:6", "task.yaml:8"):
        assert any(place in line for line in shown), (place, shown)
    assert any("did you mean `encoder`" in line for line in shown)


def test_an_option_names_other_documents_and_keeps_the_rest(tmp_path: Path) -> None:
    task_file = with_options(
        written(tmp_path, "documents: {source: docs, passage_tokens: 99}"), documents={"source": str(tmp_path / "b")}
    )
    assert task_file.documents is not None
    assert (task_file.documents.sources, task_file.documents.passage_tokens) == ([str(tmp_path / "b")], 99)
    assert with_options(written(tmp_path, ""), documents=None).documents is None


def test_rows_say_where_the_answer_is_only_where_there_are_documents(tmp_path: Path) -> None:
    with_them = load(written(tmp_path, "documents: docs")).examples[3]
    assert (with_them.gold, with_them.doc_set, with_them.changed) == (("d3",), "old", date(2024, 5, 1))
    without = load(written(tmp_path, ""))
    assert without.examples[3].gold == ()
    assert any("not used: doc_id" in said.en for said in without.inferred)


@pytest.mark.parametrize(("gold", "read"), [(17, ("17",)), ([17, "a"], ("17", "a")), ({"id": 1}, ()), (None, ())])
def test_a_gold_id_may_be_a_number(gold: object, read: tuple[str, ...]) -> None:
    extras = Extras().about_documents(["doc_id"])
    assert extras.add_to(Draft((Message("user", "a"),), "b"), {"doc_id": gold}).gold == read


def test_the_field_of_the_gold_ids_can_be_named(tmp_path: Path) -> None:
    row = load(written(tmp_path, "documents: docs", "fields: {input: input, output: output, gold: doc_set}")).examples[
        0
    ]
    assert row.gold == ("old",)
    with pytest.raises(InputError, match="no row has this field"):
        load(written(tmp_path, "documents: docs", "fields: {input: input, output: output, gold: nope}"))


def test_changed_documents_are_another_result_in_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("one", encoding="utf-8")
    task_file = written(tmp_path, "documents: docs")
    before = settings_digest(task_file), folder_for(tmp_path, task_file)
    (tmp_path / "docs" / "a.md").write_text("two", encoding="utf-8")
    after = settings_digest(task_file), folder_for(tmp_path, task_file)
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_a_task_without_documents_has_the_digest_it_always_had(tmp_path: Path) -> None:
    task_file = task_file_for(written(tmp_path, "").train)
    assert settings_digest(task_file) == settings_digest(task_file, documents=False)
