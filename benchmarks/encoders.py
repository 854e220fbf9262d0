"""What the multilingual encoder is worth on Chinese rows, and how fast the two embedded encoders are.

    python benchmarks/encoders.py classify --data DATA   # csl_category_zh: head on embeddings against n-grams, by training rows
    python benchmarks/encoders.py speed --data DATA      # tokens and rows a second of both encoders on the same texts

DATA holds csl_category_zh, banking77 and xquad_zh. ``speed`` counts seconds of the processor in one thread, the encoders in turns,
and takes the best of ``TURNS``: other work on the machine only ever adds to them. Recall on documents: ``benchmarks/retrieval.py quality``.
Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.models import catalog
from tuneworth.models.encoders import E5, MINILM
from tuneworth.race.encoding import SharedEncoder
from tuneworth.stats.intervals import wilson
from tuneworth.stats.paired import compare
from tuneworth.strategies import Context
from tuneworth.strategies.head import Head, HeadConfig
from tuneworth.strategies.nearest import Nearest

SIZES = {200: 3, 1000: 1, 5000: 1}
"""Training rows → draws of them."""
TURNS = 3
READ_TOKENS = 256
"""Longest text of the comparison: MiniLM reads no more."""


def examples(path: Path) -> list[Example]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Example(Query(row["id"], (Message("user", row["input"]),)), row["output"]) for row in rows]


def classify(data: Path) -> str:
    rows, test = (examples(data / "csl_category_zh" / f"{side}.jsonl") for side in ("train", "test"))
    labels = tuple(sorted({row.output for row in rows}))
    task = Task(name="csl", kind="label", labels=labels, metric="accuracy", language="zh", sentence_encoder=E5)
    encoder = SharedEncoder(lambda: catalog.open_encoder(E5), [row.query.text for row in (*rows, *test)])
    arms = {"e5": Head(HeadConfig(features="multilingual")), "n-grams": Head(HeadConfig(features="tfidf"))}
    lines = [
        "| training rows | draw | head on e5 (95 %) | head on n-grams (95 %) | difference (95 %) | nearest row, e5 |"
    ]
    lines.append("|" + "---|" * 6)
    for n, draws in SIZES.items():
        for draw in range(draws):
            train = [rows[at] for at in np.random.default_rng(draw).permutation(len(rows))[:n]]
            right: dict[str, np.ndarray] = {}
            for name, arm in {**arms, "nearest": Nearest()}.items():
                with tempfile.TemporaryDirectory() as folder:
                    context = Context(
                        task, None, encoder, np.random.default_rng(draw), draw, Path(folder), max_new_tokens=8
                    )
                    answers = arm.fit(train, [], context).solve([row.query for row in test])
                right[name] = np.array([answer.text == row.output for answer, row in zip(answers, test)], dtype=float)
            gain = compare(right["e5"], right["n-grams"], binary=True, rng=np.random.default_rng(0))
            cells = [n, draw + 1, *(share(right[name]) for name in arms)]
            cells.append(f"{gain.difference:+.3f} ({gain.interval.low:+.3f} to {gain.interval.high:+.3f})")
            lines.append(f"| {' | '.join(map(str, [*cells, share(right['nearest'])]))} |")
    return "\n".join(lines)


def share(right: np.ndarray) -> str:
    found = wilson(float(right.sum()), len(right))
    return f"{right.mean():.3f} ({found.low:.3f}–{found.high:.3f})"


def speed(data: Path) -> str:
    import torch

    torch.set_num_threads(1)
    encoders = [catalog.open_encoder(name) for name in (MINILM, E5)]
    texts = {
        "banking77": [row.query.text for row in examples(data / "banking77" / "train.jsonl")[:150]],
        "csl_category_zh": [row.query.text for row in examples(data / "csl_category_zh" / "train.jsonl")[:150]],
    }
    for name in ("xquad_en", "xquad_zh"):
        lines = (data / name / "docs.jsonl").read_text(encoding="utf-8").splitlines()[:20]
        texts[f"{name} paragraphs"] = [json.loads(line)["text"] for line in lines]
    table = ["| texts | encoder | tokens | tokens/s | rows/s | seconds a token against MiniLM |", "|" + "---|" * 6]
    for name, read in texts.items():
        best: dict[str, float] = {}
        counts: dict[str, int] = {}
        for _ in range(TURNS):
            for encoder in encoders:
                encoder.max_tokens = READ_TOKENS  # type: ignore[attr-defined]
                prompt = encoder.prompts["text"]  # type: ignore[attr-defined]
                words = encoder.tokenizer  # type: ignore[attr-defined]
                ids = words([prompt + text for text in read], truncation=True, max_length=READ_TOKENS)["input_ids"]
                counts[encoder.id] = sum(map(len, ids))
                started = time.process_time()
                encoder.encode(read)
                best[encoder.id] = min(best.get(encoder.id, np.inf), time.process_time() - started)
        for each in (MINILM, E5):
            seconds, n = best[each], counts[each]
            against = seconds / n / (best[MINILM] / counts[MINILM])
            cells = [name, each, n, f"{n / seconds:.0f}", f"{len(read) / seconds:.1f}", f"{against:.2f}"]
            table.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["classify", "speed"])
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    print(classify(given.data) if given.what == "classify" else speed(given.data))


if __name__ == "__main__":
    main()
