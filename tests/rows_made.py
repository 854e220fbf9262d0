"""Rows made for the tests."""

import json
from pathlib import Path


def write_rows(path: Path, rows) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def label_rows(n, labels=("fruit", "tool")):
    """Rows that can be learned: the words tell the label."""
    words = {label: [f"{label}{chr(97 + i)}" for i in range(8)] for label in labels}
    adjectives = ["small", "old", "bright", "heavy", "cheap", "rare", "clean", "round", "green", "worn", "light"]
    places = [
        "kitchen",
        "garden",
        "market",
        "garage",
        "attic",
        "office",
        "harbour",
        "school",
        "cellar",
        "station",
        "barn",
        "shed",
        "hall",
    ]
    rows = []
    for i in range(n):
        label = labels[i % len(labels)]
        thing = words[label][(i * 5 + i // 7) % 8]
        text = f"{adjectives[i % 11]} {thing} seen near the {places[i % 13]} by {adjectives[(i * 3 + 1) % 11]} people from the {places[(i * 7 + 2) % 13]}"
        rows.append({"input": text, "output": label})
    return rows
