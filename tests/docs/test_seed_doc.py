"""``docs/seed.md`` explains every row id that the package cites, and says truly what speaks to it, in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "tuneworth"
SIZES = {"N": 5, "Y": 5, "Q": 5, "A": 6, "C": 6, "T": 5, "P": 4, "K": 4, "U": 3, "X": 6}
IDS = {f"{kind}{n}" for kind, size in SIZES.items() for n in range(1, size + 1)} | {"F"}
ROW = re.compile(r"[NYQACTPKUX]\d")
PLACES = {"advice": "建议", "chart": "流程图", "costs": "成本表", "audit": "检查", "run": "实测", "coming": "待做"}
"""Words of the last column."""


def scalars(value: Any) -> Iterator[str]:
    """Every text in a YAML document, keys among them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from scalars(key)
            yield from scalars(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scalars(inner)
    elif isinstance(value, str):
        yield value


def cited_in(path: Path) -> set[str]:
    """Row ids that a file of the package holds as data (not those in its prose)."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        nodes = (node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
        words = {value for value in nodes if isinstance(value, str)}
    else:
        words = set(scalars(yaml.safe_load(text)))
    return {word for word in words if ROW.fullmatch(word) or (word == "F" and path.name == "chart.py")}


def place_of(path: Path) -> str | None:
    """What a reader would call the part of tuneworth that a file belongs to."""
    inside = path.relative_to(PACKAGE).as_posix()
    if inside.startswith("advisor/chart"):
        return "chart"
    if inside.startswith("advisor/cost"):
        return "costs"
    places = {"advisor/": "advice", "audit/": "audit", "decide/": "run"}
    return next((place for start, place in places.items() if inside.startswith(start)), None)


def citations() -> dict[Path, set[str]]:
    files = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.yaml")]
    return {path: rows for path in files if (rows := cited_in(path))}


def documented(page: str) -> list[tuple[str, str, str]]:
    """Id, text and last column of every row of the page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"^\| ([A-Z]\d?) \| (.+?) \| ?(.*?) ?\|$", text, re.M)


@pytest.mark.parametrize("page", ["seed.md", "seed.zh.md"])
def test_every_row_is_explained_once(page):
    ids = [row for row, _, _ in documented(page)]
    assert sorted(ids) == sorted(IDS)


def test_every_row_that_the_package_cites_is_explained():
    cited = citations()
    assert {place_of(path) for path in cited} >= set(PLACES) - {"coming"}
    explained = {row for row, _, _ in documented("seed.md")}
    unknown = {str(path.relative_to(PACKAGE)): sorted(rows - explained) for path, rows in cited.items()}
    assert {name: rows for name, rows in unknown.items() if rows} == {}


def test_the_last_column_says_what_cites_a_row():
    spoken: dict[str, set[str]] = {}
    for path, rows in citations().items():
        for row in rows:
            if place := place_of(path):
                spoken.setdefault(row, set()).add(place)
    true = {row: ", ".join(word for word in PLACES if word in spoken.get(row, {"coming"})) for row in IDS}
    assert {row: true[row] for row, _, column in documented("seed.md") if column != true[row]} == {}


def test_both_languages_say_the_same_of_every_row():
    english = {row: [PLACES[word] for word in column.split(", ")] for row, _, column in documented("seed.md")}
    chinese = {row: column.split("、") for row, _, column in documented("seed.zh.md")}
    assert chinese == english
    for page, language in (("seed.md", "en"), ("seed.zh.md", "zh")):
        for row, text, _ in documented(page):
            assert bool(re.search(r"[\u4e00-\u9fff]", text)) == (language == "zh"), row
