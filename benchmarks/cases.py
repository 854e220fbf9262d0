"""How files as people bring them are read: one line a file, as Markdown.

    python benchmarks/cases.py FOLDER [--only NAME] [--long]

FOLDER holds a folder per case with data files and task files. A line says what came of the file: how many rows were
read and set aside, which fields are the input and the answer, the kind and the metric, and how often the reader was
warned; or the error that it ends with. ``--long`` prints every note and warning instead.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from tuneworth.data.load import Loaded, load
from tuneworth.data.taskfile import TaskFile, load_task_file, task_file_for
from tuneworth.errors import TuneworthError

NO_DATA = {"expect.md"}
DOCUMENTS = {"docs", "docs-colwise"}
TASK_FILES = (".yaml", ".yml")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", help="cases whose name holds this")
    parser.add_argument("--long", action="store_true", help="every note and warning, and whole errors")
    args = parser.parse_args()
    if not args.long:
        print("| file | rows | set aside | input → answer | kind, metric | warnings | or refused with |")
        print("|---|---:|---:|---|---|---:|---|")
    for path in sources(args.folder):
        name = path.relative_to(args.folder).as_posix()
        if args.only and args.only not in name:
            continue
        try:
            loaded = load(task_of(path))
        except TuneworthError as error:
            print(f"\n## {name}\n{error.to('en')}" if args.long else refused(name, error), flush=True)
        else:
            print(long(name, loaded) if args.long else line(name, loaded), flush=True)


def sources(folder: Path) -> Iterator[Path]:
    """Files to load, one after another; a folder that is no folder of documents is one source."""
    for case in sorted(path for path in folder.iterdir() if path.is_dir()):
        for path in sorted(case.iterdir()):
            if path.name not in NO_DATA | DOCUMENTS:
                yield path


def task_of(path: Path) -> TaskFile:
    return load_task_file(path) if path.suffix in TASK_FILES else task_file_for(str(path))


def line(name: str, loaded: Loaded) -> str:
    shape = loaded.shape
    n_rows = len(loaded.examples) + len(loaded.test_examples or ())
    fields = " + ".join(shape.used[:-1]) + " → " + shape.used[-1] if shape and len(shape.used) > 1 else ""
    if shape and len(shape.used) == 1:
        fields = shape.used[0]
    kind = f"{loaded.task.kind}, {loaded.task.metric}"
    if loaded.task.labels:
        kind += f", {len(loaded.task.labels)} labels"
    return f"| {name} | {n_rows} | {len(loaded.rejected)} | {fields} | {kind} | {len(loaded.warnings)} | |"


def refused(name: str, error: TuneworthError) -> str:
    told = error.problems[0].message.en
    more = f" (+{len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
    return f"| {name} | | | | | | {cell(told)}{more} |"


def cell(text: str, limit: int = 110) -> str:
    text = text.replace("|", "\\|").replace("\n", " ")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def long(name: str, loaded: Loaded) -> str:
    notes = [f"  note: {note.en}" for note in loaded.inferred] + [f"  WARNING: {note.en}" for note in loaded.warnings]
    first = loaded.examples[0]
    shown = first.query.text.replace("\n", "\n    ")
    return "\n".join(
        [
            f"\n## {name}",
            line(name, loaded),
            f"  first input:\n    {shown[:600]}",
            f"  answer: {first.output[:200]}",
            *notes,
        ]
    )


if __name__ == "__main__":
    main()
