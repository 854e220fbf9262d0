"""The audit for a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Styled

from tuneworth.core.audit import AuditResult, Severity
from tuneworth.core.text import Lang
from tuneworth.report.pages.audit import FindingView, build_audit_view
from tuneworth.report.plain import shorten
from tuneworth.report.terminal.layout import QUIET, below, headed, ruled, section
from tuneworth.report.terminal.wrap import Wrapped
from tuneworth.words.say import say

ROWS_SHOWN = 3
_STYLES: dict[Severity, str] = {"serious": "bold red", "warning": "bold yellow", "note": "bold"}


def audit_summary(result: AuditResult, lang: Lang, *, name: str = "") -> RenderableType:
    """Findings worst first with their worst rows, then what was checked and the facts."""
    view = build_audit_view(result, lang, name=name)
    w, colon = view.words, say("units.marks.colon").to(lang)
    verdict = say("units.marks.comma").to(lang).join(view.verdict)
    checks = _table(w["check"], w["looked_at"], w["time"], w["outcome"])
    for check in view.checks:
        outcome = f"{w['skipped']}{colon}{check.outcome}" if check.skipped else check.outcome
        cells = Wrapped(check.title, hang=2), Styled(check.looked_at), Styled(check.seconds), Wrapped(outcome)
        checks.add_row(*cells, style=QUIET if check.skipped else "")
    facts = _table(w["fact"], w["value"], w["how"])
    for fact in view.facts:
        facts.add_row(Wrapped(fact.name, hang=2), Styled(fact.value), Wrapped(fact.note))
    return Group(
        headed(
            view.title or w["audit"],
            Wrapped(verdict, "bold"),
            Wrapped(" · ".join(view.strip), QUIET),
            style="bold",
            border=QUIET,
        ),
        *(_finding(finding, colon) for finding in view.findings),
        section(w["checks"], checks),
        *([section(w["facts"], facts)] if view.facts else []),
    )


def _finding(finding: FindingView, colon: str) -> RenderableType:
    lines: list[RenderableType] = [Wrapped(finding.title, "bold")]
    for measure in finding.measures:
        note = f"  {measure.note}" if measure.note else ""
        lines.append(Wrapped(f"{measure.name}{colon}{measure.value}{note}", QUIET, hang=2))
    for row in finding.rows[:ROWS_SHOWN]:  # each on at most two lines
        where = f"{row.source} ↔ {row.other}" if row.other else row.source
        said = f"{row.detail} | {row.text}" if row.detail else row.text
        lines.append(Wrapped(f"{where}  {shorten(said, 110)}", QUIET, hang=4))
    lines += [Wrapped(finding.why), Wrapped(f"→ {finding.fix}", hang=2)]
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, min_width=7)
    grid.add_column()
    grid.add_row(Styled(finding.severity_word, style=_STYLES[finding.severity]), Group(*lines))
    return below(grid)


def _table(first: str, *others: str) -> Table:
    """First and last column are text, those between numbers."""
    table = ruled()
    table.add_column(first, overflow="fold")
    for name in others[:-1]:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column(others[-1], overflow="fold", ratio=1)
    return table
