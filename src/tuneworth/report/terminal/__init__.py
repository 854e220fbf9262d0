"""The summary of a run for a terminal, readable at 80 columns and without colour.

Strings from data files reach rich as ``Text`` and never as markup, so ``[red]`` in a label is shown
as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Styled

from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang
from tuneworth.report.pages.arms import NOTHING, ArmRow
from tuneworth.report.terminal.wrap import Wrapped
from tuneworth.report.view import View, build_view
from tuneworth.words import numbers

HEADING = "bold"
QUIET = "dim"
CHOSEN = "bold green"
MAX_FINDINGS = 4


def summary(result: RunResult, lang: Lang, report_path: Path | None = None) -> RenderableType:
    """The verdict, the arms, what documents showed, what was skipped and what would change the verdict."""
    view = build_view(result, lang)
    parts = [
        _verdict(view),
        _arms(view),
        _section(view.words["reasons"], view.verdict.reasons),
        _section(view.words["would_change"], view.verdict.would_change),
        _raced(view),
        _section(view.documents.words["documents"], view.documents.brief) if view.documents else None,
        _section(view.words["skipped"], (_named(arm.label, arm.why, lang) for arm in view.skipped)),
        _section(view.words["warnings"], view.data.warnings),
        _audited(view),
        _expected(view),
        _seed(view),
        _path(view, report_path),
    ]
    return Group(*(part for part in parts if part is not None))


def _verdict(view: View) -> RenderableType:
    verdict = view.verdict
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style=QUIET)
    grid.add_column()
    for fact in (*verdict.facts, *([verdict.rows] if verdict.rows else [])):
        value = Wrapped(fact.value, HEADING)
        grid.add_row(Styled(fact.name), Group(value, Wrapped(fact.note)) if fact.note else value)
    body = Group(Wrapped(verdict.headline), Styled(""), grid)
    title = Styled(f" {verdict.word} ", style=CHOSEN)
    return Panel(body, title=title, title_align="left", border_style="green", padding=(1, 2), box=box.ROUNDED)


def _arms(view: View) -> RenderableType:
    w = view.words
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style=QUIET)
    table.add_column(w["arm"] + numbers.in_parentheses(view.metric).to(view.lang), overflow="fold", ratio=1)
    for name in ("score_dev", "score_test", "per_row_short", "fit_time", "usd_short"):
        table.add_column(w[name], justify="right", no_wrap=name not in ("score_test",), overflow="fold")
    for arm in view.arms:
        table.add_row(*_arm_cells(arm), style=CHOSEN if arm.recommended else "")
    note = Wrapped(_legend(view), QUIET)
    return Padding(Group(table, note), (1, 0, 0, 0))


def _arm_cells(arm: ArmRow) -> tuple[RenderableType, ...]:
    mark = "▸ " if arm.recommended else "· " if arm.stage == "yardstick" else "  "
    name: RenderableType = Wrapped(mark + arm.label, hang=2)
    for note in (arm.bound, arm.part, arm.trainings, arm.unscored):
        if note:
            name = Group(name, Wrapped(f"    {note}", QUIET, hang=4))
    test = f"{arm.test.value} {arm.test.interval}" if arm.test else NOTHING
    cells = (arm.dev.value if arm.dev else NOTHING, test, arm.per_row, arm.fit_time, arm.usd_per_1k)
    return name, *(Styled(cell) for cell in cells)


def _legend(view: View) -> str:
    if view.lang == "zh":
        return "▸ 推荐　· 参照，不会被推荐　– 未入围，没有用过测试集"
    return "▸ recommended   · yardstick, never recommended   – not a finalist, no test rows seen"


def _section(title: str, sentences: Iterable[str]) -> RenderableType | None:
    """A heading with one bullet a sentence, or nothing without sentences."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column()
    for sentence in sentences:
        grid.add_row(Styled("•", style=QUIET), Wrapped(sentence))
    return Padding(Group(Styled(title, style=HEADING), grid), (1, 0, 0, 0)) if grid.row_count else None


def _raced(view: View) -> RenderableType | None:
    """Three lines at most: what the race took, what more rows would change, and what the rows can show if that is in doubt."""
    race, forecasts = view.race, view.forecasts
    lines = [
        race.spent + (" " if view.lang == "en" and race.cut else "") + race.cut if race else "",
        forecasts.answer if forecasts else "",
        view.power if view.verdict.code == "cant_tell" else "",
    ]
    return _section(view.words["race_and_forecast"], (line for line in lines if line))


def _named(name: str, sentence: str, lang: Lang) -> str:
    return f"{name}：{sentence}" if lang == "zh" else f"{name}: {sentence}"


def _audited(view: View) -> RenderableType | None:
    """The findings of the audit that matter most; the page has them all."""
    if view.audit is None:
        return None
    worst = [finding for finding in view.audit.findings if finding.severity != "note"][:MAX_FINDINGS]
    return _section(view.audit.words["audit"], (_named(f.severity_word, f.title, view.lang) for f in worst))


def _expected(view: View) -> RenderableType | None:
    """One line: who was expected to win, and how that fared."""
    expected = view.expected
    if expected is None:
        return None
    said = _named(expected.finding_word, expected.sentence, view.lang)
    return Padding(Group(Styled(view.words["expected"], style=HEADING), Wrapped(said)), (1, 0, 0, 0))


def _seed(view: View) -> RenderableType | None:
    """One line: which rules of thumb the run confirms, overturns and leaves open."""
    groups: dict[str, list[str]] = {}
    for item in view.seed:
        groups.setdefault(item.finding_word, []).extend(rule for rule, _ in item.rules)
    if not groups:
        return None
    inner, outer = ("：", "；") if view.lang == "zh" else (": ", "; ")
    said = outer.join(f"{word}{inner}{' '.join(rows)}" for word, rows in groups.items())
    return Padding(Group(Styled(view.words["seed"], style=HEADING), Wrapped(said)), (1, 0, 0, 0))


def _path(view: View, report_path: Path | None) -> RenderableType | None:
    if report_path is None:
        return None
    line = Styled(view.words["report_at"] + ("：" if view.lang == "zh" else ": "), style=HEADING)
    return Padding(line.append(str(report_path), style="not bold"), (1, 0, 0, 0))
