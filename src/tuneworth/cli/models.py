"""``tuneworth models``: what models there are, and getting one."""

from __future__ import annotations

from dataclasses import asdict

import typer

from tuneworth.cli import options as opt
from tuneworth.cli.language import LANG, inline, spoken, to_json
from tuneworth.words.say import say

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=inline("List and get models.", "查看和获取模型。"))


@app.command(
    name="list", help=inline("Embedded models, and whether they are on this machine.", "内置模型，以及是否已在本机。")
)
def list_models(
    as_json: opt.ListAsJson = False,
    lang: opt.ShownLanguage = LANG,
) -> None:
    """One line a model."""
    from tuneworth.models import catalog

    del lang
    found = catalog.list_models()
    if as_json:
        typer.echo(to_json([asdict(info) for info in found]))
        return
    for info in found:
        state = spoken("cli.models.here") if info.cached else spoken("cli.models.to_get", mb=str(info.size_mb))
        typer.echo(f"{info.id}  {info.title.to(LANG)}  {info.licence}  {state}")
    typer.echo(spoken("cli.models.others"))


@app.command(
    name="pull",
    help=inline("Get a model now, so that later runs need no network.", "现在就获取模型，之后运行不再需要网络。"),
)
def pull(
    name: str = typer.Argument(..., help=inline("Model name.", "模型名。")),
    lang: opt.ShownLanguage = LANG,
) -> None:
    """Fetch, check and convert."""
    from tuneworth.cli.progress import TerminalWatcher
    from tuneworth.models import catalog

    del lang
    with TerminalWatcher(LANG) as watcher:
        watcher.start(say("cli.models.getting", name=name))
        folder = catalog.pull(name, progress=watcher.progress)
        watcher.finish()
    typer.echo(str(folder))
