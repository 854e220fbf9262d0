"""The short conversation of ``tuneworth advise``, on stderr, so that the advice alone is on stdout."""

from __future__ import annotations

import shlex

from rich.console import Console
from rich.text import Text as Styled

from tuneworth.advisor.answers import read
from tuneworth.advisor.interview import Interview
from tuneworth.advisor.questions import Question
from tuneworth.cli.factflags import as_flags
from tuneworth.core.text import Lang, Text
from tuneworth.errors import InputError, Interrupted, Problem
from tuneworth.report.terminal.wrap import Wrapped

EXPLAIN = {"?", "？"}
SKIP = {"", "s", "skip", "跳过"}
BACK = {"b", "back", "返回", "上一题"}
STOP = {"q", "quit", "done", "结束"}

_INTRO = Text(
    "Only what can change the advice is asked.  ? explains   Enter skips   b goes back   q gives the advice now",
    "只问会影响建议的问题。　? 看说明　回车 跳过　b 返回上一题　q 直接看建议",
)
_AT_START = Text("This is the first question.", "已经是第一题了。")
_UNREADABLE = Text("That could not be read as text.", "无法识别输入的文字。")


class Conversation:
    """Asks until nothing is worth asking, or the person has had enough."""

    def __init__(self, lang: Lang, console: Console):
        self._lang: Lang = lang
        self._console = console

    def hold(self, interview: Interview) -> Interview:
        """The interview at its end.

        Raises:
            Interrupted: Ctrl-C; says which options stand for the answers given.
        """
        if interview.question is not None:
            self._say(_INTRO, "dim")
        try:
            while (question := interview.question) is not None:
                self._show(question, len(interview.questions))
                said = self._hear()
                if said is None or said.casefold() in STOP:
                    break
                interview = self._step(interview, question, said)
        except KeyboardInterrupt:
            raise _interrupted(interview) from None
        return interview

    def _step(self, interview: Interview, question: Question, said: str) -> Interview:
        """The interview after one line; the same one where it has to be asked again."""
        word = said.casefold()
        if word in EXPLAIN:
            self._say(question.explanation)
        elif word in SKIP:
            return interview.skip()
        elif word in BACK:
            if interview.before is None:
                self._say(_AT_START, "yellow")
            return interview.back()
        else:
            try:
                return interview.answer(read(question, said))
            except InputError as error:
                for problem in error.problems:
                    self._say(problem.message, "yellow")
        return interview

    def _show(self, question: Question, n_left: int) -> None:
        left = Text(f"about {n_left} questions left", f"约剩 {n_left} 题")
        if n_left == 1:
            left = Text("last question, as things stand", "目前看是最后一题")
        self._console.print()
        self._say(left, "dim")
        self._say(question.text, "bold")
        for number, choice in enumerate(question.choices.values(), start=1):
            self._console.print(Styled(f"  {number}  {choice.to(self._lang)}"))

    def _hear(self) -> str | None:
        """One line, ``None`` when the input has ended."""
        while True:
            try:
                return self._console.input(Styled("> ", style="bold")).strip()
            except UnicodeDecodeError:
                self._say(_UNREADABLE, "yellow")
            except EOFError:
                self._console.print()
                return None

    def _say(self, text: Text, style: str = "") -> None:
        self._console.print(Wrapped(text.to(self._lang), style))


def _interrupted(interview: Interview) -> Interrupted:
    """Says how to go on with what was answered."""
    answered = {
        name: interview.situation.given(name)
        for name, origin in interview.situation.origins.items()
        if origin == "answered"
    }
    command = shlex.join(["tuneworth", "advise", *as_flags(answered)])
    en, zh = (f" To go on with your answers: {command}", f"沿用已有的回答继续：{command}") if answered else ("", "")
    return Interrupted(Problem("", Text(en=f"stopped; no advice was given.{en}", zh=f"已停止，没有给出建议。{zh}")))
