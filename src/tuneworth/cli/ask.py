"""``tuneworth ask``: a finished run answers a question, and shows the passages it read."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tuneworth.cli import options as opt
from tuneworth.cli.language import LANG, inline, spoken, to_json
from tuneworth.errors import InputError, Problem, TuneworthError
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.serve.answer import Answered, Answerer

Run = Annotated[Path, typer.Argument(help=inline("Folder of a finished run.", "已完成的运行的目录。"))]
Question = Annotated[
    str | None,
    typer.Argument(
        help=inline("The question; without it, questions are asked for one by one.", "问题；不写则逐个输入。")
    ),
]
ArmId = Annotated[
    str | None,
    typer.Option(
        "--arm",
        help=inline(
            "Arm that answers (default: the recommended one, or the best that reads documents).",
            "由哪个方案回答（默认用推荐方案，或得分最高的检索方案）。",
        ),
    ),
]
DocumentIds = Annotated[
    list[str] | None,
    typer.Option(
        "--document",
        help=inline(
            "Read only this document, by its path below the documents; may be given several times.",
            "只查这个文档（文档目录下的相对路径），可多次给出。",
        ),
    ),
]
DocSets = Annotated[
    list[str] | None,
    typer.Option(
        "--doc-set",
        help=inline(
            "Read only this part of the documents; may be given several times.", "只查文档的这一部分，可多次给出。"
        ),
    ),
]
_DAY = ["%Y-%m-%d"]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since", formats=_DAY, help=inline("Read only what is dated then or later.", "只查这一天及以后的文档。")
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option(
        "--until", formats=_DAY, help=inline("Read only what is dated then or earlier.", "只查这一天及以前的文档。")
    ),
]


@opt.command(
    "Ask a finished run a question; it answers from the documents and shows the passages.",
    "向已完成的运行提问：依据文档回答，并列出所用段落。",
)
def ask(
    run: Run,
    question: Question = None,
    arm: ArmId = None,
    document: DocumentIds = None,
    doc_set: DocSets = None,
    since: Since = None,
    until: Until = None,
    lang: opt.Language = None,
    as_json: opt.AsJson = False,
) -> None:
    """Choose an arm, open it, answer."""
    from tuneworth.cli.progress import interactive
    from tuneworth.cli.watch import watcher_for
    from tuneworth.race.folder import RunFolder, read_result
    from tuneworth.retrieval.hits import Where
    from tuneworth.serve.answer import checked, choose_arm, open_arm

    del lang  # read before options are parsed, see cli/language.py
    if question is not None:
        checked(question)
    elif not interactive():
        raise InputError(Problem("", say("cli.ask.no_question")))
    folder = RunFolder(run)
    result = read_result(folder.result)
    chosen = choose_arm(result, str(run), arm)
    where = Where(
        doc_sets=tuple(doc_set or ()),
        document_ids=tuple(document or ()),
        changed_from=since.date() if since else None,
        changed_until=until.date() if until else None,
    )
    with watcher_for(LANG, watch=False) as watcher:
        if chosen.note is not None:
            watcher.say(chosen.note)
        watcher.start(say("cli.ask.opening", arm=chosen.arm.arm_id))
        answerer = open_arm(result, folder, chosen.arm, watcher, where)
        watcher.finish(chosen.arm.title)
        if answerer.outdated is not None:
            watcher.say(answerer.outdated)
    if question is not None:
        _show(answerer.ask(question), answerer, as_json)
    else:
        _converse(answerer, as_json)


def _converse(answerer: Answerer, as_json: bool) -> None:
    """One question after another, until an empty line. A question that cannot be answered does not end it."""
    print(spoken("cli.ask.ends"), file=sys.stderr)
    while True:
        print(spoken("cli.ask.question"), end="", file=sys.stderr, flush=True)
        try:
            question = input().strip()
        except EOFError:
            print(file=sys.stderr)
            return
        if not question:
            return
        try:
            _show(answerer.ask(question), answerer, as_json)
        except TuneworthError as error:
            print(error.to(LANG), file=sys.stderr)


def _show(answered: Answered, answerer: Answerer, as_json: bool) -> None:
    """The answer on stdout: for people, or as JSON."""
    if as_json:
        typer.echo(to_json(_as_object(answered, answerer)))
        return
    from rich.console import Console

    from tuneworth.cli.answered import answer_lines

    console = Console(highlight=False)
    for line in answer_lines(answered, answerer.task.documents, LANG, console.width):
        console.print(line)


def _as_object(answered: Answered, answerer: Answerer) -> dict[str, Any]:
    answer = answered.answer
    return {
        "question": answered.question,
        "answer": answer.text,
        "arm_id": answerer.arm.arm_id,
        "passages": [
            {
                "number": number,
                "id": passage.id,
                "document_id": passage.document_id,
                "title": passage.title,
                "headings": list(passage.headings),
                "page": passage.page,
                "changed": passage.changed.isoformat() if passage.changed is not None else None,
                "text": passage.text,
                "cited": passage.id in answer.citations,
            }
            for number, passage in enumerate(answered.passages, 1)
        ],
        "citations": list(answer.citations),
        "usage": answer.usage.model_dump(),
        "latency_ms": answer.latency_ms,
    }
