"""``tuneworth compare``: how long it takes, and whether it reads what the tools wrote.

    python benchmarks/compare.py speed                 # made-up rows, the whole command in a process of its own, half a minute
    python benchmarks/compare.py agree A B [--summary A.json --summary B.json]    # two logs of one tool

``agree`` puts the mean and the standard error that the tool itself wrote beside ours: from the header of Inspect's archive, the
``prompts`` of promptfoo's file, DeepEval's ``metricsScores`` in the log itself, and from lm-evaluation-harness's ``results_*.json``, given with
``--summary``. Where a tool has no standard error, that of its row scores is taken. Two means with errors of their own give the
unpaired interval of the difference (a − b ± 1.96 · √(se² + se²)), which is what ``model_comparator.py`` of the harness goes by.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tuneworth.api import compare
from tuneworth.core.record import Interval
from tuneworth.data.logs import read_results
from tuneworth.data.readers.unpack import members
from tuneworth.words import numbers

ROWS, SYSTEMS, REPEATS = 10_000, 5, 4
Told = dict[str, tuple[float, float | None]]
"""Metric → mean and standard error as the tool wrote them."""


def made(folder: Path, kind: str) -> list[str]:
    """Systems that agree as real ones do: a row is about as hard for all of them."""
    chance, paths = random.Random(0), list[str]()
    hard = [chance.random() for _ in range(ROWS)]
    for system in range(SYSTEMS):
        level, lines = 0.75 + 0.01 * system, list[str]()
        for row in range(ROWS):
            right = (hard[row] if chance.random() < 0.7 else chance.random()) < level
            score = float(right) if kind != "graded" else min(1.0, max(0.0, 1 - hard[row] + chance.gauss(0, 0.15)))
            line: dict[str, Any] = {
                "id": f"q{row}",
                "question": f"Is statement {row} of the made-up set true?",
                "score": score,
            }
            line |= {"answer": "yes" if right else "no", "prompt_tokens": 180 + row % 90, "completion_tokens": 3}
            lines.append(json.dumps(line | ({"user_id": f"u{row // 5}"} if kind == "groups" else {})))
        path = folder / f"{kind}-{system}.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")
        paths.append(str(path))
    return paths


def speed() -> None:
    print(f"{ROWS:,} rows × {SYSTEMS} systems, {math.comb(SYSTEMS, 2)} comparisons; best of {REPEATS}\n")
    print("| scores | whole command, s | processor, s |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("right/wrong", "groups", "graded"):
            command = [sys.executable, "-m", "tuneworth", "compare", *made(Path(folder), kind.replace("/", "-"))]
            took: list[tuple[float, float]] = []
            for _ in range(REPEATS):
                start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
                subprocess.run(command, check=True, capture_output=True)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                took.append((time.perf_counter() - start, busy))
            print(f"| {kind} | {min(wall for wall, _ in took):.2f} | {min(busy for _, busy in took):.2f} |")


def told_by(path: str, summary: str | None) -> Told:
    data = Path(path).read_bytes()
    if summary is not None:
        results = json.loads(Path(summary).read_text(encoding="utf-8"))["results"]
        of = next(one for task, one in results.items() if f"samples_{task}_" in path)
        names = [name for name in of if "," in name and "_stderr," not in name]
        return {_plain(name): (of[name], of.get(name.replace(",", "_stderr,", 1))) for name in names}
    document = json.loads(members(data, "header.json", path)[0] if data.startswith(b"PK") else data)
    if "testCases" in document:
        scores = {one["metric"]: one["scores"] for one in document["metricsScores"]}
        return {name: (float(np.mean(of)), None) for name, of in scores.items()}
    if "eval" in document:
        return {
            score["name"]: (score["metrics"]["accuracy"]["value"], score["metrics"].get("stderr", {}).get("value"))
            for score in document["results"]["scores"]
        }
    counted = [prompt["metrics"] for prompt in document["results"]["prompts"]]
    assert len(counted) == 1, "one provider with one prompt a file, please"
    n = counted[0]["testPassCount"] + counted[0]["testFailCount"]
    sums = {"pass": (counted[0]["testPassCount"], n), "score": (counted[0]["score"], n)}
    sums |= {name: (of, counted[0]["namedScoresCount"][name]) for name, of in counted[0]["namedScores"].items()}
    return {name: (total / count, None) for name, (total, count) in sums.items()}


def _plain(name: str) -> str:
    return name.removesuffix(",none")


def agree(paths: list[str], summaries: list[str]) -> None:
    told = [told_by(path, summaries[at] if summaries else None) for at, path in enumerate(paths)]
    metrics = [metric for metric in told[0] if all(metric in one for one in told)]
    print(
        "| metric | a: tool / ours | b: tool / ours | difference | unpaired, from the tool | paired | answer |\n|---|---|---|---:|---|---|---|"
    )
    for metric in metrics:
        result = compare(paths, metrics=[metric], group="none")  # no tool has groups
        ours = [system.scores[metric] for system in result.systems]
        errors = list[float]()
        for log, (_, error), score in zip(map(read_results, paths), (one[metric] for one in told), ours):
            values = np.array([row.scores[metric] for row in log[0].rows])
            errors.append(float(values.std(ddof=1) / math.sqrt(score.n_rows)) if error is None else error)
        means = [f"{one[metric][0]:.6f} / {score.value:.6f}" for one, score in zip(told, ours)]
        for (mean, _), score in zip((one[metric] for one in told), ours):
            assert math.isclose(mean, score.value, abs_tol=1e-9), f"{metric}: {mean} is not {score.value}"
        pair, half = result.comparisons[0], 1.96 * math.hypot(*errors)
        apart = Interval(low=pair.difference - half, high=pair.difference + half)
        shown = [numbers.signed(pair.difference).en, *(numbers.signed_range(one).en for one in (apart, pair.interval))]
        print(f"| {metric} | {' | '.join([*means, *shown])} | {pair.answer} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "agree"])
    parser.add_argument("logs", nargs="*")
    parser.add_argument("--summary", action="append", default=[])
    options = parser.parse_args()
    if options.what == "speed":
        speed()
    else:
        agree(options.logs, options.summary)


if __name__ == "__main__":
    main()
