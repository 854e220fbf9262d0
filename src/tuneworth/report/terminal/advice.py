"""Advice for a terminal.

What the advice is and how sure it is come first, then what speaks for and against it, then what would settle it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.text import Text as Styled

from tuneworth.core.advice import Advice, Choice, Contradiction, CostCell, SelfTest, Stance
from tuneworth.core.text import Lang
from tuneworth.report.plain import clean, sentence_case
from tuneworth.report.terminal.layout import CHOSEN, HEADING, QUIET, beside, headed, indented, ruled
from tuneworth.report.terminal.wrap import Wrapped
from tuneworth.words.names import in_lang
from tuneworth.words.say import say, table

MISSING_SHOWN = 6
_STANCES: tuple[Stance, ...] = ("for", "against", "neutral")
_CHOICES: tuple[Choice, ...] = ("prompt", "small_model", "provider")
_MARKS: dict[str, str] = {"yes": "✓", "no": "✗", "unknown": "?"}


def print_advice(advice: Advice, lang: Lang, console: Console, *, chart: str = "") -> None:
    """The summary, and the task file with its lines whole, so that they can be copied."""
    console.print(advice_summary(advice, lang, chart=chart))
    console.print(Styled(f"\n{say('advice_page.labels.task').to(lang)}", style=HEADING))
    console.print(Styled(clean(advice.task_yaml).rstrip("\n")), soft_wrap=True)


def advice_summary(advice: Advice, lang: Lang, *, chart: str = "") -> RenderableType:
    """All of the advice but the task file.

    Args:
        chart: the flow chart as text, with this situation's way marked; left out when empty.
    """
    w = in_lang(table("advice_page.labels"), lang)
    parts = [headed(w["advice"], Wrapped(advice.headline.to(lang), HEADING), Wrapped(w["prior"], QUIET))]
    if advice.facts:
        parts.append(indented(w["facts"], _facts(advice, lang)))
    parts.append(indented(w["self_test"], *_self_test(advice.self_test, lang)))
    for stance in _STANCES:
        rules = sorted((rule for rule in advice.rules if rule.stance == stance), key=lambda rule: -rule.weight)
        if rules:
            told = _told((rule.seed_rows, rule.reason.to(lang)) for rule in rules)
            parts.append(indented(say(f"advice_page.stances.{stance}").to(lang), told))
    if advice.contradictions:
        parts.append(indented(w["contradictions"], _contradictions(advice.contradictions, lang)))
    parts.append(indented(w["ranking"], _ranking(advice, w, lang)))
    if advice.costs:
        parts.append(indented(w["costs"], *_costs(advice.costs, lang)))
    if advice.pros_cons:
        items = (([item.row, "+" if item.stance == "for" else "−"], item.text.to(lang)) for item in advice.pros_cons)
        parts.append(indented(w["pros_cons"], _told(items)))
    if advice.missing:
        parts.append(indented(w["missing"], _missing(advice, lang)))
    if chart:
        parts.append(indented(w["chart"], Styled(clean(chart), overflow="fold")))
    return Group(*parts)


def _facts(advice: Advice, lang: Lang) -> RenderableType:
    """Each fact, and where it comes from unless the reader said it."""
    rows: list[tuple[RenderableType, ...]] = []
    for fact in advice.facts:
        origin = [say(f"advice_page.origins.{fact.origin}").to(lang)] if fact.origin != "answered" else []
        origin += [clean(fact.why.to(lang))] if fact.why else []
        note = say("units.marks.colon").to(lang).join(origin)
        value = Wrapped(clean(fact.shown.to(lang)))
        title = Wrapped(sentence_case(clean(fact.title.to(lang))), hang=2)
        rows.append((title, Group(value, Wrapped(note, QUIET)) if note else value))
    return beside(rows)


def _self_test(test: SelfTest, lang: Lang) -> Iterable[RenderableType]:
    rows: list[tuple[RenderableType, ...]] = []
    for answer in test.answers:
        said = f"{_MARKS[answer.answer]} {say(f'advice_page.answers.{answer.answer}').to(lang)}"
        why = "" if answer.answer == "unknown" else clean(answer.why.to(lang))
        question = Wrapped(answer.question.to(lang))
        rows.append(
            (
                Styled(answer.row, QUIET),
                Styled(said, HEADING if answer.answer == "yes" else "", no_wrap=True),
                Group(question, Wrapped(why, QUIET)) if why else question,
            )
        )
    score = say("advice_page.self_test", yes=test.yes, unknown=test.unknown, threshold=test.threshold)
    return beside(rows, widest=4), Wrapped(score.to(lang))


def _contradictions(found: Sequence[Contradiction], lang: Lang) -> RenderableType:
    rows: list[tuple[RenderableType, ...]] = []
    for item in found:
        sides = dict.fromkeys([" ".join(item.pulls_for), " ".join(item.pulls_against)])
        versus = " ↔ ".join(side for side in sides if side)
        lines = [Wrapped(f"{item.title.to(lang)}  {versus}", HEADING), Wrapped(item.clash.to(lang))]
        lines.append(Wrapped(f"→ {item.settled_by.to(lang)}", hang=2))
        lines += [Wrapped(f"$ {command}", QUIET) for command in item.commands]
        rows.append((Styled(item.row, QUIET), Group(*lines)))
    return beside(rows)


def _ranking(advice: Advice, words: Mapping[str, str], lang: Lang) -> RenderableType:
    main_rows = {rule.id: rule.seed_rows[0] for rule in advice.rules if rule.seed_rows}
    shown = ruled()
    shown.add_column(words["approach"], no_wrap=True)
    shown.add_column(words["score"], justify="right", no_wrap=True)
    shown.add_column(f"+ {words['for']} / − {words['against']}", overflow="fold", ratio=1)
    for item in advice.ranking:
        style = CHOSEN if item.approach == advice.expected else QUIET if item.ruled_out else ""
        score = "–" if item.ruled_out else f"{item.score:+.1f}"
        if item.ruled_out is not None:
            why = item.ruled_out.to(lang)
        else:  # the main row of each rule for and against it
            sides = (("+", item.rules_for), ("−", item.rules_against))
            rows = {sign: dict.fromkeys(main_rows[id] for id in ids if id in main_rows) for sign, ids in sides}
            why = "   ".join(f"{sign} {' '.join(found)}" for sign, found in rows.items() if found)
        shown.add_row(Styled(sentence_case(item.title.to(lang))), Styled(score), Wrapped(why), style=style)
    return shown


def _costs(cells: Sequence[CostCell], lang: Lang) -> Iterable[RenderableType]:
    """A row a cost. A choice with one answer to all of them (it is ruled out) is told below and has no column."""
    names, costs = in_lang(table("advice_page.choices"), lang), in_lang(table("advice_page.costs"), lang)
    texts: dict[Choice, dict[str, str]] = {
        choice: {cell.row: cell.text.to(lang) for cell in cells if cell.choice == choice} for choice in _CHOICES
    }
    columns: list[Choice] = [choice for choice in _CHOICES if len(set(texts[choice].values())) > 1]
    shown = ruled(leading=1)
    shown.add_column("", no_wrap=True, min_width=8)
    for choice in columns:
        shown.add_column(names[choice], ratio=1, overflow="fold")
    for row in dict.fromkeys(cell.row for cell in cells):
        name = Group(Styled(costs[row]), Styled(row, QUIET))
        shown.add_row(name, *(Wrapped(texts[choice].get(row, "")) for choice in columns))
    yield shown
    for choice in _CHOICES:
        if texts[choice] and choice not in columns:
            colon = say("units.marks.colon").to(lang)
            yield Wrapped(f"{sentence_case(names[choice])}{colon}{next(iter(texts[choice].values()))}")


def _missing(advice: Advice, lang: Lang) -> RenderableType:
    """The facts that could change the advice most, and how many more there are."""
    rows: list[tuple[RenderableType, ...]] = [
        (Styled("?", QUIET), Group(Wrapped(item.question.to(lang)), Wrapped(item.why.to(lang), QUIET)))
        for item in advice.missing[:MISSING_SHOWN]
    ]
    more = len(advice.missing) - MISSING_SHOWN
    if more > 0:
        rows.append((Styled(""), Wrapped(say("advice_page.more_missing", n=more).to(lang), QUIET)))
    return beside(rows, widest=1)


def _told(items: Iterable[tuple[Sequence[str], str]]) -> RenderableType:
    """Sentences with the rows that they come from in front."""
    return beside((Wrapped(" ".join(rows), QUIET), Wrapped(clean(sentence))) for rows, sentence in items)
