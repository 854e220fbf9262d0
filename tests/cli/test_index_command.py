"""``tuneworth index``: what changed is written, the rest stays, and an interruption loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from asking_made import call, engine, write_task

from tuneworth.core.documents import Passage
from tuneworth.data.taskfile import load_task_file
from tuneworth.pipeline import run
from tuneworth.race.folder import folder_for
from tuneworth.race.watch import Silent
from tuneworth.retrieval.index import open_index
from tuneworth.testing.cases import DOCUMENT_CASES, HashEncoder

MANUALS, RETURNS = DOCUMENT_CASES


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_task(tmp_path, MANUALS)


def indexed(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict:
    """What the command says as JSON."""
    with engine():
        said = call(capsys, ["index", *arguments, "--json"])
    assert said.code == 0, said.err
    return json.loads(said.out)


def counts(told: dict) -> list[tuple[int, int, int, int]]:
    return [tuple(each[name] for name in ("added", "changed", "removed", "unchanged")) for each in told["indexes"]]


def test_it_lies_where_a_run_looks_for_it(task, capsys):
    told = indexed(capsys, "task.yaml")
    folder = folder_for(Path("runs"), load_task_file(task))
    assert Path(told["folder"]) == folder.path / "index"
    assert counts(told) == [(96, 0, 0, 0)]
    assert told["indexes"][0]["encoder"] == HashEncoder.id
    with engine():
        assert run(load_task_file(task), folder, Silent()) is not None
    assert counts(indexed(capsys, "task.yaml"))[0] == (0, 0, 0, 96)


def test_ask_says_that_the_documents_changed_since_the_scores(task, tmp_path, capsys):
    folder, question = folder_for(Path("runs"), load_task_file(task)).path, "How heavy is the Borvik lamp?"
    with engine():
        assert run(load_task_file(task), folder_for(Path("runs"), load_task_file(task)), Silent()) is not None
        assert "refreshed after this run" not in call(capsys, ["ask", folder, question]).err
    indexed(capsys, "task.yaml")
    with engine():
        assert "refreshed after this run" not in call(capsys, ["ask", folder, question]).err
    (tmp_path / "docs" / "new.md").write_text("# New\n\nA page about the Zolta tram.", encoding="utf-8")
    indexed(capsys, "task.yaml")
    with engine():
        assert "refreshed after this run" in call(capsys, ["ask", folder, question]).err
        assert "运行之后索引更新过" in call(capsys, ["ask", folder, question], lang="zh").err


def test_only_what_changed_is_written(task, tmp_path, capsys):
    indexed(capsys, "task.yaml")
    (tmp_path / "docs" / "borvik-lamp.md").write_text(
        "# Borvik lamp\n\n## Weight\n\nIt weighs nothing at all.", encoding="utf-8"
    )
    (tmp_path / "docs" / "oskarine-lamp.md").unlink()
    (tmp_path / "docs" / "new.md").write_text("# New\n\nA page about the Zolta tram.", encoding="utf-8")
    told = indexed(capsys, "task.yaml")
    assert told["n_documents"] == 32
    assert counts(told) == [(1, 1, 5, 90)]
    assert told["indexes"][0]["embedded"] == 2
    found = open_index(Path(told["folder"]) / "48", HashEncoder()).search(["Zolta tram"], 1)[0][0].passage
    assert found.document_id == "new.md"


def test_indexes_that_other_arms_use_are_not_left_behind(task, tmp_path, capsys):
    """An arm with passages of another size would answer from the old documents."""
    told = indexed(capsys, "task.yaml")
    other = Path(told["folder"]) / "24"
    other.mkdir()
    (Path(told["folder"]) / "notes").mkdir()
    told = indexed(capsys, "task.yaml")
    assert [each["passage_tokens"] for each in told["indexes"]] == [48, 24]
    (tmp_path / "docs" / "new.md").write_text("# New\n\nA page about the Zolta tram.", encoding="utf-8")
    assert [each["added"] for each in indexed(capsys, "task.yaml")["indexes"]] == [1, 1]
    assert open_index(other, HashEncoder()).search(["Zolta tram"], 1)[0][0].passage.document_id == "new.md"


def test_options_say_which_documents_and_where(task, tmp_path, capsys):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "名字 1.md").write_text("# 一\n\nA page about the Zolta tram.", encoding="utf-8")
    told = indexed(capsys, "rows.jsonl", "--documents", "more", "--out", "elsewhere")
    assert (told["folder"], told["n_documents"]) == (str(Path("elsewhere") / "index"), 1)
    assert (tmp_path / "elsewhere" / "index" / "240" / "index.json").is_file()


def test_what_could_not_be_read_is_listed_and_the_rest_goes_on(task, tmp_path, capsys):
    (tmp_path / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    (tmp_path / "docs" / "copy.md").write_bytes((tmp_path / "docs" / "borvik-radio.md").read_bytes())
    for number in range(25):
        (tmp_path / "docs" / f"empty {number:02}.md").touch()
    with engine():
        said = call(capsys, ["index", "task.yaml"])
        chinese = call(capsys, ["index", "task.yaml"], lang="zh")
    assert (said.code, chinese.code) == (0, 0)
    assert "96 passages of up to 48 tokens: 96 added, 0 changed, 0 removed, 0 unchanged" in said.out
    assert "Could not be read, or only in part (26):" in said.out
    assert "broken.pdf" in said.out
    assert "… and 6 more" in said.out
    assert "has the same content as" in " ".join(said.out.split())
    assert "无法读取，或只读出一部分（26 处）：" in chinese.out
    assert "未变 96" in chinese.out
    assert len(indexed(capsys, "task.yaml")["problems"]) == 26


def test_an_index_of_another_embedding_model_is_rebuilt_and_it_is_said(task, capsys, monkeypatch):
    indexed(capsys, "task.yaml")
    with engine():
        monkeypatch.setattr(HashEncoder, "dimension", 32)
        monkeypatch.setattr(HashEncoder, "id", "hash-32")
        said = call(capsys, ["index", "task.yaml"])
        assert "hash-32" in said.err
        again = call(capsys, ["index", "task.yaml", "--json"])
    [done] = json.loads(again.out)["indexes"]
    assert (done["unchanged"], done["rebuilt_because"]) == (96, None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rows.jsonl"], ["names no documents", "--documents"]),
        (["rows.jsonl", "--documents", "nowhere"], ["nowhere", "no such file or folder"]),
        (["rows.jsonl", "--documents", "hollow"], ["hollow", "no documents that can be read"]),
        (["missing.yaml"], ["missing.yaml"]),
        (["task.yaml", "--out", "task.yaml/run"], ["--out"]),
    ],
)
def test_what_cannot_be_indexed(task, tmp_path, capsys, arguments, words):
    (tmp_path / "hollow").mkdir()
    with engine():
        said = call(capsys, ["index", *arguments])
        chinese = call(capsys, ["index", *arguments], lang="zh")
    assert (said.code, chinese.code, said.out) == (2, 2, "")
    assert [word for word in words if word not in said.err] == []
    assert "错误：" in chinese.err
    assert not (tmp_path / "runs").exists()


SLOW_WRITES = """
import sys, time
from tuneworth.retrieval import refresh
write = refresh.to_table
def slowly(batch, vectors, schema):
    table = write(batch, vectors, schema)
    print("writing", flush=True)
    time.sleep(60)
    return table
refresh.to_table = slowly
sys.argv = ["tuneworth", "index", "task.yaml"]
from tuneworth.cli.main import main
main()
"""


def test_ctrl_c_leaves_the_old_index_and_says_how_to_go_on(tmp_path, tuneworth):
    """In a process of its own."""
    task = json.loads(write_task(tmp_path, RETURNS).read_text(encoding="utf-8"))
    (tmp_path / "task.yaml").write_text(
        json.dumps({**task, "strategies": ["majority"], "models": ["smollm2-135m"]}), encoding="utf-8"
    )
    first = json.loads(tuneworth("index", "task.yaml", "--json").stdout)
    [before] = first["indexes"]
    assert (before["added"], before["encoder"]) == (32, "multilingual-e5-small")
    (tmp_path / "docs" / "new.md").write_text("# 新\n\n蓝莓电车每天六点发车。", encoding="utf-8")

    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a suite in the background ignores Ctrl-C, and so would this
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_WRITES],
        cwd=tmp_path,
        env={**os.environ, "TUNEWORTH_LANG": "en"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "To go on: tuneworth index task.yaml" in said
    assert "Traceback" not in said

    place = Path(first["folder"]) / "48"
    assert documents_of(tmp_path / place, "蓝莓电车") != ["new.md"]
    done = tuneworth("index", "task.yaml", "--json")
    assert [each["added"] for each in json.loads(done.stdout)["indexes"]] == [1], done.stderr
    assert documents_of(tmp_path / place, "蓝莓电车") == ["new.md"]


def documents_of(place: Path, query: str) -> list[str]:
    found: list[Passage] = [hit.passage for hit in open_index(place, None).search([query], 1)[0]]
    return [passage.document_id for passage in found]
