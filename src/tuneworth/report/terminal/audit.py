"""The audit for a terminal, readable at 80 columns and without colour."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Styled

from tuneworth.core.audit import AuditResult, Severity
from tuneworth.core.text import Lang
from tuneworth.report.pages.audit import AuditView, FindingView, MentionView, build_audit_view
from tuneworth.report.plain import shorten
from tuneworth.report.terminal.wrap import Wrapped

ROWS_SHOWN = 3
_STYLES: dict[Severity, str] = {"serious": "bold red", "warning": "bold yellow", "note": "bold"}
_QUIET = "dim"


def audit_summary(result: AuditResult, lang: Lang, *, name: str = "") -> RenderableType:
    """Findings worst first with their worst rows, then what was checked and the facts."""
    view = build_audit_view(result, lang, name=name)
    parts = [_head(view), *(_finding(finding, view) for finding in view.findings), _checks(view)]
    if view.facts:
        parts.append(_facts(view))
    return Group(*parts)


def _head(view: AuditView) -> RenderableType:
    title = Styled(f" {view.title or view.words['audit']} ", style="bold")
    verdict = ("，" if view.lang == "zh" else ", ").join(view.verdict)
    body = Group(Wrapped(verdict, "bold"), Wrapped(" · ".join(view.strip), _QUIET))
    return Panel(body, title=title, title_align="left", border_style=_QUIET, padding=(0, 2), box=box.ROUNDED)


def _finding(finding: FindingView, view: AuditView) -> RenderableType:
    lines: list[RenderableType] = [Wrapped(finding.title, "bold")]
    colon = "：" if view.lang == "zh" else ": "
    for measure in finding.measures:
        note = f"  {measure.note}" if measure.note else ""
        lines.append(Wrapped(f"{measure.name}{colon}{measure.value}{note}", _QUIET, hang=2))
    lines += [_row(row) for row in finding.rows[:ROWS_SHOWN]]
    lines.append(Wrapped(finding.why))
    lines.append(Wrapped(f"→ {finding.fix}", hang=2))
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, min_width=7)
    grid.add_column()
    grid.add_row(Styled(finding.severity_word, style=_STYLES[finding.severity]), Group(*lines))
    return Padding(grid, (1, 0, 0, 0))


def _row(row: MentionView) -> RenderableType:
    """One row on at most two lines."""
    where = f"{row.source} ↔ {row.other}" if row.other else row.source
    said = f"{row.detail} | {row.text}" if row.detail else row.text
    return Wrapped(f"{where}  {shorten(said, 110)}", _QUIET, hang=4)


def _checks(view: AuditView) -> RenderableType:
    w = view.words
    table = _table(w["check"], w["looked_at"], w["time"], w["outcome"])
    for check in view.checks:
        style = _QUIET if check.skipped else ""
        outcome = (
            f"{w['skipped']}{'：' if view.lang == 'zh' else ': '}{check.outcome}" if check.skipped else check.outcome
        )
        table.add_row(
            Wrapped(check.title, hang=2), Styled(check.looked_at), Styled(check.seconds), Wrapped(outcome), style=style
        )
    return Padding(Group(Styled(w["checks"], style="bold"), table), (1, 0, 0, 0))


def _facts(view: AuditView) -> RenderableType:
    w = view.words
    table = _table(w["fact"], w["value"], w["how"])
    for fact in view.facts:
        table.add_row(Wrapped(fact.name, hang=2), Styled(fact.value), Wrapped(fact.why))
    return Padding(Group(Styled(w["facts"], style="bold"), table), (1, 0, 0, 0))


def _table(first: str, *others: str) -> Table:
    """First and last column are text, those between numbers."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style=_QUIET)
    table.add_column(first, overflow="fold")
    for name in others[:-1]:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column(others[-1], overflow="fold", ratio=1)
    return table
