"""What the summaries for a terminal are built of, readable at 80 columns and without colour.

Strings from data files reach rich as ``Text`` and never as markup, so ``[red]`` in a label is shown
as it is.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Styled

from tuneworth.report.terminal.wrap import Wrapped

HEADING = "bold"
QUIET = "dim"
CHOSEN = "bold green"


def headed(
    title: str, *body: RenderableType, style: str = CHOSEN, border: str = "green", above: int = 0
) -> RenderableType:
    """What a summary begins with: a frame that has its title in the edge, with ``above`` empty lines inside."""
    return Panel(
        Group(*body),
        title=Styled(f" {title} ", style=style),
        title_align="left",
        border_style=border,
        padding=(above, 2),
        box=box.ROUNDED,
    )


def below(*body: RenderableType) -> RenderableType:
    """``body`` after an empty line."""
    return Padding(Group(*body), (1, 0, 0, 0))


def section(title: str, *body: RenderableType) -> RenderableType:
    return below(Styled(title, style=HEADING), *body)


def indented(title: str, *body: RenderableType) -> RenderableType:
    """A section whose body stands two columns in."""
    return section(title, Padding(Group(*body), (0, 0, 0, 2)))


def bullets(title: str, sentences: Iterable[str]) -> RenderableType | None:
    """A section with one bullet a sentence, or nothing without sentences."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column()
    for sentence in sentences:
        grid.add_row(Styled("•", style=QUIET), Wrapped(sentence))
    return section(title, grid) if grid.row_count else None


def beside(rows: Iterable[tuple[RenderableType, ...]], widest: int = 28) -> Table:
    """Rows with something short in front, of at most ``widest`` columns of the terminal."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(max_width=widest)
    for row in rows:
        grid.add_row(*row)
    return grid


def ruled(gap: int = 2, leading: int = 0) -> Table:
    """A table with a line below its header and ``gap`` columns between those that are added to it."""
    return Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, gap, 0, 0),
        header_style=QUIET,
        leading=leading,
    )
