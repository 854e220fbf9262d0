"""``tuneworth advise``: what the rules of thumb say about a situation, before anything is measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tuneworth.cli.factflags import flag, with_fact_options
from tuneworth.cli.language import LANG, say
from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem

if TYPE_CHECKING:
    from tuneworth.advisor.facts import Situation
    from tuneworth.core.advice import Advice
    from tuneworth.data.taskfile import TaskFile

_FLAGS_SHOWN = 6


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(
        name="advise",
        help=say(
            "Should we fine-tune? Advice from rules of thumb, before anything is measured. Asks on a terminal; "
            "facts can also be given by options.",
            "该不该微调？在实测之前先按经验给出建议。在终端里会提问，也可以用选项直接给出情况。",
        ),
    )(with_fact_options(advise))


def advise(
    facts_file: Path | None = typer.Option(
        None, "--facts", metavar="FILE", help=say("Facts in a YAML file.", "用 YAML 文件给出情况。")
    ),
    task: str | None = typer.Option(
        None,
        metavar="FILE",
        help=say(
            "Data file or task.yaml: what its rows show is filled in.",
            "数据文件或 task.yaml：能从数据看出的情况会自动填好。",
        ),
    ),
    chart: Path | None = typer.Option(
        None,
        metavar="FILE",
        help=say("Draw the flow chart into this file, .svg or .txt.", "把流程图画到这个文件，.svg 或 .txt。"),
    ),
    ask: bool | None = typer.Option(
        None,
        "--ask/--no-ask",
        show_default=False,
        help=say(
            "Ask for what is missing, or not (default: on a terminal, without --json).",
            "是否询问缺少的情况（默认：在终端中且没有 --json 时询问）。",
        ),
    ),
    as_json: bool = typer.Option(
        False, "--json", help=say("Print the advice as JSON on stdout.", "在标准输出打印 JSON 格式的建议。")
    ),
    lang: str | None = typer.Option(None, help=say("Language: en or zh.", "语言：en 或 zh。")),
    **facts: Any,
) -> None:
    """Gather the facts, ask for more where that can change the advice, and show it."""
    from tuneworth.advisor.advise import advise as advise_on
    from tuneworth.cli.factsources import situation_from

    del lang  # read before options are parsed, see cli/language.py
    asking = _asking(ask, as_json)
    _check_chart(chart)
    task_file = _task_file(task) if task is not None else None
    situation = situation_from(facts, facts_file, None if task_file is None else lambda: _read_task(task_file, as_json))
    if asking:
        situation = _conversation(situation)
    elif not situation.origins:
        raise _nothing_given()
    advice = _with_train(advise_on(situation), task_file)
    if chart is not None:
        _write_chart(advice, chart)
    _show(advice, as_json)


def _asking(ask: bool | None, as_json: bool) -> bool:
    from tuneworth.cli.progress import interactive

    if ask and not interactive():
        message = Text(
            en="needs a terminal to ask on; give facts by options or with --facts",
            zh="需要在终端中才能提问；请用选项或 --facts 给出情况",
        )
        raise InputError(Problem("--ask", message))
    return interactive() and not as_json if ask is None else ask


def _check_chart(path: Path | None) -> None:
    """Before any question is asked: an answer must not be lost to a wrong name."""
    if path is not None and path.suffix.lower() not in (".svg", ".txt"):
        message = Text(en=f"is {path}, must end in .svg or .txt", zh=f"当前为 {path}，应以 .svg 或 .txt 结尾")
        raise InputError(Problem("--chart", message))
    if path is not None and not path.resolve().parent.is_dir():
        parent = path.resolve().parent
        message = Text(en=f"there is no folder {parent}; make it first", zh=f"目录 {parent} 不存在，请先创建")
        raise InputError(Problem("--chart", message))


def _task_file(source: str) -> TaskFile:
    from tuneworth.cli.run import task_file_of

    return task_file_of(source, {})


def _read_task(task_file: TaskFile, as_json: bool) -> Situation:
    from rich.console import Console

    from tuneworth.audit._personal.mask import mask
    from tuneworth.cli.factsources import task_situation

    console = Console(stderr=True, highlight=False, quiet=as_json)
    # A note may quote a row.
    return task_situation(
        task_file, lambda note: console.print(mask(note.to(LANG)), markup=False, soft_wrap=True, style="dim")
    )


def _conversation(situation: Situation) -> Situation:
    from rich.console import Console

    from tuneworth.advisor.interview import Interview
    from tuneworth.cli.conversation import Conversation

    return Conversation(LANG, Console(stderr=True, highlight=False)).hold(Interview(situation)).situation


def _nothing_given() -> InputError:
    from tuneworth.advisor.facts import Situation
    from tuneworth.advisor.interview import open_questions

    flags = " ".join(flag(question.fact) for question in open_questions(Situation())[:_FLAGS_SHOWN])
    message = Text(
        en="no fact was given, and there is no terminal to ask on",
        zh="没有给出任何情况，也没有可以提问的终端",
    )
    step = Text(
        en=f"Give at least one; those that tell most: {flags}. All of them: tuneworth advise --help",
        zh=f"请至少给出一项，最有用的是：{flags}。全部选项：tuneworth advise --help",
    )
    return InputError(Problem("tuneworth advise", message), step)


def _with_train(advice: Advice, task_file: TaskFile | None) -> Advice:
    """The task file to run, with the rows and documents of ``--task`` in place of the placeholders."""
    from tuneworth.advisor.taskyaml import DOCUMENTS_PLACEHOLDER, PLACEHOLDER

    if task_file is None:
        return advice
    known = {PLACEHOLDER: f"train: {json.dumps(task_file.train, ensure_ascii=False)}"}
    if task_file.documents is not None:
        known[DOCUMENTS_PLACEHOLDER] = f"documents: {json.dumps(task_file.documents.source, ensure_ascii=False)}"
    lines = [
        next((told for placeholder, told in known.items() if placeholder in line), line)
        for line in advice.task_yaml.splitlines()
    ]
    return advice.model_copy(update={"task_yaml": "\n".join(lines) + "\n"})


def _write_chart(advice: Advice, path: Path) -> None:
    from tuneworth.advisor.chart_svg import chart_svg
    from tuneworth.advisor.chart_text import chart_text
    from tuneworth.data.files import write_text

    draw = chart_svg if path.suffix.lower() == ".svg" else chart_text
    write_text(path, draw(advice.path, LANG))
    typer.echo(say(f"flow chart: {path}", f"流程图：{path}"), err=True)


def _show(advice: Advice, as_json: bool) -> None:
    """The advice on stdout: for people, or as JSON."""
    if as_json:
        typer.echo(advice.model_dump_json(indent=1))
        return
    from rich.console import Console

    from tuneworth.advisor.chart_text import chart_text
    from tuneworth.report.terminal.advice import print_advice

    print_advice(advice, LANG, Console(highlight=False), chart=chart_text(advice.path, LANG))
