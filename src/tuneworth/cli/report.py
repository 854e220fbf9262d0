"""``tuneworth report``: show a finished run again, in either language."""

from __future__ import annotations

from pathlib import Path

import typer

from tuneworth.cli.language import LANG, say


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(
        name="report",
        help=say(
            "Show a finished run again and rewrite its report.html.", "重新显示一次已完成的运行，并重写 report.html。"
        ),
    )(report)


def report(
    run: Path = typer.Argument(..., help=say("Folder of a run.", "运行目录。")),
    lang: str | None = typer.Option(None, help=say("Language: en or zh.", "语言：en 或 zh。")),
    as_json: bool = typer.Option(
        False, "--json", help=say("Print the result as JSON on stdout.", "在标准输出打印 JSON 结果。")
    ),
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
