"""Is the question answered within the budget, on a busy machine as well?

    python benchmarks/budget.py DATA [DATA …] --budget 450 --load 1 --out FOLDER [--exhaustive FOLDER]

Runs `tuneworth run` on each data file or task file, with half the default budget, beside ``--load`` processes that hold a core each.
Prints Markdown: wall time against the budget, whether a tuned and an untuned arm met the test rows and on how many, the verdict, and
the regret: how far the best finalist is behind the best arm of an exhaustive run, by the scores of that run (dev rows in full). Of an
exhaustive run ``FOLDER/NAME/**/result.json`` is read, where ``NAME`` is what is printed in the first column.
"""

from __future__ import annotations

import argparse
import multiprocessing
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from tuneworth.core.run import RunResult


def spin() -> None:
    while True:
        pass


@contextmanager
def busy(n: int):
    """So many processes hold a core each meanwhile."""
    holders = [multiprocessing.Process(target=spin, daemon=True) for _ in range(n)]
    for holder in holders:
        holder.start()
    try:
        yield
    finally:
        for holder in holders:
            holder.terminate()
            holder.join()


def result_in(folder: Path) -> RunResult | None:
    """The latest result below a folder."""
    found = sorted(folder.rglob("result.json"), key=lambda path: path.stat().st_mtime)
    return RunResult.model_validate_json(found[-1].read_text(encoding="utf-8")) if found else None


def regret(result: RunResult, exhaustive: RunResult | None) -> float | None:
    """Points that the best finalist is behind the best arm, both by the dev scores of the exhaustive run."""
    if exhaustive is None:
        return None
    metric = exhaustive.primary_metric
    scores = {arm.arm_id: arm.dev[metric].value for arm in exhaustive.arms if metric in arm.dev and not arm.yardstick}
    finalists = [scores[arm.arm_id] for arm in result.arms if arm.finalist and arm.arm_id in scores]
    return 100 * (max(scores.values()) - max(finalists)) if finalists else None


def run(data: Path, options: argparse.Namespace) -> str:
    name = data.parent.name if data.stem in ("train", "task", "tuneworth") else data.stem
    folder = options.out / name
    command = [
        sys.executable,
        "-m",
        "tuneworth.cli.main",
        "run",
        str(data),
        "--budget",
        f"{options.budget}s",
        "--out",
        str(folder),
        "--yes",
    ]
    started = time.monotonic()
    with busy(options.load):
        done = subprocess.run(command, capture_output=True, text=True, timeout=4 * options.budget + 600)
    wall, result = time.monotonic() - started, result_in(folder)
    if result is None:
        return f"| {name} | {wall / options.budget:.2f} | no result (exit {done.returncode}): {done.stderr.strip()[-200:]!r} | | | | |"
    tested = [arm for arm in result.arms if arm.finalist]
    both = {True, False} <= {arm.tuned for arm in tested if not arm.yardstick}
    race, known = result.race, result_in(options.exhaustive / name) if options.exhaustive else None
    rows = f"{race.n_tested} of {race.n_test}" if race is not None else ""
    behind = regret(result, known)
    return (
        f"| {name} | {wall / options.budget:.2f} ({result.wall_seconds / options.budget:.2f} by its own clock) | "
        f"{'yes' if both else 'NO'}: {', '.join(arm.arm_id for arm in tested)} | {rows} | {result.decision.verdict} | "
        f"{result.decision.headline.en} | {'' if behind is None else f'{behind:.1f}'} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--budget", type=int, default=450, help="seconds")
    parser.add_argument("--load", type=int, default=0, help="processes that hold a core each")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--exhaustive", type=Path, help="folder of exhaustive runs")
    options = parser.parse_args()
    print(
        "| set | wall / budget | tuned and untuned tested | test rows | verdict | headline | regret, points |\n"
        + "|---" * 7
        + "|"
    )
    for data in options.data:
        print(run(data, options), flush=True)


if __name__ == "__main__":
    main()
