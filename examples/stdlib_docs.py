"""Make a real data set out of the Python that runs this: which package does a docstring belong to?

    python examples/stdlib_docs.py OUT_DIR
    tuneworth run OUT_DIR/task.yaml

Reads the source files of the standard library (nothing is imported or run), takes the docstrings of
the 20 packages that have most of them, and hides the package's own name, so that a docstring has to
be recognised by what it says. Writes OUT_DIR/train.jsonl and OUT_DIR/task.yaml. The rows differ a
little from one Python version to the next, and are the same every time on the same one.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import inspect
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

N_PACKAGES = 20
MAX_ROWS_PER_PACKAGE = 250  # the largest package has three times that
MIN_WORDS = 4
MAX_CHARS = 300
MASK = "___"

# Not libraries (tests, tools, samples), or gone from later versions of Python.
SKIPPED = frozenset({"test", "tests", "idle_test", "turtledemo", "idlelib", "pydoc_data", "ensurepip", "venv"})
SKIPPED |= {"lib2to3", "distutils", "site-packages", "dist-packages", "lib-dynload", "__pycache__", "__phello__"}
# Pure-Python twins of C modules belong to the package that they implement.
ALIASES = {"_pydecimal": "decimal", "_pydatetime": "datetime", "_pyio": "io", "_collections_abc": "collections"}

INSTRUCTION = "Which package of the Python standard library does this docstring belong to? Answer with its name only."
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
# Small enough that a training sees every row within the budget on two cores. Remove both to measure in earnest.
rows: {{train: 400, dev: 100}}
budget: 4m
"""


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring and where it stands. ``module`` is dotted; ``source`` is ``file:line``."""

    package: str
    module: str
    source: str
    text: str


def docstrings(stdlib: Path) -> Iterator[Docstring]:
    """Every docstring of every module, class and function under ``stdlib``, in order of path and line."""
    for path in sorted(_sources(stdlib)):
        yield from _docstrings_of(path, path.relative_to(stdlib))


def _sources(stdlib: Path) -> Iterator[Path]:
    for folder, subfolders, files in os.walk(stdlib):
        subfolders[:] = [name for name in subfolders if name not in SKIPPED]  # never walk into site-packages
        yield from (Path(folder, name) for name in files if name.endswith(".py") and name[:-3] not in SKIPPED)


def _docstrings_of(path: Path, relative: Path) -> Iterator[Docstring]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old escape sequences in the sources
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        print(f"left out {path}: {error}", file=sys.stderr)
        return
    parts = [part for part in relative.with_suffix("").parts if part != "__init__"]
    package = ALIASES.get(parts[0], parts[0])
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=True)
            if text:
                line = node.body[0].lineno
                yield Docstring(package, ".".join([package, *parts[1:]]), f"{relative.as_posix()}:{line}", text)


def masked(text: str, module: str) -> str:
    """``text`` without the names of its package and module, however they are written.

    The package's name, if long, takes every word with it in which its letters occur (``emails``,
    ``RawTurtle``). The names of submodules are often plain
    words, and short ones occur by chance: these go only where they are a word or a part of an
    identifier (``xml`` in ``XMLReader``, ``config`` in ``dictConfig`` but not in ``configure``).
    """
    package, *submodules = (part.strip("_") for part in module.split("."))
    text = _long(package).sub(MASK, text) if len(package) > 3 else _part(package).sub(MASK, text)
    for name in sorted(set(submodules)):
        text = _part(name).sub(MASK, text)
    return re.sub(rf"{MASK}(?:\.?{MASK})+", MASK, text)


def _long(name: str) -> re.Pattern[str]:
    return re.compile(rf"[a-z]*{re.escape(name)}[a-z]*", re.IGNORECASE)


def _part(name: str) -> re.Pattern[str]:
    word = rf"(?<![A-Za-z])(?i:{re.escape(name)})s?(?![a-z])"
    inside = rf"(?<=[a-z])(?:{re.escape(name.upper())}|{re.escape(name.capitalize())})s?(?![a-z])"
    return re.compile(f"{word}|{inside}")


def shortened(text: str) -> str:
    """The first paragraphs, at most ``MAX_CHARS`` characters, cut between words."""
    first, *others = (inspect.cleandoc(paragraph).rstrip() for paragraph in re.split(r"\n\s*\n", text.strip()))
    kept = first if len(first) <= MAX_CHARS else first[:MAX_CHARS].rsplit(None, 1)[0]
    for paragraph in others:
        if len(kept) + 2 + len(paragraph) > MAX_CHARS:
            break
        kept = f"{kept}\n\n{paragraph}"
    return kept


def rows(found: Sequence[Docstring]) -> list[dict[str, str]]:
    """The data set: usable texts of the largest packages, each text once, at most so many a package."""
    by_text: dict[str, list[dict[str, str]]] = defaultdict(list)
    for doc in found:
        text = shortened(masked(doc.text, doc.module))
        if len(re.findall(r"[A-Za-z]{2,}", text)) >= MIN_WORDS:
            by_text[" ".join(text.lower().split())].append({"input": text, "output": doc.package, "source": doc.source})
    by_package: dict[str, list[dict[str, str]]] = defaultdict(list)
    for same in by_text.values():
        if len({row["output"] for row in same}) == 1:  # a text of two packages has no one answer
            by_package[same[0]["output"]].append(same[0])
    largest = sorted(by_package, key=lambda package: (-len(by_package[package]), package))[:N_PACKAGES]
    chosen = [
        row for package in largest for row in sorted(by_package[package], key=_shuffle_key)[:MAX_ROWS_PER_PACKAGE]
    ]
    return [{"id": f"doc-{i:04d}", **row} for i, row in enumerate(sorted(chosen, key=_shuffle_key))]


def _shuffle_key(row: dict[str, str]) -> str:
    """An order without pattern that is the same everywhere."""
    return hashlib.sha256(f"{row['output']} {row['input']}".encode()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the docstrings of the standard library as a data set.")
    parser.add_argument("out_dir", type=Path, help="folder for train.jsonl and task.yaml")
    folder: Path = parser.parse_args().out_dir
    data = rows(list(docstrings(Path(sysconfig.get_path("stdlib")))))
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in data)
    (folder / "train.jsonl").write_text(lines, encoding="utf-8", newline="\n")
    version = ".".join(map(str, sys.version_info[:3]))
    task = TASK.format(version=version, instruction=json.dumps(INSTRUCTION))
    (folder / "task.yaml").write_text(task, encoding="utf-8", newline="\n")
    n_packages = len({row["output"] for row in data})
    print(f"{folder / 'train.jsonl'}: {len(data)} docstrings of {n_packages} packages of Python {version}")


if __name__ == "__main__":
    main()
