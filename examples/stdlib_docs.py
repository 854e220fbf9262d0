"""Make a real data set out of the Python that runs this: is a text prose for people, or code?

    python examples/stdlib_docs.py OUT_DIR
    tuneworth run OUT_DIR/task.yaml

Whoever feeds files to a search or a model has to tell the two apart. Reads the source files of the standard library (nothing is
imported or run) and takes short texts, as many of each kind: the first paragraphs of docstrings, and statements. Writes
OUT_DIR/train.jsonl and OUT_DIR/task.yaml. The rows differ a little from one Python version to the next, and are the same every
time on the same one.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import re
import sys
import sysconfig
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_ROWS_PER_KIND = 450
MIN_WORDS = 4
MAX_CHARS = 120

# Not libraries (tests, tools, samples), written by a generator, or gone from later versions of Python.
SKIPPED = frozenset(
    {"test", "tests", "idle_test", "turtledemo", "idlelib", "pydoc_data", "ensurepip", "venv", "encodings"}
)
SKIPPED |= {"lib2to3", "distutils", "site-packages", "dist-packages", "lib-dynload", "__pycache__", "__phello__"}

INSTRUCTION = "Is this prose for people, or code? Answer with one word."
TASK = """\
# Made by examples/stdlib_docs.py from the standard library of Python {version}.
name: stdlib-docs
instruction: {instruction}
train: train.jsonl
fields:
  input: input
  output: output
output:
  kind: label
metric: accuracy
margin: 0.05
# Small, so that everything is measured within the budget on two cores, also when another process holds one of them. Remove
# all three to measure in earnest.
rows: {{train: 96, dev: 48, test: 200}}
settings: {{fewshot: {{k: [4]}}, lora: {{epochs: [2]}}}}
budget: 150s
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A text and what it is, ``prose`` or ``code``; ``source`` is ``file:line``."""

    kind: str
    source: str
    text: str


def texts(stdlib: Path) -> Iterator[Found]:
    """Every docstring and every simple statement of every function under ``stdlib``, in order of path and line."""
    for path in sorted(_sources(stdlib)):
        yield from _texts_of(path, path.relative_to(stdlib).as_posix())


def _sources(stdlib: Path) -> Iterator[Path]:
    for folder, subfolders, files in os.walk(stdlib):
        subfolders[:] = [name for name in subfolders if name not in SKIPPED]  # never walk into site-packages
        yield from (Path(folder, name) for name in files if name.endswith(".py") and name[:-3] not in SKIPPED)


def _texts_of(path: Path, relative: str) -> Iterator[Found]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old escape sequences in the sources
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        print(f"left out {path}: {error}", file=sys.stderr)
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if text := ast.get_docstring(node, clean=True):
                yield Found("prose", f"{relative}:{node.body[0].lineno}", re.split(r"\n\s*\n", text.strip())[0])
            for statement in node.body:
                if isinstance(statement, ast.Assign | ast.Return | ast.Raise | ast.AugAssign):
                    yield Found("code", f"{relative}:{statement.lineno}", ast.unparse(statement))


def rows(found: Sequence[Found]) -> list[dict[str, str]]:
    """The data set: short texts, each once, as many of every kind."""
    by_text: dict[str, list[dict[str, str]]] = defaultdict(list)
    for one in found:
        text = " ".join(one.text.split())
        if len(text) <= MAX_CHARS and len(re.findall(r"[A-Za-z]{2,}", text)) >= MIN_WORDS:
            by_text[text.lower()].append({"input": text, "output": one.kind, "source": one.source})
    by_kind: dict[str, list[dict[str, str]]] = defaultdict(list)
    for same in by_text.values():
        if len({row["output"] for row in same}) == 1:  # a text of two kinds has no one answer
            by_kind[same[0]["output"]].append(same[0])
    n = min([MAX_ROWS_PER_KIND, *map(len, by_kind.values())])
    chosen = [row for kind in by_kind.values() for row in sorted(kind, key=_shuffle_key)[:n]]
    return [
        {"id": f"doc-{i:04d}", **row} for i, row in enumerate(sorted(chosen, key=lambda row: _shuffle_key(row)[::-1]))
    ]


def _shuffle_key(row: dict[str, str]) -> str:
    """An order without pattern that is the same everywhere. Read backwards it is another one: of a kind with many rows the
    first by this order are taken, so by this order they would all come first."""
    return hashlib.sha256(f"{row['output']} {row['input']}".encode()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description="Write texts of the standard library as a data set.")
    parser.add_argument("out_dir", type=Path, help="folder for train.jsonl and task.yaml")
    folder: Path = parser.parse_args().out_dir
    data = rows(list(texts(Path(sysconfig.get_path("stdlib")))))
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in data)
    (folder / "train.jsonl").write_text(lines, encoding="utf-8", newline="\n")
    version = ".".join(map(str, sys.version_info[:3]))
    task = TASK.format(version=version, instruction=json.dumps(INSTRUCTION))
    (folder / "task.yaml").write_text(task, encoding="utf-8", newline="\n")
    n_kinds = len({row["output"] for row in data})
    print(f"{folder / 'train.jsonl'}: {len(data)} texts of {n_kinds} kinds from Python {version}")


if __name__ == "__main__":
    main()
