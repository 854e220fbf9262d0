"""``tuneworth audit``: what the rows themselves say, before anything runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tuneworth.cli import taskoptions as opt
from tuneworth.cli.language import LANG, say
from tuneworth.core.text import Text

if TYPE_CHECKING:
    from tuneworth.audit import Embed
    from tuneworth.audit._fixes import Fixed
    from tuneworth.audit._run import Audited
    from tuneworth.cli.progress import TerminalWatcher
    from tuneworth.data.load import Loaded


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(
        name="audit",
        help=say(
            "Check the rows: duplicates, leaks, wrong labels, personal data and more. "
            "SOURCE is a data file or a task.yaml.",
            "检查数据本身：重复、泄漏、错标、个人信息等。SOURCE 是数据文件或 task.yaml。",
        ),
    )(audit)


def audit(
    source: str = typer.Argument(
        ...,
        help=say(
            "Data file (JSONL, JSON, CSV, Parquet, hf://…) or task.yaml.",
            "数据文件（JSONL、JSON、CSV、Parquet、hf://…）或 task.yaml。",
        ),
    ),
    test: str | None = typer.Option(None, help=say("Your own test rows.", "自带的测试集文件。")),
    documents: opt.DocumentSources = None,
    only: str | None = typer.Option(
        None, help=say("Only these checks, comma-separated.", "只做这些检查，用逗号分隔。")
    ),
    fix: Path | None = typer.Option(
        None,
        help=say(
            "Write cleaned copies and patches.jsonl into this folder.", "把清洗后的副本和 patches.jsonl 写到这个目录。"
        ),
    ),
    html: Path | None = typer.Option(None, help=say("Write a page with the findings.", "把检查结果写成网页。")),
    seed: int | None = typer.Option(None, help=say("Seed of samples and folds.", "随机种子，用于抽样和交叉验证。")),
    lang: str | None = typer.Option(None, help=say("Language: en or zh.", "语言：en 或 zh。")),
    as_json: bool = typer.Option(
        False, "--json", help=say("Print the result as JSON on stdout.", "在标准输出打印 JSON 结果。")
    ),
) -> None:
    """Load, check, show; write copies and the page when asked to."""
    from tuneworth.audit._fixes import check_folder, write_fixes
    from tuneworth.audit._personal.mask import mask
    from tuneworth.audit._run import audit as run_audit
    from tuneworth.audit._run import subject_of
    from tuneworth.cli.run import task_file_of
    from tuneworth.data.documents import read_documents
    from tuneworth.data.load import load

    del lang  # read before options are parsed, see cli/language.py
    task_file = task_file_of(
        source, {name: value for name, value in (("test", test), ("seed", seed)) if value is not None}
    )
    if fix is not None:
        check_folder(task_file, fix)
    sources = documents or (task_file.documents.sources if task_file.documents else [])
    texts = read_documents(sources) if sources else ()
    loaded = load(task_file)
    with _watcher(as_json) as watcher:
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
        audited = run_audit(subject, watch=progress, only=_names(only))
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


def _watcher(as_json: bool) -> TerminalWatcher:
    import sys

    from tuneworth.cli.progress import TerminalWatcher

    return TerminalWatcher(LANG, quiet=as_json and not sys.stderr.isatty())


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


def _encoder(loaded: Loaded, watcher: TerminalWatcher) -> Embed | None:
    """The embedded sentence encoder, opened when a check first asks; ``None`` where it cannot help."""
    from importlib.util import find_spec

    if loaded.task.language != "en":
        watcher.say(
            Text(
                en="The embedded sentence encoder knows English only; checks that compare meanings do without it.",
                zh="内置句向量模型只支持英文；按语义比较的检查不使用它。",
            )
        )
        return None
    if find_spec("torch") is None or find_spec("transformers") is None:
        watcher.say(
            Text(
                en="No local engine: checks that compare meanings do without vectors. To have them: pip install 'tuneworth[local]'",
                zh="没有安装本地引擎，按语义比较的检查不使用句向量。如需使用：pip install 'tuneworth[local]'",
            )
        )
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
        typer.echo(audited.result.model_dump_json(indent=1))
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
            say(
                f"{file.path}: {file.n_out:,} of {file.n_in:,} rows, {file.n_changed:,} of them changed",
                f"{file.path}：保留 {file.n_in:,} 条中的 {file.n_out:,} 条，其中 {file.n_changed:,} 条有改动",
            )
        )
    if fixed is not None:
        lines.append(
            say(
                f"{fixed.patches}: {fixed.n_applied:,} changes made, {fixed.n_suggested:,} suggested for review",
                f"{fixed.patches}：已改 {fixed.n_applied:,} 处，另有 {fixed.n_suggested:,} 处建议待人工确认",
            )
        )
    if html is not None:
        lines.append(say(f"Page: {html}", f"网页：{html}"))
    return lines
