"""``tuneworth models``: what models there are, and getting one."""

from __future__ import annotations

from dataclasses import asdict

import typer

from tuneworth.cli.language import LANG, say, to_json

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=say("List and get models.", "查看和获取模型。"))
_LANG_HELP = say("Language: en or zh.", "语言：en 或 zh。")


@app.command(
    name="list", help=say("Embedded models, and whether they are on this machine.", "内置模型，以及是否已在本机。")
)
def list_models(
    as_json: bool = typer.Option(False, "--json", help=say("Print as JSON.", "以 JSON 打印。")),
    lang: str = typer.Option(LANG, help=_LANG_HELP),
) -> None:
    """One line a model."""
    from tuneworth.models import catalog

    del lang
    found = catalog.list_models()
    if as_json:
        typer.echo(to_json([asdict(info) for info in found]))
        return
    for info in found:
        state = (
            say("here", "已在本机") if info.cached else say(f"{info.size_mb} MB to get", f"需下载 {info.size_mb} MB")
        )
        typer.echo(f"{info.id}  {info.title.to(LANG)}  {info.licence}  {state}")
    typer.echo(
        say(
            "Any folder with a Hugging Face model, or owner/name on the hub, works as a model too.",
            "任何 Hugging Face 格式的模型目录，或 Hub 上的 owner/name，也可以作为模型使用。",
        )
    )


@app.command(
    name="pull",
    help=say("Get a model now, so that later runs need no network.", "现在就获取模型，之后运行不再需要网络。"),
)
def pull(
    name: str = typer.Argument(..., help=say("Model name.", "模型名。")),
    lang: str = typer.Option(LANG, help=_LANG_HELP),
) -> None:
    """Fetch, check and convert."""
    from tuneworth.cli.progress import TerminalWatcher
    from tuneworth.core.text import Text
    from tuneworth.models import catalog

    del lang
    with TerminalWatcher(LANG) as watcher:
        watcher.start(Text(en=f"getting {name}", zh=f"获取 {name}"))
        folder = catalog.pull(name, progress=watcher.progress)
        watcher.finish()
    typer.echo(str(folder))
