"""Recall and precision of finding personal data, by kind, in English and Chinese rows.

Every value is made on the spot from a seed, with valid check digits where the kind has them, and put into
sentences that stand in rows of real tasks. So are the negatives: what looks like personal data and is not.
Sentences and finder come from the same hands, and misses that earlier runs showed were mended: the figures say
that the usual forms are covered on values never seen, not how people write who do not want to be found.

    python benchmarks/audit_personal.py ../data --seed 7
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from planted_values import NEGATIVES, POSITIVES, Make
from tuneworth.audit._personal.mask import find

SETS = {"banking77": "en", "e2e_nlg": "en", "csl_category_zh": "zh"}
PER_KIND = 200
"""Values planted of every kind and language."""


@dataclass(frozen=True)
class Planted:
    """A row with one value in it; ``kind`` is empty for a negative, whose family is ``name``."""

    text: str
    kind: str
    name: str
    start: int
    end: int


def rows_of(data: Path, rng: random.Random) -> dict[str, list[str]]:
    """Texts of the real rows by language."""
    found: dict[str, list[str]] = {"en": [], "zh": []}
    for name, lang in SETS.items():
        with (data / name / "train.jsonl").open(encoding="utf-8") as lines:
            found[lang] += [json.loads(line)["input"] for line in lines]
    for texts in found.values():
        rng.shuffle(texts)
    return found


def planted(rng: random.Random, rows: dict[str, list[str]]) -> Iterator[Planted]:
    for kind, name, make, sentences in POSITIVES:
        yield from _planted(rng, rows, kind, name, make, sentences)
    for name, make, sentences in NEGATIVES:
        yield from _planted(rng, rows, "", name, make, sentences)


def _planted(
    rng: random.Random, rows: dict[str, list[str]], kind: str, name: str, make: Make, sentences: dict[str, list[str]]
) -> Iterator[Planted]:
    for lang, choices in sentences.items():
        for _ in range(PER_KIND if choices else 0):
            value, row = make(rng), rng.choice(rows[lang])
            head, tail = rng.choice(choices).split("{}")
            before = f"{row} {head}" if rng.random() < 0.5 else head
            text = before + value + tail + ("" if before != head else f" {row}")
            yield Planted(text, kind, f"{name} ({lang})", len(before), len(before) + len(value))


def measure(data: Path, seed: int = 20_261) -> str:
    """Markdown: recall by family, precision by kind, false alarms by family of negatives and on untouched rows."""
    rng = random.Random(seed)
    rows = rows_of(data, rng)
    recall: dict[str, Counter[str]] = {}
    predicted, right, alarms, seen = Counter(), Counter(), Counter(), Counter()
    for case in planted(rng, rows):
        spans = [span for span in find(case.text) if span.start < case.end and case.start < span.end]
        if case.kind:
            tally = recall.setdefault(f"{case.kind} | {case.name}", Counter())
            tally["n"] += 1
            tally["found"] += any(span.kind == case.kind for span in spans)
            tally["whole"] += any(
                span.kind == case.kind and span.start <= case.start and span.end >= case.end for span in spans
            )
            tally["masked"] += bool(spans)
        else:
            seen[case.name] += 1
            alarms[case.name] += bool(spans)
        for span in spans:
            predicted[span.kind] += 1
            right[span.kind] += span.kind == case.kind
    untouched = {lang: sum(bool(find(text)) for text in texts) for lang, texts in rows.items()}
    return _report(
        seed, recall, predicted, right, alarms, seen, untouched, {lang: len(texts) for lang, texts in rows.items()}
    )


def _report(seed, recall, predicted, right, alarms, seen, untouched, n_rows) -> str:
    lines = [
        f"Seed {seed}; {PER_KIND} values of every family, made for the run, in rows of {', '.join(SETS)}. The sentences "
        "were written by the finder's authors: read this as cover of the usual forms, not of every way to write them.",
        "",
        "| kind | family | values | found | whole value | hidden under any kind |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for name, tally in recall.items():
        n = tally["n"]
        lines.append(
            f"| {name} | {n} | {tally['found'] / n:.3f} | {tally['whole'] / n:.3f} | {tally['masked'] / n:.3f} |"
        )
    lines += ["", "| kind | said | precision |", "|---|--:|--:|"]
    lines += [f"| {kind} | {predicted[kind]} | {right[kind] / predicted[kind]:.3f} |" for kind in sorted(predicted)]
    lines += ["", "| what is not personal | values | false alarms |", "|---|--:|--:|"]
    lines += [f"| {name} | {seen[name]} | {alarms[name] / seen[name]:.3f} |" for name in sorted(seen)]
    rest = "; ".join(f"{lang}: {untouched[lang]} of {n_rows[lang]:,}" for lang in n_rows)
    return "\n".join([*lines, "", f"Rows as they are, without anything planted, with a find: {rest}.", ""])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seed", type=int, default=20_261)
    options = parser.parse_args()
    print(measure(options.data, options.seed))
