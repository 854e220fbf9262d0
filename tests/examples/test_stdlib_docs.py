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


def test_thousands_of_rows_of_twenty_packages(made, data):
    packages = Counter(row["output"] for row in data)
    assert len(packages) == 20
    assert len(data) >= 2000
    assert 50 <= min(packages.values()) <= max(packages.values()) <= 250
    assert {"asyncio", "email", "logging", "xml", "decimal"} <= packages.keys()
    assert made[1].startswith(f"{made[0] / 'train.jsonl'}: {len(data)} docstrings of 20 packages of Python 3.")
    assert made[1].count("\n") == 1


def test_ids_and_texts_are_unique_and_sources_exist(data):
    assert len({row["id"] for row in data}) == len(data)
    assert len({" ".join(row["input"].lower().split()) for row in data}) == len(data)
    for row in data[:50]:
        assert row["source"].partition(":")[0].endswith(".py")
        assert row["input"] == row["input"].strip()
        assert len(row["input"]) <= 300


def test_no_text_has_the_name_of_its_package(data):
    long_names = [row for row in data if len(row["output"]) > 3]
    assert [row for row in long_names if row["output"] in row["input"].lower()] == []
    assert [row for row in data if row["output"] in row["input"].lower().replace("-", " ").split()] == []


def test_the_task_file_reads_as_meant(made):
    task = yaml.safe_load((made[0] / "task.yaml").read_text(encoding="utf-8"))
    assert task["name"] == "stdlib-docs"
    assert task["train"] == "train.jsonl"
    assert task["output"] == {"kind": "label"}
    assert task["fields"] == {"input": "input", "output": "output"}


def test_it_is_learnable_but_not_given_away(data):
    """A leak of the name would show as nearly perfect accuracy of a bag of words (it is about 0.78)."""
    texts, labels = [row["input"] for row in data], [row["output"] for row in data]
    cut = len(data) * 4 // 5  # the order of the rows is a fixed shuffle
    words = TfidfVectorizer(min_df=2, sublinear_tf=True)
    head = LogisticRegression(C=20, max_iter=300).fit(words.fit_transform(texts[:cut]), labels[:cut])
    assert 0.65 < head.score(words.transform(texts[cut:]), labels[cut:]) < 0.92


def test_the_same_interpreter_gives_the_same_rows(script, data):
    found = list(script.docstrings(Path(script.sysconfig.get_path("stdlib"))))
    assert script.rows(found) == data


@pytest.mark.parametrize(
    ("text", "module", "expected"),
    [
        ("Parse an email.", "email.parser", "Parse an ___."),
        ("emails and EMAIL", "email", "___ and ___"),
        ("email.message.Message is a message", "email.message", "___ is a ___"),
        ("RawTurtle draws", "turtle", "___ draws"),
        ("an HTTPServer, a BaseHTTPServer", "http.server", "an ___, a ___"),
        (">>> import json\n>>> json.loads", "json.decoder", ">>> import ___\n>>> ___.loads"),
        ("XMLReader for xml, not axmlb", "xml.sax", "___Reader for ___, not axmlb"),
        ("io and IOBase, not version or ratio", "io", "___ and ___Base, not version or ratio"),
        ("dictConfig and configs configure it", "logging.config", "dict___ and ___ configure it"),
        ("_pydecimal and Decimal", "decimal", "____ and ___"),
    ],
)
def test_masking(script, text, module, expected):
    assert script.masked(text, module) == expected


def test_shortening_keeps_whole_paragraphs(script):
    assert script.shortened("One.\n\nTwo.\n  ") == "One.\n\nTwo."
    assert script.shortened("One.\n\n" + "word " * 100) == "One."
    long = script.shortened("word " * 100)
    assert len(long) <= 300
    assert long.endswith("word")


def test_a_text_of_two_packages_is_left_out(script):
    shared = [script.Docstring(p, p, f"{p}.py:1", "Initialize and reset this instance") for p in ("alpha", "beta")]
    own = [script.Docstring("alpha", "alpha", "alpha.py:9", "Something only this package says")] * 2
    assert [row["input"] for row in script.rows([*shared, *own])] == ["Something only this package says"]


def test_tests_and_foreign_packages_are_not_read(script, tmp_path):
    for name in ("a.py", "test/b.py", "site-packages/c.py", "pkg/tests/d.py", "pkg/__init__.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text('"""A docstring."""\nraise SystemExit("imported")\n')
    assert [(d.package, d.source) for d in script.docstrings(tmp_path)] == [
        ("a", "a.py:1"),
        ("pkg", "pkg/__init__.py:1"),
    ]
