"""Make a real data set out of the Python that runs this: what does a docstring describe, a module, a class or a function?

    python examples/stdlib_docs.py OUT_DIR
    tuneworth run OUT_DIR/task.yaml

Reads the source files of the standard library (nothing is imported or run), takes the first paragraph of short docstrings,
as many of each kind, and hides the words "module", "class", "function" and "method", so that a text has to be recognised by how
it speaks. Writes OUT_DIR/train.jsonl and OUT_DIR/task.yaml. The rows differ a little from one Python version to the next, and
are the same every time on the same one.
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

MAX_ROWS_PER_KIND = 200  # there are about 190 modules with a docstring of their own
MIN_WORDS = 4
MAX_CHARS = 120
MASK = "___"
TOLD = re.compile(r"\b(?:(?:sub)?modules?|(?:sub)?class(?:es)?|functions?|methods?)\b", re.IGNORECASE)

# Not libraries (tests, tools, samples), written by a generator, or gone from later versions of Python.
SKIPPED = frozenset(
    {"test", "tests", "idle_test", "turtledemo", "idlelib", "pydoc_data", "ensurepip", "venv", "encodings"}
)
SKIPPED |= {"lib2to3", "distutils", "site-packages", "dist-packages", "lib-dynload", "__pycache__", "__phello__"}

INSTRUCTION = "What does this docstring describe: a module, a class or a function? Answer with one word."
TASK = """\
# Made by examples/stdlib_docs.py from the docstrings of Python {version}.
name: stdlib-docs
instruction: {instruction}
train: train.jsonl
fields:
  input: input
  output: output
output:
  kind: label
metric: accuracy
margin: 0.03
# Small, so that everything is measured within the budget on two cores, also when another process holds one of them. Remove
# all three to measure in earnest.
rows: {{train: 96, dev: 48}}
settings: {{fewshot: {{k: [4]}}, lora: {{epochs: [2]}}}}
budget: 150s
"""


@dataclass(frozen=True, slots=True)
class Docstring:
    """The docstring of a module, class or function, and where it stands. ``source`` is ``file:line``."""

    kind: str
    source: str
    text: str


def docstrings(stdlib: Path) -> Iterator[Docstring]:
    """Every docstring of every module, class and function under ``stdlib``, in order of path and line."""
    for path in sorted(_sources(stdlib)):
        yield from _docstrings_of(path, path.relative_to(stdlib).as_posix())


def _sources(stdlib: Path) -> Iterator[Path]:
    for folder, subfolders, files in os.walk(stdlib):
        subfolders[:] = [name for name in subfolders if name not in SKIPPED]  # never walk into site-packages
        yield from (Path(folder, name) for name in files if name.endswith(".py") and name[:-3] not in SKIPPED)


def _docstrings_of(path: Path, relative: str) -> Iterator[Docstring]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old escape sequences in the sources
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        print(f"left out {path}: {error}", file=sys.stderr)
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=True)
            if text:
                kind = (
                    "module"
                    if isinstance(node, ast.Module)
                    else "class"
                    if isinstance(node, ast.ClassDef)
                    else "function"
                )
                yield Docstring(kind, f"{relative}:{node.body[0].lineno}", text)


def shown(text: str) -> str:
    """The first paragraph on one line, without the words that would tell what it describes."""
    first = re.split(r"\n\s*\n", text.strip())[0]
    return TOLD.sub(MASK, " ".join(first.split()))


def rows(found: Sequence[Docstring]) -> list[dict[str, str]]:
    """The data set: short texts, each once, as many of every kind."""
    by_text: dict[str, list[dict[str, str]]] = defaultdict(list)
    for doc in found:
        text = shown(doc.text)
        if len(text) <= MAX_CHARS and len(re.findall(r"[A-Za-z]{2,}", text)) >= MIN_WORDS:
            by_text[text.lower()].append({"input": text, "output": doc.kind, "source": doc.source})
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
    parser = argparse.ArgumentParser(description="Write docstrings of the standard library as a data set.")
    parser.add_argument("out_dir", type=Path, help="folder for train.jsonl and task.yaml")
    folder: Path = parser.parse_args().out_dir
    data = rows(list(docstrings(Path(sysconfig.get_path("stdlib")))))
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in data)
    (folder / "train.jsonl").write_text(lines, encoding="utf-8", newline="\n")
    version = ".".join(map(str, sys.version_info[:3]))
    task = TASK.format(version=version, instruction=json.dumps(INSTRUCTION))
    (folder / "task.yaml").write_text(task, encoding="utf-8", newline="\n")
    n_kinds = len({row["output"] for row in data})
    print(f"{folder / 'train.jsonl'}: {len(data)} docstrings of {n_kinds} kinds from Python {version}")


if __name__ == "__main__":
    main()
