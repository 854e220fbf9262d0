"""What arms cost, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Styled

from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang
from tuneworth.report.pages.cost import CostSection, build_cost
from tuneworth.report.terminal.layout import CHOSEN, HEADING, QUIET, below, bullets, headed, ruled, section
from tuneworth.report.terminal.wrap import Wrapped
from tuneworth.words.say import say


def cost_summary(result: RunResult, lang: Lang, report_path: Path | None = None) -> RenderableType:
    """The costs of a run that has some."""
    found = build_cost(result, lang)
    if found is None:
        return Group()
    w, colon = found.words, say("units.marks.colon").to(lang)
    table_c = [f"{row} {about}{colon}{_cells(found, cells, colon, lang)}" for row, about, cells in found.table_c]
    parts = [
        headed(w["money"], *(Wrapped(sentence) for sentence in found.answer)),
        below(_arms(found)),
        section(w["pair"], _table([w["pair"], w["cheaper"], w["probability"], w["break_even"], w["pay_back"]], found.pairs))
        if found.pairs
        else None,
        *(
            section(
                f"{w['sum']}{colon}{each.label}",
                _table([w["when"], w["what"], w["amount"], w["price"], w["usd_a_month"]], [(*line[:4], line[5]) for line in each.lines]),
                Styled(f"{w['total']}{colon}{each.total}", style=HEADING),
            )
            for each in found.sums[:2]
        ),
        section(w["moves"], Wrapped(found.moves_lead, QUIET), _table([w["input"], w["low"], w["high"]], found.moves))
        if found.moves
        else None,
        bullets(w["table_c"], table_c),
        below(Wrapped(found.lead, QUIET)),
        below(Styled(say("cli.cost.written", path=str(report_path)).to(lang), style=HEADING)) if report_path else None,
    ]  # fmt: skip
    return Group(*(part for part in parts if part is not None))


def _cells(found: CostSection, cells: Sequence[str], colon: str, lang: Lang) -> str:
    between = say("units.names.between_clauses").to(lang)
    told = [f"{choice}{colon}{cell}" for (choice, _), cell in zip(found.choices, cells, strict=True)]
    return between.join(told)


def _arms(found: CostSection) -> Table:
    w = found.words
    table = ruled(gap=2)
    table.add_column(w["arm"], overflow="fold", ratio=1)
    table.add_column(w["monthly"], justify="right")
    for row in found.arms:
        name: RenderableType = Wrapped(("▸ " if row.recommended else "  ") + row.label, hang=2)
        if row.lacking:
            name = Group(name, Wrapped(f"    {w['lacking']} {row.lacking}", QUIET, hang=4))
        table.add_row(
            name, Styled(" ".join(filter(None, (row.monthly, row.yuan)))), style=CHOSEN if row.recommended else ""
        )
    return table  # fmt: skip


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = ruled(gap=2)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(Styled(cell) for cell in row))
    return table
