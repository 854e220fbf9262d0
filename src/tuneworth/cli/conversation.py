"""The short conversation of ``tuneworth advise``, on stderr, so that the advice alone is on stdout."""

from __future__ import annotations

import shlex

from rich.console import Console
from rich.text import Text as Styled

from tuneworth.advisor.facts import Situation
from tuneworth.advisor.interview import Interview
from tuneworth.advisor.questions import read
from tuneworth.cli.facts import as_flags
from tuneworth.core.text import Lang, Text
from tuneworth.errors import InputError, Interrupted, Problem
from tuneworth.report.terminal.wrap import Wrapped
from tuneworth.words.say import say

EXPLAIN = {"?", "？"}
SKIP = {"", "s", "skip", "跳过"}
BACK = {"b", "back", "返回", "上一题"}
STOP = {"q", "quit", "done", "结束"}


def hold(situation: Situation, lang: Lang) -> Situation:
    """Asks until nothing is worth asking, or the person has had enough.

    Raises:
        Interrupted: Ctrl-C; says which options stand for the answers given.
    """
    console = Console(stderr=True, highlight=False)

    def tell(text: Text, style: str = "") -> None:
        console.print(Wrapped(text.to(lang), style))

    def hear() -> str | None:
        """One line, ``None`` when the input has ended."""
        while True:
            try:
                return console.input(Styled("> ", style="bold")).strip()
            except UnicodeDecodeError:
                tell(say("cli.asked.unreadable"), "yellow")
            except EOFError:
                console.print()
                return None

    interview = Interview(situation)
    if interview.question is not None:
        tell(say("cli.asked.intro"), "dim")
    try:
        while (question := interview.question) is not None:
            n_left = len(interview.questions)
            console.print()
            tell(say("cli.asked.last") if n_left == 1 else say("cli.asked.left", n=n_left), "dim")
            tell(question.text, "bold")
            for number, choice in enumerate(question.choices.values(), start=1):
                console.print(Styled(f"  {number}  {choice.to(lang)}"))
            said = hear()
            word = None if said is None else said.casefold()
            if said is None or word in STOP:
                break
            if word in EXPLAIN:
                tell(question.explanation)
            elif word in SKIP:
                interview = interview.skip()
            elif word in BACK:
                if interview.before is None:
                    tell(say("cli.asked.at_start"), "yellow")
                interview = interview.back()
            else:
                try:
                    interview = interview.answer(read(question, said))
                except InputError as error:
                    for problem in error.problems:
                        tell(problem.message, "yellow")
    except KeyboardInterrupt:
        raise _interrupted(interview.situation) from None
    return interview.situation


def _interrupted(situation: Situation) -> Interrupted:
    """Says how to go on with what was answered."""
    answered = {name: situation.given(name) for name, origin in situation.origins.items() if origin == "answered"}
    if not answered:
        return Interrupted(Problem("", say("cli.asked.stopped")))
    command = shlex.join(["tuneworth", "advise", *as_flags(answered)])
    return Interrupted(Problem("", say("cli.asked.go_on", command=command)))
