"""``tuneworth audit``: what the rows themselves say, before anything runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tuneworth.cli import options as opt
from tuneworth.cli.language import LANG, inline, spoken, to_json
from tuneworth.core.text import Text
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.audit import Embed
    from tuneworth.audit._fixes import Fixed
    from tuneworth.audit._run import Audited
    from tuneworth.cli.progress import TerminalWatcher
    from tuneworth.data.load import Loaded


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
            "Write cleaned copies and patches.jsonl into this folder.", "把清洗后的副本和 patches.jsonl 写到这个目录。"
        ),
    ),
    html: Path | None = typer.Option(None, help=inline("Write a page with the findings.", "把检查结果写成网页。")),
    seed: int | None = typer.Option(None, help=inline("Seed of samples and folds.", "随机种子，用于抽样和交叉验证。")),
    lang: opt.Language = None,
    as_json: opt.AsJson = False,
) -> None:
    """Load, check, show; write copies and the page when asked to."""
    from tuneworth.audit._fixes import check_folder, write_fixes
    from tuneworth.audit._personal.mask import mask
    from tuneworth.audit._run import audit as run_audit
    from tuneworth.audit._run import subject_of
    from tuneworth.cli.run import task_file_of
    from tuneworth.cli.watch import watcher_for
    from tuneworth.data.documents import read_documents
    from tuneworth.data.load import load

    del lang  # read before options are parsed, see cli/language.py
    task_file = task_file_of(source, {"test": test, "seed": seed})
    if fix is not None:
        check_folder(task_file, fix)
    sources = documents or (task_file.documents.sources if task_file.documents else [])
    texts = read_documents(sources) if sources else ()
    loaded = load(task_file)
    with watcher_for(LANG, watch=False, as_json=as_json) as watcher:
        for note in (*loaded.inferred, *loaded.warnings):
            watcher.say(Text(en=mask(note.en), zh=mask(note.zh)))  # a warning may quote a row
        counting = _token_counter(task_file.models[0])
        subject = subject_of(
            loaded,
            embed=_encoder(loaded, watcher),
            count_tokens=counting and counting[0],
            context_tokens=counting and counting[1],
            documents=texts,
            seed=task_file.seed,
        )
        progress = _Progress(watcher)
        audited = run_audit(subject, watch=progress, only=opt.names(only))
        progress.close()
    fixed = write_fixes(task_file, loaded, audited.patches, fix) if fix is not None else None
    _show(audited, loaded, fixed, html, as_json)


class _Progress:
    """Turns the audit's reports into one progress bar a check."""

    def __init__(self, watcher: TerminalWatcher):
        self._watcher = watcher
        self._open = False

    def __call__(self, title: Text, done: int, total: int) -> None:
        if total == 0:
            self.close()
            self._watcher.start(title)
            self._open = True
        else:
            self._watcher.progress(done, total, "rows")

    def close(self) -> None:
        if self._open:
            self._watcher.finish()
        self._open = False


def _encoder(loaded: Loaded, watcher: TerminalWatcher) -> Embed | None:
    """The embedded sentence encoder, opened when a check first asks; ``None`` where it cannot help."""
    from importlib.util import find_spec

    if loaded.task.language != "en":
        watcher.say(say("cli.audit.english_only"))
        return None
    if find_spec("torch") is None or find_spec("transformers") is None:
        watcher.say(say("cli.audit.no_engine"))
        return None
    opened: list[Any] = []

    def embed(texts: Any) -> Any:
        if not opened:
            from tuneworth.models.catalog import open_encoder

            opened.append(open_encoder())
        return opened[0].encode(texts)

    return embed


def _token_counter(model: str) -> tuple[Callable[[str], int], int] | None:
    """Tokens of a text and the context of ``model``, when it is on this machine already; nothing is fetched."""
    from importlib.util import find_spec

    from tuneworth.models.catalog import list_models, name_kind

    known = {info.id: info.folder for info in list_models() if info.cached}
    folder = Path(model).expanduser() if name_kind(model) == "folder" else known.get(model)
    if folder is None or find_spec("tokenizers") is None:
        return None
    files = (folder / "tokenizer.json", folder / "config.json")
    if not all(file.is_file() for file in files):
        return None
    from tokenizers import Tokenizer

    context = json.loads(files[1].read_text(encoding="utf-8")).get("max_position_embeddings")
    tokenizer: Any = Tokenizer.from_file(str(files[0]))
    return (lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids), context) if context else None


def _show(audited: Audited, loaded: Loaded, fixed: Fixed | None, html: Path | None, as_json: bool) -> None:
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
    for line in _written(fixed, html):
        console.print(line, markup=False, soft_wrap=True)


def _written(fixed: Fixed | None, html: Path | None) -> list[str]:
    """What was written where."""
    lines = [] if fixed is None and html is None else [""]
    for file in fixed.files if fixed is not None else ():
        lines.append(
            spoken("cli.audit.file", path=str(file.path), out=file.n_out, all=file.n_in, changed=file.n_changed)
        )
    if fixed is not None:
        path, applied, suggested = str(fixed.patches), fixed.n_applied, fixed.n_suggested
        lines.append(spoken("cli.audit.patches", path=path, applied=applied, suggested=suggested))
    if html is not None:
        lines.append(spoken("cli.audit.page", path=str(html)))
    return lines
