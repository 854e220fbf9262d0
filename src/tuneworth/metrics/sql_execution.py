"""SQL execution: whether a query gives the rows that the right query gives, however it is written.

Both are run by SQLite, on the file that ``metric_settings: {database: …}`` names, or on the tables that the row itself
declares (``CREATE TABLE`` and ``INSERT`` in its input). Tables without rows are filled with made-up ones that hold the numbers
and texts of the right query, since on empty tables every query is right (the idea of Zhong, Yu, Klein 2020,
https://aclanthology.org/2020.emnlp-main.29; a few made-up rows prove less than their distilled suites).

What is run cannot write, attach, load extensions or set pragmas (an authorizer refuses), and ends after so many steps of
SQLite's machine; texts, patterns and the number of rows are limited. Another dialect than SQLite's is not understood.
"""

from __future__ import annotations

import random
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from tuneworth.core.task import Example, OutputKind
from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.sql_text import declared_tables, has_order, one_query, plain_sql
from tuneworth.words.say import say

MAX_STEPS = 20_000_000
"""Instructions of SQLite's machine for one query: a second or two. Counted, not timed, so that a score does not depend on the load."""
_CHECKED_EVERY = 10_000
MAX_ROWS = 10_000
MADE_UP_ROWS = 24
DIGITS = 9
"""Of a number that is compared; the order of a sum moves those behind."""
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_REFUSED_FUNCTIONS = frozenset(
    {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "random", "randomblob"}
)
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
_LITERAL = re.compile(r"'((?:[^']|'')*)'|(?<![\w.])(\d+(?:\.\d+)?)")
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class SqlExecution(Metric):
    """1 if the query gives the reference's rows, else 0.

    Columns count in their order, by value and not by name; rows in any order, unless the reference sorts them; numbers to nine
    digits. A query that fails, takes too long or gives more than 10,000 rows is wrong. A reference that cannot be run here
    (it writes, it needs other tables), or gives nothing on made-up rows, is compared as text: case, spaces and a final semicolon
    do not matter.

    Attributes:
        database: an SQLite file; empty: the tables that the row declares.
        tables: those statements.
    """

    id: str = "sql_execution"
    title: Text = Text(en="SQL execution", zh="SQL 执行正确率")
    kinds: frozenset[OutputKind] = frozenset({"text"})
    binary: bool = True
    settable: ClassVar[Mapping[str, type]] = {"database": str}
    database: str = ""
    tables: tuple[str, ...] = ()

    def checked(self) -> Self:
        if self.database:
            place = "metric_settings.database"
            try:
                with Path(self.database).open("rb") as file:
                    is_sqlite = file.read(16) == b"SQLite format 3\x00"
            except OSError as error:
                raise InputError(Problem(place, say("answers.settings.no_file", shown=str(error)))) from None
            if not is_sqlite:
                raise InputError(Problem(place, say("answers.settings.no_sqlite", shown=self.database)))
        return self

    def for_row(self, row: Example) -> Self:
        return self if self.database else replace(self, tables=declared_tables(row.query.text))

    def compare(self, answer: str, reference: str) -> float:
        answer, reference = one_query(answer), one_query(reference)
        if plain_sql(answer) == plain_sql(reference):
            return 1.0
        try:
            connection, made_up = self._opened(reference)
        except sqlite3.Error:
            return 0.0
        try:
            wanted = _rows_of(connection, reference)
            if wanted is None or (made_up and not wanted):
                return 0.0  # cannot be told by running; as text they differ
            found = _rows_of(connection, answer)
            return float(found is not None and _same_rows(found, wanted, ordered=has_order(reference)))
        finally:
            connection.close()

    def _opened(self, reference: str) -> tuple[sqlite3.Connection, bool]:
        """The database, open for reading, and whether rows in it are made up."""
        if self.database:
            address = f"{Path(self.database).resolve().as_uri()}?mode=ro"
            connection, made_up = sqlite3.connect(address, uri=True, check_same_thread=False), False
        else:
            connection = sqlite3.connect(":memory:", check_same_thread=False)
            _limit(connection)
            for statement in self.tables:
                try:
                    connection.execute(statement)
                except (sqlite3.Error, sqlite3.Warning):
                    continue  # another dialect; what needs this table will fail
            made_up = _fill(connection, reference)
        _limit(connection)
        connection.set_authorizer(_authorized)
        return connection, made_up


def _limit(connection: sqlite3.Connection) -> None:
    for what, most in _LIMITS.items():
        connection.setlimit(what, most)
    checks = 0

    def too_long() -> bool:
        nonlocal checks
        checks += 1
        return checks * _CHECKED_EVERY > MAX_STEPS

    connection.set_progress_handler(too_long, _CHECKED_EVERY)


def _authorized(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    if action not in _ALLOWED or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _REFUSED_FUNCTIONS):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _rows_of(connection: sqlite3.Connection, query: str) -> Rows | None:
    """What ``query`` gives; ``None`` where it fails, is refused or gives too much."""
    try:
        rows = connection.execute(query).fetchmany(MAX_ROWS + 1)
    except (sqlite3.Error, sqlite3.Warning, ValueError, MemoryError, OverflowError):
        return None
    return None if len(rows) > MAX_ROWS else [tuple(map(_compared, row)) for row in rows]


def _compared(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, int | float) else value


def _same_rows(found: Rows, wanted: Rows, *, ordered: bool) -> bool:
    return found == wanted if ordered else Counter(found) == Counter(wanted)


def _fill(connection: sqlite3.Connection, reference: str) -> bool:
    """Rows for every table that has none: the literals of ``reference`` and a few other values, always the same."""
    made_up = False
    literals = [(text.replace("''", "'"), number) for text, number in _LITERAL.findall(reference)]
    texts = [*(text for text, number in literals if not number), "amber", "birch", "cedar"]
    numbers = [*(float(number) + shift for _, number in literals if number for shift in (-1, 0, 1)), 1, 2, 3, 5]
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        name = '"' + table.replace('"', '""') + '"'
        if connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() is not None:
            continue
        types = [str(column[2]).upper() for column in connection.execute(f"PRAGMA table_info({name})")]
        draw = random.Random(table)
        for _ in range(MADE_UP_ROWS):
            row = [draw.choice(texts if re.search("CHAR|TEXT|CLOB|DATE|^$", kind) else numbers) for kind in types]
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT OR IGNORE INTO {name} VALUES ({marks})", row)
        made_up = True
    return made_up


PLUGIN = SqlExecution()
