"""``tuneworth audit``: what the rows themselves say, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tuneworth.cli import options as opt
from tuneworth.cli.language import LANG, inline, spoken, to_json
from tuneworth.words.say import table

if TYPE_CHECKING:
    from tuneworth.audit._fixes import Fixes
    from tuneworth.audit._run import Audited
    from tuneworth.data.load import Loaded

_LISTED = 20


@opt.command(
    "Check the rows: duplicates, leaks, wrong labels, personal data and more. SOURCE is a data file or a task.yaml.",
    "检查数据本身：重复、泄漏、错标、个人信息等。SOURCE 是数据文件或 task.yaml。",
)
def audit(
    source: opt.Source,
    test: opt.TestFile = None,
    documents: opt.DocumentSources = None,
    only: str | None = typer.Option(
        None, help=inline("Only these checks, comma-separated.", "只做这些检查，用逗号分隔。")
    ),
    fix: Path | None = typer.Option(
        None,
        help=inline(
            "List every change, then write cleaned copies and the list, patches.jsonl, into this folder.",
            "先列出每一处改动，再把清洗后的副本和清单 patches.jsonl 写到这个目录。",
        ),
    ),
    yes: opt.Yes = False,
    html: Path | None = typer.Option(None, help=inline("Write a page with the findings.", "把检查结果写成网页。")),
    seed: int | None = typer.Option(None, help=inline("Seed of samples and folds.", "随机种子，用于抽样和交叉验证。")),
    lang: opt.Language = None,
    as_json: opt.AsJson = False,
) -> None:
    """Load, check, show; write copies and the page when asked to."""
    from tuneworth.api import audited as run_audit
    from tuneworth.audit._fixes import check_folder, fixes_for
    from tuneworth.cli.watch import watcher_for
    from tuneworth.data.taskfile import task_file_of

    del lang  # read before options are parsed, see cli/language.py
    task_file = task_file_of(source, test=test, seed=seed)
    if fix is not None:
        check_folder(task_file, fix)
    with watcher_for(LANG, watch=False) as watcher:
        loaded, audited = run_audit(task_file, watcher, documents=documents or (), only=opt.names(only))
    fixes = fixes_for(task_file, loaded, audited.patches, fix) if fix is not None else None
    if fixes is not None:
        _list(fixes)
        fixes = fixes if yes or as_json or _agreed(fixes) else None
    if fixes is not None:
        fixes.write()
    _show(audited, loaded, fixes, html, as_json)


def _list(fixes: Fixes) -> None:
    """What would be written, for a look before it is: the changes first, then the suggestions."""
    changes = sorted(fixes.entries, key=lambda entry: not entry["applied"])
    typer.echo(spoken("columns.fix.listed", n=fixes.n_applied, suggested=fixes.n_suggested), err=True)
    for entry in changes[:_LISTED]:
        key = "done" if entry["applied"] else "suggested"
        where = entry["file"] if entry["line"] is None else f"{entry['file']}:{entry['line']}"
        action = table("columns.fix.action")[entry["action"]].to(LANG)
        typer.echo(spoken(f"columns.fix.{key}", where=where, action=action, why=entry["why"][LANG]), err=True)
    if len(changes) > _LISTED:
        typer.echo(spoken("columns.fix.more", n=len(changes) - _LISTED, path=str(fixes.patches)), err=True)


def _agreed(fixes: Fixes) -> bool:
    """Asks where somebody can answer."""
    from tuneworth.cli.progress import interactive

    question = spoken("columns.fix.write", folder=str(fixes.patches.parent))
    return not interactive() or typer.confirm(question, default=True, err=True)


def _show(audited: Audited, loaded: Loaded, fixed: Fixes | None, html: Path | None, as_json: bool) -> None:
    """The result on stdout: for people, or as JSON; the page where asked for."""
    if html is not None:
        from tuneworth.report.html import write_audit

        write_audit(audited.result, html, lang=LANG, name=loaded.task.name)
    if as_json:
        typer.echo(to_json(audited.result))
        return
    from rich.console import Console

    from tuneworth.report.terminal.audit import audit_summary

    console = Console(highlight=False)
    console.print(audit_summary(audited.result, LANG, name=loaded.task.name))
    lines = [] if fixed is None and html is None else [""]
    if fixed is not None:
        for file in fixed.files:
            counts = {"out": file.n_out, "all": file.n_in, "changed": file.n_changed}
            lines.append(spoken("cli.audit.file", path=str(file.path), **counts))
        path, applied, suggested = str(fixed.patches), fixed.n_applied, fixed.n_suggested
        lines.append(spoken("cli.audit.patches", path=path, applied=applied, suggested=suggested))
    if html is not None:
        lines.append(spoken("cli.audit.page", path=str(html)))
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
