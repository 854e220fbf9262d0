"""``tuneworth index``: make or refresh the index of a task's documents, alone."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tuneworth.cli import options as opt
from tuneworth.cli.language import LANG, inline, spoken, to_json
from tuneworth.core.text import Text
from tuneworth.errors import Interrupted, Problem
from tuneworth.words.names import listed
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.race.library import Indexed, IndexedDocuments

LISTED = 20
"""Files that are named on the terminal; ``--json`` names all."""

Out = Annotated[
    Path | None,
    typer.Option(
        help=inline(
            "Folder of the run that the index belongs to (default: the one `run` would use for SOURCE without other options).",
            "索引所属的运行目录（默认为 `run` 对同一 SOURCE、不带其他选项时使用的目录）。",
        )
    ),
]


@opt.command(
    "Build or refresh the index of a task's documents. SOURCE is a task.yaml or a data file.",
    "建立或更新任务的文档索引。SOURCE 是 task.yaml 或数据文件。",
)
def index(
    source: opt.Source,
    documents: opt.DocumentSources = None,
    out: Out = None,
    mask: opt.Mask = False,
    send_personal_data: opt.SendPersonalData = False,
    lang: opt.Language = None,
    as_json: opt.AsJson = False,
) -> None:
    """Load, cut, index, and show what changed."""
    from tuneworth.cli.run import RUNS
    from tuneworth.cli.watch import watcher_for
    from tuneworth.data.taskfile import task_file_of
    from tuneworth.race.folder import RunFolder, folder_for
    from tuneworth.race.library import index_documents

    del lang  # read before options are parsed, see cli/language.py
    task_file = task_file_of(
        source,
        documents=opt.documents_section(documents),
        personal_data=opt.personal_data(mask, send_personal_data),
    )
    folder = RunFolder(out) if out is not None else folder_for(RUNS, task_file)
    with watcher_for(LANG, watch=False) as watcher:
        try:
            done = index_documents(task_file, folder, watcher)
        except KeyboardInterrupt:
            command = shlex.join(["tuneworth", *sys.argv[1:]])
            raise Interrupted(Problem(str(folder.path), say("cli.index.stopped", command=command))) from None
    if as_json:
        typer.echo(to_json(_as_object(done)))
    else:
        _show(done)


def _show(done: IndexedDocuments) -> None:
    from rich.console import Console

    from tuneworth.report.terminal.wrap import Wrapped

    console = Console(highlight=False)
    console.print(
        spoken("cli.index.folder", folder=str(done.folder), n=done.n_documents),
        markup=False,
        soft_wrap=True,
    )
    for each in done.indexes:
        console.print(Wrapped(f"  {_what_changed(each).to(LANG)}", hang=4))
    for line in [
        *_listed(spoken("cli.index.problems"), done.problems),
        *_listed(spoken("cli.index.notes"), done.notes),
    ]:
        console.print(Wrapped(line, hang=4))


def _what_changed(done: Indexed) -> Text:
    made = done.refresh
    changes = say(
        "cli.index.changes",
        n=done.n_passages,
        tokens=str(done.passage_tokens),
        added=made.added,
        changed=made.changed,
        removed=made.removed,
        unchanged=made.unchanged,
    )
    embedded = say("cli.index.words_only")
    if done.encoder is not None:
        embedded = say("cli.index.embedded", n=made.embedded, encoder=done.encoder)
    return listed([changes, embedded, say("cli.index.took", seconds=f"{made.seconds:.1f}")])


def _listed(title: str, found: Sequence[Problem]) -> Iterator[str]:
    from tuneworth.report.plain import one_line

    if not found:
        return
    yield ""
    yield spoken("cli.index.counted", title=title, n=len(found))
    for problem in found[:LISTED]:
        yield f"  {one_line(problem.to(LANG))}"
    if len(found) > LISTED:
        yield spoken("cli.index.more", n=len(found) - LISTED)


def _as_object(done: IndexedDocuments) -> dict[str, Any]:
    """For programs; sentences in both languages, as in ``result.json``."""
    indexes = [
        {
            "passage_tokens": each.passage_tokens,
            "n_passages": each.n_passages,
            "encoder": each.encoder,
            **asdict(each.refresh),
        }
        for each in done.indexes
    ]
    return {
        "folder": str(done.folder),
        "n_documents": done.n_documents,
        "indexes": indexes,
        "problems": [asdict(problem) for problem in done.problems],
        "notes": [asdict(note) for note in done.notes],
    }
