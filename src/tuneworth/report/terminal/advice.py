"""Advice for a terminal, readable at 80 columns and without colour.

What the advice is and how sure it is come first, then what speaks for and against it, then what would settle it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Styled

from tuneworth.core.advice import Advice, Choice, Contradiction, CostCell, FiredRule, KnownFact, RankedApproach, Stance
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.advice_words import ANSWERS, CHOICES, COSTS, ORIGINS, STANCES, WORDS
from tuneworth.report.plain import clean, sentence_case
from tuneworth.report.terminal.wrap import Wrapped

HEADING = "bold"
QUIET = "dim"
CHOSEN = "bold green"
MISSING_SHOWN = 6
_STANCE_ORDER: tuple[Stance, ...] = ("for", "against", "neutral")
_CHOICE_ORDER: tuple[Choice, ...] = ("prompt", "small_model", "provider")
_MARKS: dict[str, str] = {"yes": "✓", "no": "✗", "unknown": "?"}


def print_advice(advice: Advice, lang: Lang, console: Console, *, chart: str = "") -> None:
    """The summary, and the task file with its lines whole, so that they can be copied."""
    console.print(advice_summary(advice, lang, chart=chart))
    console.print(Styled(f"\n{WORDS['task'].to(lang)}", style=HEADING))
    console.print(Styled(clean(advice.task_yaml).rstrip("\n")), soft_wrap=True)


def advice_summary(advice: Advice, lang: Lang, *, chart: str = "") -> RenderableType:
    """All of the advice but the task file.

    Args:
        chart: the flow chart as text, with this situation's way marked; left out when empty.
    """
    parts = [
        _head(advice, lang),
        _facts(advice, lang),
        _self_test(advice, lang),
        _rules(advice, lang),
        _contradictions(advice.contradictions, lang),
        _ranking(advice, lang),
        _costs(advice.costs, lang),
        _pros_cons(advice, lang),
        _missing(advice, lang),
        _section(WORDS["chart"], lang, Styled(clean(chart), overflow="fold")) if chart else None,
    ]
    return Group(*(part for part in parts if part is not None))


def _head(advice: Advice, lang: Lang) -> RenderableType:
    title = Styled(f" {WORDS['advice'].to(lang)} ", style=CHOSEN)
    body = Group(Wrapped(advice.headline.to(lang), HEADING), Wrapped(WORDS["prior"].to(lang), QUIET))
    return Panel(body, title=title, title_align="left", border_style="green", padding=(0, 2), box=box.ROUNDED)


def _facts(advice: Advice, lang: Lang) -> RenderableType | None:
    table = _grid(28)
    table.add_column()
    for fact in advice.facts:
        title = Wrapped(sentence_case(clean(fact.title.to(lang))), hang=2)
        value = Wrapped(clean(fact.shown.to(lang)))
        note = _origin(fact, lang)
        table.add_row(title, Group(value, Wrapped(note, QUIET)) if note else value)
    return _section(WORDS["facts"], lang, table) if advice.facts else None


def _origin(fact: KnownFact, lang: Lang) -> str:
    """Where a fact comes from, unless the reader said it."""
    said = [ORIGINS[fact.origin].to(lang)] if fact.origin != "answered" else []
    said += [clean(fact.why.to(lang))] if fact.why else []
    return ("：" if lang == "zh" else ": ").join(said)


def _self_test(advice: Advice, lang: Lang) -> RenderableType:
    test = advice.self_test
    table = _grid(4)
    table.add_column(no_wrap=True)
    table.add_column()
    for answer in test.answers:
        why = "" if answer.answer == "unknown" else clean(answer.why.to(lang))
        word = Styled(
            f"{_MARKS[answer.answer]} {ANSWERS[answer.answer].to(lang)}", HEADING if answer.answer == "yes" else ""
        )
        question = Wrapped(answer.question.to(lang))
        table.add_row(Styled(answer.row, QUIET), word, Group(question, Wrapped(why, QUIET)) if why else question)
    score = Text(
        f"{test.yes} yes, {test.unknown} not known; {test.threshold} or more speak for considering fine-tuning",
        f"{test.yes} 项为是，{test.unknown} 项未知；达到 {test.threshold} 项即可考虑微调",
    )
    return _section(WORDS["self_test"], lang, Group(table, Wrapped(score.to(lang))))


def _rules(advice: Advice, lang: Lang) -> RenderableType | None:
    groups: list[tuple[Stance, list[FiredRule]]] = [
        (stance, [rule for rule in advice.rules if rule.stance == stance]) for stance in _STANCE_ORDER
    ]
    parts = [_stance(stance, rules, lang) for stance, rules in groups if rules]
    return Group(*parts) if parts else None


def _stance(stance: Stance, rules: Sequence[FiredRule], lang: Lang) -> RenderableType:
    """The rules of one stance, the weightiest first."""
    ordered = sorted(rules, key=lambda rule: -rule.weight)
    return _section(STANCES[stance], lang, _bullets((rule.seed_rows, rule.reason.to(lang)) for rule in ordered))


def _contradictions(found: Sequence[Contradiction], lang: Lang) -> RenderableType | None:
    table = _grid(28)
    table.add_column()
    for item in found:
        sides = dict.fromkeys([" ".join(item.pulls_for), " ".join(item.pulls_against)])
        versus = " ↔ ".join(side for side in sides if side)
        lines = [Wrapped(f"{item.title.to(lang)}  {versus}", HEADING), Wrapped(item.clash.to(lang))]
        lines.append(Wrapped(f"→ {item.settled_by.to(lang)}", hang=2))
        lines += [Wrapped(f"$ {command}", QUIET) for command in item.commands]
        table.add_row(Styled(item.row, QUIET), Group(*lines))
    return _section(WORDS["contradictions"], lang, table) if found else None


def _ranking(advice: Advice, lang: Lang) -> RenderableType:
    rows = {rule.id: rule.seed_rows[0] for rule in advice.rules if rule.seed_rows}
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style=QUIET)
    table.add_column(WORDS["approach"].to(lang), no_wrap=True)
    table.add_column(WORDS["score"].to(lang), justify="right", no_wrap=True)
    table.add_column(f"+ {WORDS['for'].to(lang)} / − {WORDS['against'].to(lang)}", overflow="fold", ratio=1)
    for item in advice.ranking:
        style = CHOSEN if item.approach == advice.expected else QUIET if item.ruled_out else ""
        score = "–" if item.ruled_out else f"{item.score:+.1f}"
        title = sentence_case(item.title.to(lang))
        table.add_row(Styled(title), Styled(score), Wrapped(_standing(item, rows, lang)), style=style)
    return _section(WORDS["ranking"], lang, table)


def _standing(item: RankedApproach, rows: dict[str, str], lang: Lang) -> str:
    """Why an approach is out, or the main row of each rule for and against it."""
    if item.ruled_out is not None:
        return item.ruled_out.to(lang)
    sides = (("+", item.rules_for), ("−", item.rules_against))
    said = {sign: list(dict.fromkeys(rows[rule] for rule in rules if rule in rows)) for sign, rules in sides}
    return "   ".join(f"{sign} {' '.join(found)}" for sign, found in said.items() if found)


def _costs(cells: Sequence[CostCell], lang: Lang) -> RenderableType | None:
    """A row a cost. A choice with one answer to all of them (it is ruled out) is told below and has no column."""
    texts: dict[Choice, dict[str, str]] = {
        choice: {cell.row: cell.text.to(lang) for cell in cells if cell.choice == choice} for choice in _CHOICE_ORDER
    }
    shown: list[Choice] = [choice for choice in _CHOICE_ORDER if len(set(texts[choice].values())) > 1]
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style=QUIET, leading=1
    )
    table.add_column("", no_wrap=True, min_width=8)
    for choice in shown:
        table.add_column(CHOICES[choice].to(lang), ratio=1, overflow="fold")
    for row in dict.fromkeys(cell.row for cell in cells):
        name = Group(Styled(COSTS[row].to(lang)), Styled(row, QUIET))
        table.add_row(name, *(Wrapped(texts[choice].get(row, "")) for choice in shown))
    colon = "：" if lang == "zh" else ": "
    out = [
        Wrapped(f"{sentence_case(CHOICES[choice].to(lang))}{colon}{next(iter(texts[choice].values()))}")
        for choice in _CHOICE_ORDER
        if texts[choice] and choice not in shown
    ]
    return _section(WORDS["costs"], lang, Group(table, *out)) if cells else None


def _pros_cons(advice: Advice, lang: Lang) -> RenderableType | None:
    items = [([item.row, "+" if item.stance == "for" else "−"], item.text.to(lang)) for item in advice.pros_cons]
    return _section(WORDS["pros_cons"], lang, _bullets(items)) if items else None


def _missing(advice: Advice, lang: Lang) -> RenderableType | None:
    """The facts that could change the advice most, and how many more there are."""
    table = _grid(1)
    table.add_column()
    for item in advice.missing[:MISSING_SHOWN]:
        table.add_row(Styled("?", QUIET), Group(Wrapped(item.question.to(lang)), Wrapped(item.why.to(lang), QUIET)))
    more = len(advice.missing) - MISSING_SHOWN
    rest = Text(f"and {more} more that would seldom change it (--json)", f"另有 {more} 项，很少会改变建议（见 --json）")
    if more > 0:
        table.add_row("", Wrapped(rest.to(lang), QUIET))
    return _section(WORDS["missing"], lang, table) if advice.missing else None


def _bullets(items: Iterable[tuple[Sequence[str], str]]) -> RenderableType:
    """Sentences with the rows that they come from in front."""
    table = _grid(28)
    table.add_column()
    for rows, sentence in items:
        table.add_row(Wrapped(" ".join(rows), QUIET), Wrapped(clean(sentence)))
    return table


def _grid(widest: int) -> Table:
    """A first column of short words, at most ``widest`` columns of the terminal; add the others."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(max_width=widest)
    return grid


def _section(title: Text, lang: Lang, body: RenderableType) -> RenderableType:
    return Padding(Group(Styled(title.to(lang), style=HEADING), Padding(body, (0, 0, 0, 2))), (1, 0, 0, 0))
