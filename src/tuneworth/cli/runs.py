"""``tuneworth runs`` and ``tuneworth report``: finished runs, listed and shown again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from tuneworth.cli import options as opt
from tuneworth.cli.language import LANG, inline, spoken, to_json


@opt.command("Show a finished run again and rewrite its report.html.", "重新显示一次已完成的运行，并重写 report.html。")
def report(
    run: Path = typer.Argument(..., help=inline("Folder of a run.", "运行目录。")),
    lang: opt.Language = None,
    as_json: opt.AsJson = False,
) -> None:
    """Re-render from ``result.json`` alone."""
    from tuneworth.cli.run import show
    from tuneworth.race.folder import RunFolder, read_result
    from tuneworth.report.html import write_html

    del lang
    folder = RunFolder(run)
    result = read_result(folder.result)
    if not as_json:
        write_html(result, folder.report, lang=LANG)
    show(result, folder, as_json=as_json)


@opt.command("List runs, finished and unfinished.", "列出所有运行，包括未完成的。")
def runs(
    folder: Path = typer.Argument(Path("runs"), help=inline("Folder that holds the runs.", "存放运行的目录。")),
    as_json: opt.ListAsJson = False,
    lang: opt.ShownLanguage = LANG,
) -> None:
    """One line a run, newest first."""
    del lang
    found = sorted(_found(folder), key=lambda row: str(row["created"] or ""), reverse=True)
    if as_json:
        typer.echo(to_json(found))
        return
    if not found:
        typer.echo(spoken("cli.runs.none", folder=str(folder)))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("run", "created", "verdict", "recommended"):
        table.add_column(spoken(f"cli.runs.{column}"), overflow="fold")
    for row in found:
        headline = row["headline"] or spoken("cli.runs.unfinished")
        table.add_row(row["folder"], row["created"] or "", headline, row["recommended"] or "")
    Console(highlight=False, markup=False).print(table)


def _found(folder: Path) -> list[dict[str, Any]]:
    from tuneworth.errors import InputError
    from tuneworth.race.folder import RunFolder, read_result

    rows: list[dict[str, Any]] = []
    for store in folder.glob("*/store.sqlite"):
        run = RunFolder(store.parent)
        row: dict[str, Any] = dict.fromkeys(("created", "verdict", "headline", "recommended"))
        if run.result.exists():
            try:
                result = read_result(run.result)
            except InputError as error:
                row["headline"] = error.problems[0].message.to(LANG)
            else:
                decision = result.decision
                row |= {
                    "created": result.provenance.created,
                    "verdict": decision.verdict,
                    "recommended": decision.recommended,
                }
                row["headline"] = decision.headline.to(LANG)
        rows.append({"folder": str(run.path), **row})
    return rows
