import json
import os

import pytest

from tuneworth.core.files import sha256_of, write_atomic
from tuneworth.core.provenance import peak_memory_mb, provenance
from tuneworth.core.registry import load_plugin, plugin_modules
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example, Message, Query
from tuneworth.core.text import Text
from tuneworth.errors import InputError, NotEnoughData, Problem, TuneworthError


def test_text_survives_json_inside_a_record():
    arm = ArmResult(
        arm_id="a", strategy="s", model=None, config={}, title=Text(en="head", zh="分类头"), effort=1, state="skipped"
    )
    assert ArmResult.model_validate_json(arm.model_dump_json()) == arm
    assert arm.title.to("zh") == "分类头"


def test_an_error_says_all_problems_in_the_language_asked():
    error = InputError(
        [
            Problem("a.jsonl:3", Text(en="no output", zh="缺少输出")),
            Problem("a.jsonl:9", Text(en="not JSON", zh="不是 JSON")),
        ],
        next_step=Text(en="Fix the rows.", zh="请修正这些行。"),
    )
    assert str(error) == "a.jsonl:3: no output\na.jsonl:9: not JSON\nFix the rows."
    assert error.to("zh") == "a.jsonl:3：缺少输出\na.jsonl:9：不是 JSON\n请修正这些行。"


def test_exit_codes():
    assert TuneworthError.exit_code == 1
    assert InputError.exit_code == NotEnoughData.exit_code == 2


def test_write_atomic_leaves_the_old_file_when_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "new" / "result.json"
    write_atomic(path, "first")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, "second")
    assert path.read_text(encoding="utf-8") == "first"
    assert [file.name for file in path.parent.iterdir()] == ["result.json"]


def test_sha256_of_a_file(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert sha256_of(tmp_path / "f") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_references_start_as_the_output():
    row = Example(Query("1", (Message("user", "hi"),)), "hello")
    assert row.references == ("hello",)
    assert row.id == "1"


def test_query_text_is_all_turns():
    query = Query("1", (Message("system", "be kind"), Message("user", "hi")))
    assert query.text == "be kind\nhi"


def test_an_unknown_plugin_lists_those_there_are():
    assert "accuracy" in plugin_modules("tuneworth.metrics")
    assert "base" not in plugin_modules("tuneworth.metrics")
    with pytest.raises(InputError, match=r"no such plug-in.*accuracy"):
        load_plugin("tuneworth.metrics", "acuracy")


def test_provenance_is_plain_json():
    found = provenance("tuneworth run x", 7, {"m": {"dtype": "float32"}})
    again = json.loads(found.model_dump_json())
    assert again["seed"] == 7
    assert again["machine"]["cores"] == os.cpu_count()
    assert "numpy" in again["libraries"]
    assert 10 < peak_memory_mb() < 100_000
