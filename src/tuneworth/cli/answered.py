"""An answer and the passages it was read from, for a terminal. All of it is data: cleaned, never interpreted."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text as Styled

from tuneworth.core.documents import Passage
from tuneworth.core.task import Collection
from tuneworth.core.text import Lang, Text
from tuneworth.report.plain import clean, one_line, shorten
from tuneworth.report.terminal.wrap import wrap
from tuneworth.serve.answer import Answered
from tuneworth.words.say import say

MAX_LINES = 4
"""Lines that are shown of a passage."""
_INDENT = "    "


def answer_lines(answered: Answered, documents: Collection | None, lang: Lang, columns: int) -> Iterator[Styled]:
    """The answer, then every passage that was shown to the model; those that the answer cites are marked."""
    answer, passages = answered.answer, answered.passages
    numbers = {passage.id: number for number, passage in enumerate(passages, 1)}
    cited = "".join(f" [{numbers[name]}]" for name in answer.citations if name in numbers)
    for line in wrap(clean(answer.text or "") + cited, columns):
        yield _line(line, "bold")
    for note in _notes(answered, documents):
        yield _line(note.to(lang), "yellow")
    if passages:
        yield _line("")
        yield _line(say("cli.ask.passages").to(lang), "dim")
    for passage in passages:
        yield from _passage_lines(numbers[passage.id], passage, passage.id in answer.citations, lang, columns)


def _notes(answered: Answered, documents: Collection | None) -> Iterator[Text]:
    """Why the answer rests on no passage, and what it cites that was not shown."""
    answer = answered.answer
    if answered.none_because is not None:
        least = documents.min_similarity if documents is not None else None
        because = say(f"cli.ask.none.{answered.none_because}", least=str(least))
        asked = bool(answer.usage.prompt_tokens)
        yield say("cli.ask.answered_without" if asked else "cli.ask.not_asked", because=because)
    made_up = [name.removeprefix("?") for name in answer.citations if name not in answer.passages]
    if made_up:
        names = ", ".join(f"[{number}]" for number in made_up)
        yield say("cli.ask.made_up", names=names)


def _passage_lines(number: int, passage: Passage, is_cited: bool, lang: Lang, columns: int) -> Iterator[Styled]:
    mark = say("cli.ask.cited").to(lang) if is_cited else ""
    above = " > ".join(dict.fromkeys(part for part in map(one_line, (passage.title, *passage.headings)) if part))
    head = f"[{number}] {above}".rstrip()
    yield _line(shorten(head, max(12, columns - 2 * len(mark))) + mark, "green" if is_cited else "")
    page, changed, room = passage.page, passage.changed, columns - len(_INDENT)
    where = [
        one_line(passage.id),
        say("cli.ask.page", n=str(page)).to(lang) if page is not None else "",
        changed.isoformat() if changed is not None else "",
    ]
    yield _line(_INDENT + shorten(" · ".join(filter(None, where)), room), "dim")
    lines = wrap(one_line(passage.text), room)
    if len(lines) > MAX_LINES:
        lines = [*lines[: MAX_LINES - 1], lines[MAX_LINES - 1].rstrip("…") + "…"]
    for line in lines:
        yield _line(_INDENT + line)


def _line(text: str, style: str = "") -> Styled:
    return Styled(text, style=style, no_wrap=True, overflow="fold")
