"""``tuneworth models``: what models there are, and getting one."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from tuneworth.cli import options as opt
from tuneworth.cli.language import LANG, inline, spoken, to_json
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.models.suggest import Suggested

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
    name="suggest",
    help=inline(
        "Three local models for this machine (and for your rows), and services with a key set.",
        "按本机条件（以及您的数据）推荐三个本地模型，并列出已设置密钥的在线服务。",
    ),
)
def suggest(
    source: str | None = typer.Argument(
        None,
        help=inline(
            "Data file or task.yaml: for its rows, with minutes.",
            "数据文件或 task.yaml：按其中的数据推荐，并估计用时。",
        ),
    ),
    as_json: opt.ListAsJson = False,
    lang: opt.ShownLanguage = LANG,
) -> None:
    """The best first."""
    from tuneworth.api import suggested
    from tuneworth.cli.watch import watcher_for

    del lang
    with watcher_for(LANG, watch=False) as watcher:
        found = suggested(source, LANG, watcher)
    if as_json:
        typer.echo(to_json(asdict(found) | {"models": [_as_data(each) for each in found.models]}))
        return
    on = found.machine
    where = on.accelerator or spoken("cli.models.processor", n=on.cores)
    typer.echo(
        spoken("cli.models.for_machine", where=where, gb=f"{on.memory_gb:g}", languages=", ".join(found.languages))
    )
    for each in found.models:
        model = each.model
        minutes = "" if each.minutes is None else spoken("cli.models.minutes", n=f"{max(1.0, each.minutes):.0f}")
        gated = spoken("cli.models.gated") if model.gated else ""
        line = spoken(
            "cli.models.suggested", name=model.name, gb=f"{model.download_mb / 1000:.1f}", licence=model.licence
        )
        typer.echo(f"  {line}{minutes}{gated}")
    if not found.models:
        typer.echo(spoken("cli.models.none_fits"))
    elsewhere = [each.model.modelscope for each in found.models if each.model.modelscope]
    if elsewhere:
        typer.echo(spoken("cli.models.modelscope", name=f"modelscope://{elsewhere[0]}"))
    for key in found.keys:
        typer.echo(spoken("cli.models.key", service=key.service, title=key.title, variable=key.variable))
    if not found.keys:
        typer.echo(spoken("cli.models.no_key"))
    typer.echo(spoken("cli.models.rough", read=found.read.isoformat()))


def _as_data(each: Suggested) -> dict[str, object]:
    return {**each.model.model_dump(mode="json"), "minutes": each.minutes}


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
