"""``tuneworth init``: write a commented task.yaml for a data file."""

from __future__ import annotations

from pathlib import Path

import typer

from tuneworth.cli import options as opt
from tuneworth.cli.language import LANG, inline, spoken


@opt.command("Write a commented task.yaml for a data file.", "为数据文件生成带注释的 task.yaml。")
def init(
    source: str = typer.Argument(..., help=inline("Data file.", "数据文件。")),
    out: Path = typer.Option(Path("task.yaml"), help=inline("Where to write it.", "写到哪里。")),
    test: opt.TestFile = None,
    documents: opt.DocumentSources = None,
    force: bool = typer.Option(False, "--force", help=inline("Overwrite an existing file.", "覆盖已有文件。")),
    lang: opt.Language = None,
) -> None:
    """Infer what can be inferred and write it down."""
    from tuneworth.data.initfile import write_task_file
    from tuneworth.data.load import load
    from tuneworth.data.taskfile import task_file_for

    del lang
    loaded = load(task_file_for(source, test=test, documents=opt.documents_section(documents)))
    write_task_file(out, source, loaded, lang=LANG, test=test, documents=documents or (), force=force)
    for line in loaded.inferred:
        typer.echo(line.to(LANG), err=True)
    for line in loaded.warnings:
        typer.echo(spoken("reading.init_warning", said=line), err=True)
    typer.echo(spoken("cli.init.wrote", path=str(out)))
