"""Queries run against right ones: on a file, on the tables of the row, and made to break out."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from tuneworth.core.task import Example, Message, Query
from tuneworth.errors import InputError
from tuneworth.metrics import score_row
from tuneworth.metrics._parts.catalog import load_metric
from tuneworth.metrics._parts.sql_text import declared_tables, has_order, plain_sql

SHOP = """CREATE TABLE goods (id INTEGER PRIMARY KEY, name TEXT, price REAL, shelf TEXT);
INSERT INTO goods VALUES (1, 'lamp', 19.9, 'a'), (2, 'desk', 120, 'b'), (3, 'radio', 45.5, 'a'), (4, 'it''s; new', 3, 'c');"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(SHOP)
    connection.close()
    return path


def on_file(shop: Path):
    return load_metric("sql_execution", Path(), settings={"database": str(shop)})


@pytest.mark.parametrize(
    ("answer", "reference", "right"),
    [
        ("select name from goods where price>40", "SELECT g.name FROM goods AS g WHERE g.price > 40;", 1),
        ("```sql\nSELECT name FROM goods WHERE 40 < price\n```", "SELECT name FROM goods WHERE price > 40", 1),
        ("SELECT name FROM goods WHERE price > 50", "SELECT name FROM goods WHERE price > 40", 0),
        ("SELECT name FROM goods ORDER BY price DESC", "SELECT name FROM goods", 1),  # nobody asked for an order
        ("SELECT name FROM goods", "SELECT name FROM goods ORDER BY price DESC", 0),
        ("SELECT name FROM goods ORDER BY 0 - price", "SELECT name FROM goods ORDER BY price DESC", 1),
        ("SELECT shelf FROM goods", "SELECT DISTINCT shelf FROM goods", 0),  # how often counts
        ("SELECT sum(price) FROM goods", "SELECT 19.9 + 120 + 45.5 + 3", 1),
        ("SELECT avg(price) FROM goods", "SELECT sum(price) / 4 FROM goods", 1),
        ("SELECT 4", "SELECT count(*) FROM goods", 1),
        ("SELECT '4'", "SELECT count(*) FROM goods", 0),  # a text is no number
        ("SELECT shelf, name FROM goods", "SELECT name, shelf FROM goods", 0),
        ("SELECT nme FROM goods", "SELECT name FROM goods", 0),
        ("SELECT 1 FROM goods WHERE 0", "SELECT name FROM goods WHERE price > 1000", 1),  # both give nothing
        ("the lamp and the desk", "SELECT name FROM goods", 0),
        ("", "SELECT name FROM goods", 0),
    ],
)
def test_queries_on_a_file(shop: Path, answer: str, reference: str, right: int) -> None:
    assert on_file(shop).score(answer, [reference]) == right


@pytest.mark.parametrize(
    "answer",
    [
        "DELETE FROM goods",
        "DROP TABLE goods",
        "INSERT INTO goods VALUES (9, 'x', 1, 'y')",
        "ATTACH DATABASE '/tmp/other.sqlite' AS other",
        "PRAGMA writable_schema = 1",
        "SELECT load_extension('/tmp/x.so')",
        "SELECT readfile('/etc/passwd')",
        "SELECT name FROM goods; DROP TABLE goods",
        "VACUUM INTO '/tmp/copy.sqlite'",
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
        "SELECT count(*) FROM goods a, goods b, goods c, goods d, goods e, goods f, goods g, goods h, goods i, goods j, goods k,"
        " goods l, goods m, goods n",
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n",
        "SELECT hex(zeroblob(900000000))",
        "SELECT printf('%.*c', 900000000, 'x')",
        "SELECT name FROM goods WHERE name LIKE '" + "%a" * 5_000 + "'",
        "SELECT " + "(" * 50_000 + "1",
        "SELECT " + " + ".join(["1"] * 30_000),
        "SELECT name FROM goods " + "UNION SELECT name FROM goods " * 5_000,
        "SELECT \x00 FROM goods",
        "\ud800",
        "x" * 1_000_000,
    ],
    ids=lambda text: text[:24].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_what_would_break_out_is_wrong_and_quick(shop: Path, answer: str) -> None:
    before, started = shop.read_bytes(), time.process_time()
    assert on_file(shop).score(answer, ["SELECT name FROM goods"]) == 0
    assert time.process_time() - started < 8
    assert shop.read_bytes() == before
    assert [path.name for path in shop.parent.iterdir()] == ["shop.sqlite"]


def row(text: str, output: str) -> Example:
    return Example(Query("r", (Message("user", text),)), output)


ASKED = "CREATE TABLE head (age INTEGER, born VARCHAR, pay REAL)\nHow many are older than 56?"
METRIC = load_metric("sql_execution", Path())


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("SELECT COUNT(*) FROM head WHERE 56 < age", 1),
        ("SELECT COUNT(*) FROM head WHERE age >= 56", 0),  # a made-up row is exactly 56
        ("SELECT COUNT(*) FROM head WHERE age < 56", 0),
        ("SELECT COUNT(*) FROM tail WHERE age > 56", 0),
    ],
)
def test_empty_tables_of_the_row_are_filled(answer: str, right: int) -> None:
    assert score_row(METRIC, answer, row(ASKED, "SELECT COUNT(*) FROM head WHERE age > 56")) == right


def test_rows_that_the_row_gives_are_used() -> None:
    asked = row(f"Tables:\n{SHOP}\nWhich goods are on shelf a?", "SELECT name FROM goods WHERE shelf = 'a'")
    assert score_row(METRIC, "SELECT name FROM goods WHERE name IN ('lamp', 'radio')", asked) == 1
    assert score_row(METRIC, "SELECT name FROM goods WHERE name = 'lamp'", asked) == 0


@pytest.mark.parametrize("reference", ["INSERT INTO t VALUES (1)", "SELECT a FROM nowhere", "SELECT TOP 5 a FROM t"])
def test_what_cannot_be_run_is_compared_as_text(reference: str) -> None:
    assert METRIC.score(f" {reference.lower()} ;", [reference]) == 1
    assert METRIC.score("SELECT 1", [reference]) == 0


def test_declared_tables() -> None:
    text = "Given CREATE TABLE a (x INT, y VARCHAR(20)), CREATE TABLE b (z TEXT) -- (\nand INSERT INTO a VALUES (1, ';)'), (2, 'b')\nask"
    assert declared_tables(text) == (
        "CREATE TABLE a (x INT, y VARCHAR(20))",
        "CREATE TABLE b (z TEXT)",
        "INSERT INTO a VALUES (1, ';)'), (2, 'b')",
    )
    started = time.process_time()
    declared_tables("CREATE TABLE a (" * 20_000)
    assert time.process_time() - started < 2


def test_order_and_plain_text() -> None:
    assert has_order("SELECT a FROM t ORDER  BY a")
    assert not has_order("SELECT a FROM (SELECT a FROM t ORDER BY a)")
    assert not has_order("SELECT 'order by' FROM t -- order by a")
    assert plain_sql("SELECT  A\nFROM t WHERE b = 'X  Y' /* no */") == "select a from t where b = 'X  Y'"


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_text("no")
    with pytest.raises(InputError, match="is not an SQLite database"):
        on_file(tmp_path / "x.sqlite")
    with pytest.raises(InputError, match="cannot be read"):
        on_file(tmp_path / "y.sqlite")
