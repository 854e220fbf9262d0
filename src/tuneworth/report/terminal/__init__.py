"""The summary of a run for a terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Styled

from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang
from tuneworth.report.pages.arms import NOTHING
from tuneworth.report.terminal.layout import CHOSEN, HEADING, QUIET, below, bullets, headed, ruled, section
from tuneworth.report.terminal.wrap import Wrapped
from tuneworth.report.view import View, build_view
from tuneworth.words import numbers
from tuneworth.words.say import say

MAX_FINDINGS = 4


def summary(result: RunResult, lang: Lang, report_path: Path | None = None) -> RenderableType:
    """The verdict, the arms, what documents showed, what was skipped and what would change the verdict."""
    view = build_view(result, lang)
    w, audit, expected = view.words, view.audit, view.expected
    colon, between = say("units.marks.colon").to(lang), say("units.names.between_clauses").to(lang)
    worst = [finding for finding in audit.findings if finding.severity != "note"][:MAX_FINDINGS] if audit else []
    rules: dict[str, list[str]] = {}
    for seed in view.seed:
        rules.setdefault(seed.finding_word, []).extend(rule for rule, _ in seed.rules)
    fared = between.join(f"{word}{colon}{' '.join(rows)}" for word, rows in rules.items())
    # What the race took, what more rows would change, and what the rows can show if that is in doubt.
    race, space = view.race, say("units.marks.space").to(lang)
    raced = [
        space.join(filter(None, (race.spent, race.cut))) if race else "",
        view.forecasts.answer if view.forecasts else "",
        view.power if view.verdict.code == "cant_tell" else "",
    ]
    parts = [
        _verdict(view),
        _arms(view),
        bullets(w["reasons"], view.verdict.reasons),
        bullets(w["would_change"], view.verdict.would_change),
        bullets(w["race_and_forecast"], filter(None, raced)),
        bullets(view.decisions.words["decisions"], (row.told for row in view.decisions.rows))
        if view.decisions
        else None,
        bullets(view.documents.words["documents"], view.documents.brief) if view.documents else None,
        bullets(view.money.words["money"], view.money.answer) if view.money else None,
        bullets(w["skipped"], (f"{arm.label}{colon}{arm.why}" for arm in view.skipped)),
        bullets(w["warnings"], view.data.warnings),
        bullets(audit.words["audit"], (f"{found.severity_word}{colon}{found.title}" for found in worst))
        if audit
        else None,
        section(w["expected"], Wrapped(f"{expected.finding_word}{colon}{expected.sentence}")) if expected else None,
        section(w["seed"], Wrapped(fared)) if fared else None,
        below(Styled(f"{w['report_at']}{colon}", style=HEADING).append(str(report_path), style="not bold"))
        if report_path
        else None,
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
    doubts = bullets(view.words["doubts"], verdict.doubts)
    body = (Wrapped(verdict.headline), *([doubts] if doubts else []), Styled(""), grid)
    return headed(verdict.word, *body, above=1)


def _arms(view: View) -> RenderableType:
    w = view.words
    table = ruled(gap=1)
    table.add_column(w["arm"] + numbers.in_parentheses(view.metric).to(view.lang), overflow="fold", ratio=1)
    for key in ("score_dev", "score_test", "per_row_short", "fit_time", "usd_short"):
        table.add_column(w[key], justify="right", no_wrap=key != "score_test", overflow="fold")
    for arm in view.arms:
        mark = "▸ " if arm.recommended else "· " if arm.stage == "yardstick" else "  "
        name: RenderableType = Wrapped(mark + arm.label, hang=2)
        for note in (arm.bound, arm.part, arm.error, arm.trainings, arm.unscored):
            if note:
                name = Group(name, Wrapped(f"    {note}", QUIET, hang=4))
        test = f"{arm.test.value} {arm.test.interval}" if arm.test else NOTHING
        cells = (arm.dev.value if arm.dev else NOTHING, test, arm.per_row, arm.fit_time, arm.usd_per_1k)
        table.add_row(name, *(Styled(cell) for cell in cells), style=CHOSEN if arm.recommended else "")
    return below(table, Wrapped(w["legend"], QUIET))
