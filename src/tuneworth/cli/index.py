"""``tuneworth index``: make or refresh the index of a task's documents, alone."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tuneworth.cli import taskoptions as opt
from tuneworth.cli.language import LANG, say, to_json
from tuneworth.core.text import Text
from tuneworth.errors import Interrupted, Problem

if TYPE_CHECKING:
    from tuneworth.race.folder import RunFolder
    from tuneworth.race.library import Indexed, IndexedDocuments

LISTED = 20
"""Files that are named on the terminal; ``--json`` names all."""

Out = Annotated[
    Path | None,
    typer.Option(
        help=say(
            "Folder of the run that the index belongs to (default: the one `run` would use for SOURCE without other options).",
            "索引所属的运行目录（默认为 `run` 对同一 SOURCE、不带其他选项时使用的目录）。",
        )
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(
        name="index",
        help=say(
            "Build or refresh the index of a task's documents. SOURCE is a task.yaml or a data file.",
            "建立或更新任务的文档索引。SOURCE 是 task.yaml 或数据文件。",
        ),
    )(index)


def index(
    source: opt.Source,
    documents: opt.DocumentSources = None,
    out: Out = None,
    lang: opt.Language = None,
    as_json: opt.AsJson = False,
) -> None:
    """Load, cut, index, and show what changed."""
    from tuneworth.cli.run import RUNS, task_file_of
    from tuneworth.cli.watch import watcher_for
    from tuneworth.race.folder import RunFolder, folder_for
    from tuneworth.race.library import index_documents

    del lang  # read before options are parsed, see cli/language.py
    task_file = task_file_of(source, {"documents": opt.documents_section(documents)})
    folder = RunFolder(out) if out is not None else folder_for(RUNS, task_file)
    with watcher_for(LANG, watch=False, as_json=as_json) as watcher:
        try:
            done = index_documents(task_file, folder, watcher)
        except KeyboardInterrupt:
            raise _interrupted(folder) from None
    if as_json:
        typer.echo(to_json(_as_object(done)))
    else:
        _show(done)


def _show(done: IndexedDocuments) -> None:
    from rich.console import Console

    from tuneworth.report.terminal.wrap import Wrapped

    console = Console(highlight=False)
    console.print(
        say(f"{done.folder}: {done.n_documents:,} documents", f"{done.folder}：共 {done.n_documents:,} 篇文档"),
        markup=False,
        soft_wrap=True,
    )
    for each in done.indexes:
        console.print(Wrapped(f"  {_what_changed(each).to(LANG)}", hang=4))
    for line in [
        *_listed(say("Could not be read, or only in part", "无法读取，或只读出一部分"), done.problems),
        *_listed(say("Notes", "说明"), done.notes),
    ]:
        console.print(Wrapped(line, hang=4))


def _what_changed(done: Indexed) -> Text:
    made = done.refresh
    return Text(
        en=f"{done.n_passages:,} passages of up to {done.passage_tokens} tokens: {made.added:,} added, {made.changed:,} changed, "
        f"{made.removed:,} removed, {made.unchanged:,} unchanged; {_embedded(done).en}{made.seconds:.1f} s",
        zh=f"{done.n_passages:,} 个段落，每段不超过 {done.passage_tokens} 个词元：新增 {made.added:,}，改动 {made.changed:,}，"
        f"删除 {made.removed:,}，未变 {made.unchanged:,}；{_embedded(done).zh}用时 {made.seconds:.1f} 秒",
    )


def _embedded(done: Indexed) -> Text:
    if done.encoder is None:
        return Text(en="searched by words only; ", zh="只按词检索；")
    n = f"{done.refresh.embedded:,}"
    return Text(en=f"{n} embedded with {done.encoder}; ", zh=f"用 {done.encoder} 计算了 {n} 个向量；")


def _listed(title: str, found: Sequence[Problem]) -> Iterator[str]:
    from tuneworth.report.plain import one_line

    if not found:
        return
    yield ""
    yield say(f"{title} ({len(found):,}):", f"{title}（{len(found):,} 处）：")
    for problem in found[:LISTED]:
        yield f"  {one_line(problem.to(LANG))}"
    if len(found) > LISTED:
        yield say(
            f"  … and {len(found) - LISTED:,} more; --json lists all",
            f"  ……另有 {len(found) - LISTED:,} 处，用 --json 查看全部",
        )


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


def _interrupted(folder: RunFolder) -> Interrupted:
    command = shlex.join(["tuneworth", *sys.argv[1:]])
    return Interrupted(
        Problem(
            str(folder.path),
            Text(
                en=f"stopped; an index that was there before answers as before, and what was embedded is kept. To go on: {command}",
                zh=f"已停止；原有的索引照常可用，已算好的向量都已保存。继续运行：{command}",
            ),
        )
    )
