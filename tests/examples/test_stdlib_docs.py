"""The demo's data: real, of this interpreter, learnable, and without the answer in the text."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

SCRIPT = Path(__file__).parents[2] / "examples" / "stdlib_docs.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("stdlib_docs", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo") / "new"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), str(folder)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return folder, done.stdout


@pytest.fixture(scope="module")
def data(made) -> list[dict[str, str]]:
    return [json.loads(line) for line in (made[0] / "train.jsonl").read_text(encoding="utf-8").splitlines()]


def test_as_many_rows_of_every_kind(made, data):
    kinds = Counter(row["output"] for row in data)
    assert set(kinds) == {"prose", "code"}
    assert len(set(kinds.values())) == 1
    first = Counter(row["output"] for row in data[: len(data) // 3])
    assert min(first.values()) > len(data) // 6 * 0.7  # no kind comes first
    assert len(data) == 900
    assert made[1].startswith(f"{made[0] / 'train.jsonl'}: {len(data)} texts of 2 kinds from Python 3.")
    assert made[1].count("\n") == 1


def test_ids_and_texts_are_unique_and_sources_exist(data):
    assert len({row["id"] for row in data}) == len(data)
    assert len({row["input"].lower() for row in data}) == len(data)
    for row in data[:50]:
        assert row["source"].partition(":")[0].endswith(".py")
        assert row["input"] == " ".join(row["input"].split())
        assert len(row["input"]) <= 120


def test_the_task_file_reads_as_meant(made):
    task = yaml.safe_load((made[0] / "task.yaml").read_text(encoding="utf-8"))
    assert task["name"] == "stdlib-docs"
    assert task["train"] == "train.jsonl"
    assert task["output"] == {"kind": "label"}
    assert task["fields"] == {"input": "input", "output": "output"}


def test_it_is_learnable(data):
    """Words alone give about 0.95, so that no model is needed; a half would be guessing."""
    texts, labels = [row["input"] for row in data], [row["output"] for row in data]
    cut = len(data) * 4 // 5  # the order of the rows is a fixed shuffle
    words = TfidfVectorizer(min_df=2, sublinear_tf=True)
    head = LogisticRegression(C=20, max_iter=300).fit(words.fit_transform(texts[:cut]), labels[:cut])
    assert head.score(words.transform(texts[cut:]), labels[cut:]) > 0.9


def test_the_same_interpreter_gives_the_same_rows(script, data):
    found = list(script.texts(Path(script.sysconfig.get_path("stdlib"))))
    assert script.rows(found) == data


def test_a_text_of_two_kinds_is_left_out(script):
    shared = [script.Found(kind, f"{kind}.py:1", "initialize and reset this") for kind in ("prose", "code")]
    own = [script.Found(kind, f"{kind}.py:9", f"something only this {kind} says") for kind in ("prose", "code")]
    assert len(script.rows([*shared, *own, *own])) == 2


def test_tests_and_foreign_packages_are_not_read(script, tmp_path):
    for name in ("a.py", "test/b.py", "site-packages/c.py", "pkg/tests/d.py", "pkg/__init__.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(
            'def f():\n    """Says\n    what.\n\n    More."""\n    return 1\n\n\nraise SystemExit("imported")\n'
        )
    assert [(found.kind, found.source, found.text) for found in script.texts(tmp_path)] == [
        ("prose", "a.py:2", "Says\nwhat."),
        ("code", "a.py:6", "return 1"),
        ("prose", "pkg/__init__.py:2", "Says\nwhat."),
        ("code", "pkg/__init__.py:6", "return 1"),
    ]
