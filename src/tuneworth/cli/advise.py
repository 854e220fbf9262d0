"""``tuneworth advise``: what the rules of thumb say about a situation, before anything is measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tuneworth.cli.facts import FactCommand, fact_options, flag, situation_from, task_situation
from tuneworth.cli.language import LANG, inline, spoken, to_json
from tuneworth.cli.options import Language, command
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.advisor.facts import Situation
    from tuneworth.core.advice import Advice
    from tuneworth.data.taskfile import TaskFile

_FLAGS_SHOWN = 6


@command(
    "Should we fine-tune? Advice from rules of thumb, before anything is measured. Asks on a terminal; "
    "facts can also be given by options.",
    "该不该微调？在实测之前先按经验给出建议。在终端里会提问，也可以用选项直接给出情况。",
    options=fact_options(),
    cls=FactCommand,
)
def advise(
    facts_file: Path | None = typer.Option(
        None, "--facts", metavar="FILE", help=inline("Facts in a YAML file.", "用 YAML 文件给出情况。")
    ),
    task: str | None = typer.Option(
        None,
        metavar="FILE",
        help=inline(
            "Data file or task.yaml: what its rows show is filled in.",
            "数据文件或 task.yaml：能从数据看出的情况会自动填好。",
        ),
    ),
    chart: Path | None = typer.Option(
        None,
        metavar="FILE",
        help=inline("Draw the flow chart into this file, .svg or .txt.", "把流程图画到这个文件，.svg 或 .txt。"),
    ),
    ask: bool | None = typer.Option(
        None,
        "--ask/--no-ask",
        show_default=False,
        help=inline(
            "Ask for what is missing, or not (default: on a terminal, without --json).",
            "是否询问缺少的情况（默认：在终端中且没有 --json 时询问）。",
        ),
    ),
    as_json: bool = typer.Option(
        False, "--json", help=inline("Print the advice as JSON on stdout.", "在标准输出打印 JSON 格式的建议。")
    ),
    lang: Language = None,
    **facts: Any,
) -> None:
    """Gather the facts, ask for more where that can change the advice, and show it."""
    from tuneworth.advisor.advise import advise as advise_on
    from tuneworth.data.taskfile import task_file_of

    del lang  # read before options are parsed, see cli/language.py
    asking = _asking(ask, as_json)
    _check_chart(chart)
    task_file = task_file_of(task) if task is not None else None
    situation = situation_from(facts, facts_file, None if task_file is None else lambda: _read_task(task_file, as_json))
    if asking:
        from tuneworth.cli.conversation import hold

        situation = hold(situation, LANG)
    elif not situation.origins:
        raise _nothing_given()
    _show(_with_train(advise_on(situation), task_file), chart, as_json)


def _asking(ask: bool | None, as_json: bool) -> bool:
    from tuneworth.cli.progress import interactive

    if ask and not interactive():
        raise InputError(Problem("--ask", say("cli.advise.needs_terminal")))
    return interactive() and not as_json if ask is None else ask


def _check_chart(path: Path | None) -> None:
    """Before any question is asked: an answer must not be lost to a wrong name."""
    if path is not None and path.suffix.lower() not in (".svg", ".txt"):
        raise InputError(Problem("--chart", say("cli.advise.chart_suffix", path=str(path))))
    if path is not None and not path.resolve().parent.is_dir():
        raise InputError(Problem("--chart", say("cli.advise.no_folder", folder=str(path.resolve().parent))))


def _read_task(task_file: TaskFile, as_json: bool) -> Situation:
    from rich.console import Console

    from tuneworth.audit._personal.mask import mask

    console = Console(stderr=True, highlight=False, quiet=as_json)
    # A note may quote a row.
    return task_situation(
        task_file, lambda note: console.print(mask(note.to(LANG)), markup=False, soft_wrap=True, style="dim")
    )


def _nothing_given() -> InputError:
    from tuneworth.advisor.facts import Situation
    from tuneworth.advisor.interview import open_questions

    flags = " ".join(flag(question.fact) for question in open_questions(Situation())[:_FLAGS_SHOWN])
    step = say("cli.advise.give_one", flags=flags)
    return InputError(Problem("tuneworth advise", say("cli.advise.nothing_given")), step)


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


def _show(advice: Advice, chart: Path | None, as_json: bool) -> None:
    """The chart into its file; the advice on stdout, for people or as JSON."""
    from tuneworth.advisor.chart import chart_text

    if chart is not None:
        from tuneworth.advisor.chart_svg import chart_svg
        from tuneworth.data.files import write_text

        draw = chart_svg if chart.suffix.lower() == ".svg" else chart_text
        write_text(chart, draw(advice.path, LANG))
        typer.echo(spoken("cli.advise.drawn", path=str(chart)), err=True)
    if as_json:
        typer.echo(to_json(advice))
        return
    from rich.console import Console

    from tuneworth.report.terminal.advice import print_advice

    print_advice(advice, LANG, Console(highlight=False), chart=chart_text(advice.path, LANG))
