"""``tuneworth runs``: the runs in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from tuneworth.cli.language import LANG, say, to_json


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="runs", help=say("List runs, finished and unfinished.", "列出所有运行，包括未完成的。"))(runs)


def runs(
    folder: Path = typer.Argument(Path("runs"), help=say("Folder that holds the runs.", "存放运行的目录。")),
    as_json: bool = typer.Option(False, "--json", help=say("Print as JSON.", "以 JSON 打印。")),
    lang: str = typer.Option(LANG, help=say("Language: en or zh.", "语言：en 或 zh。")),
) -> None:
    """One line a run, newest first."""
    del lang
    found = sorted(_found(folder), key=lambda row: str(row["created"] or ""), reverse=True)
    if as_json:
        typer.echo(to_json(found))
        return
    if not found:
        typer.echo(
            say(
                f"no runs in {folder}; start one with `tuneworth run`",
                f"{folder} 中还没有运行；用 `tuneworth run` 开始",
            )
        )
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in (
        say("run", "运行"),
        say("created (UTC)", "时间（UTC）"),
        say("verdict", "结论"),
        say("recommended", "推荐方案"),
    ):
        table.add_column(title, overflow="fold")
    for row in found:
        table.add_row(
            row["folder"],
            row["created"] or "",
            row["headline"] or say("unfinished", "未完成"),
            row["recommended"] or "",
        )
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
