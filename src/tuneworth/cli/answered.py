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
        yield _line(Text(en="Passages read:", zh="参考段落：").to(lang), "dim")
    for passage in passages:
        yield from _passage_lines(numbers[passage.id], passage, passage.id in answer.citations, lang, columns)


def _notes(answered: Answered, documents: Collection | None) -> Iterator[Text]:
    answer = answered.answer
    if answered.none_because is not None:
        yield _nothing_shown(answered, documents)
    made_up = [name.removeprefix("?") for name in answer.citations if name not in answer.passages]
    if made_up:
        listed = ", ".join(f"[{number}]" for number in made_up)
        yield Text(
            en=f"The answer also cites {listed}, which was not shown to it: do not rely on that citation.",
            zh=f"回答还引用了并未提供的段落 {listed}，这处引用不可信。",
        )


def _nothing_shown(answered: Answered, documents: Collection | None) -> Text:
    """Why the answer rests on no passage."""
    least = documents.min_similarity if documents is not None else None
    because = {
        "not_found": Text(en="No passage was found among those that may be read", zh="在可查的段落中没有找到"),
        "too_far": Text(en=f"No passage reaches the similarity {least}", zh=f"没有相似度达到 {least} 的段落"),
        "no_room": Text(
            en="No passage fits into the model's context beside the question",
            zh="加上问题后，模型的上下文放不下任何段落",
        ),
    }[answered.none_because or "not_found"]
    if answered.answer.usage.prompt_tokens:
        return Text(en=f"{because.en}; the model answered without.", zh=f"{because.zh}；这个回答没有文档依据。")
    return Text(en=f"{because.en}; the model was not asked.", zh=f"{because.zh}；没有询问模型。")


def _passage_lines(number: int, passage: Passage, is_cited: bool, lang: Lang, columns: int) -> Iterator[Styled]:
    mark = Text(en="  ← cited", zh="  ← 已引用").to(lang) if is_cited else ""
    above = " > ".join(dict.fromkeys(part for part in map(one_line, (passage.title, *passage.headings)) if part))
    head = f"[{number}] {above}".rstrip()
    yield _line(shorten(head, max(12, columns - 2 * len(mark))) + mark, "green" if is_cited else "")
    yield _line(_INDENT + shorten(_where(passage, lang), columns - len(_INDENT)), "dim")
    for line in _cut(wrap(one_line(passage.text), columns - len(_INDENT))):
        yield _line(_INDENT + line)


def _where(passage: Passage, lang: Lang) -> str:
    """Which document, which part of it, of when."""
    page = passage.page
    parts = [
        one_line(passage.id),
        Text(en=f"page {page}", zh=f"第 {page} 页").to(lang) if page is not None else "",
        passage.changed.isoformat() if passage.changed is not None else "",
    ]
    return " · ".join(part for part in parts if part)


def _cut(lines: list[str]) -> list[str]:
    return lines if len(lines) <= MAX_LINES else [*lines[: MAX_LINES - 1], lines[MAX_LINES - 1].rstrip("…") + "…"]


def _line(text: str, style: str = "") -> Styled:
    return Styled(text, style=style, no_wrap=True, overflow="fold")
