"""May one look after every row, and how soon does a worse arm leave?

    python benchmarks/sequential.py            # about ten minutes on one core, prints Markdown
    python benchmarks/sequential.py --quick    # one minute, coarser

Everything is simulated with the library's own functions. The naive habits next to them (a 95 % interval or a
McNemar test repeated at every row) are what people do today.
"""

from __future__ import annotations

import argparse
import math
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from tuneworth.core.record import Answer
from tuneworth.stats.betting import e_value, log_factors, log_mixture, unit
from tuneworth.stats.family import ALPHA, MIN_PAIRS
from tuneworth.stats.paired import mcnemar_exact
from tuneworth.stats.sequential import Eliminator

Floats = NDArray[np.float64]
Sampler = Callable[[np.random.Generator, int], Floats]
ROWS = 2_000
MARGIN = 0.02
PAIR_ALPHA = 0.05
DIFFERENCES = ((0.0, 0.1), (0.01, 0.1), (0.03, 0.15), (0.1, 0.2), (0.1, 0.4), (0.2, 0.3), (0.4, 0.5))
"""True difference, and the share of rows on which two right/wrong arms differ."""


def right_wrong(difference: float, differ: float) -> Sampler:
    """Arm − leader of right/wrong scores; the arm is worse by ``difference``."""
    chances = ((differ - difference) / 2, (differ + difference) / 2, 1 - differ)
    return lambda rng, n: rng.choice((1.0, -1.0, 0.0), n, p=chances)


def graded(difference: float) -> Sampler:
    """A rubric of five grades; a third of the answers are the same for both arms."""

    def sample(rng: np.random.Generator, n: int) -> Floats:
        moved = (rng.binomial(4, 0.6 - 1.5 * difference, n) - rng.binomial(4, 0.6, n)) / 4
        return np.where(rng.random(n) < 1 / 3, 0.0, moved)

    return sample


def disasters(difference: float) -> Sampler:
    """A little better on nearly all rows, a complete failure on one in fifty."""
    gain = (0.02 - difference) / 0.98
    return lambda rng, n: np.where(rng.random(n) < 0.02, -1.0, gain)


def scores_of_kinds() -> list[tuple[str, float, Sampler]]:
    kinds = [(f"right/wrong, {differ:.0%} differ", d, right_wrong(d, differ)) for d, differ in DIFFERENCES]
    kinds += [("five grades", d, graded(d)) for d in (0.0, 0.01, 0.03, 0.1)]
    kinds += [("rare disasters", d, disasters(d)) for d in (0.0, 0.01)]
    return kinds


@dataclass(frozen=True, slots=True)
class Sequential:
    """One pair, tested while rows arrive.

    Attributes:
        answer: ``worse`` (by more than the margin) or ``cant_tell``; never ``equivalent``, because the test
            asks one question only.
        e_value: evidence for "worse": 20 is what a test at 5 % asks for.
        n_rows: rows used: up to the first at which the test was decided, else all.
    """

    answer: Answer
    e_value: float
    n_rows: int


def worse_by(differences: ArrayLike, *, margin: float, alpha: float = ALPHA) -> Sequential:
    """Is the mean of ``differences`` (arm − other), shape ``(n,)``, below ``-margin``? Read row by row.

    Falsely ``worse`` with probability at most ``alpha``, over all row counts together. NaN is left out.

    Args:
        margin: in [0, 1); with 0 the question is "worse at all".

    """
    losses = 1 - unit(differences, (-1.0, 1.0))
    losses = losses[~np.isnan(losses)]
    if losses.size < MIN_PAIRS:
        return Sequential("cant_tell", 1.0, losses.size)
    path = log_mixture(np.cumsum(log_factors(losses, (1 + margin) / 2), axis=0))[MIN_PAIRS - 1 :]
    decided = np.flatnonzero(path >= math.log(1 / alpha))
    last = int(decided[0]) if decided.size else path.size - 1
    return Sequential("worse" if decided.size else "cant_tell", e_value(float(path[last])), last + MIN_PAIRS)


def pair_table(repeats: int, rng: np.random.Generator) -> None:
    print("\n### One pair: called worse, and after how many rows\n")
    print(f"5 % promised, {ROWS:,} rows, {repeats} runs a line; rows are the median over all runs.\n")
    print(
        "| scores | true difference | worse at all | rows | worse by more than 2 points | rows "
        "| McNemar at every row | McNemar once, at 300 rows | at 2,000 |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, difference, sample in scores_of_kinds():
        runs = [sample(rng, ROWS) for _ in range(repeats)]
        cells = [
            stopping([worse_by(values, margin=margin, alpha=PAIR_ALPHA) for values in runs]) for margin in (0.0, MARGIN)
        ]
        tests = mcnemar_cells(runs) if name.startswith("right") else "| | "
        print(f"| {name} | {difference:.2f} | {' | '.join(cells)} | {tests} |")


def stopping(found: list[Sequential]) -> str:
    worse = [one.answer == "worse" for one in found]
    rows = np.median([one.n_rows if done else np.inf for one, done in zip(found, worse)])
    return f"{np.mean(worse):.1%} | {f'{rows:,.0f}' if math.isfinite(rows) else f'> {ROWS:,}'}"


def mcnemar_cells(runs: list[Floats]) -> str:
    """Share of runs called worse (two-sided p at most 0.05, the arm behind), repeated and once."""
    repeated = np.mean([called_at_any_row(values) for values in runs])
    once = [np.mean([called_once(values[:n]) for values in runs]) for n in (300, ROWS)]
    return f"{repeated:.1%} | {once[0]:.1%} | {once[1]:.1%}"


def called_at_any_row(values: Floats) -> bool:
    wins, moved = np.cumsum(values > 0)[MIN_PAIRS - 1 :], np.cumsum(values != 0)[MIN_PAIRS - 1 :]
    return bool(np.any(2 * binom.cdf(wins, moved, 0.5) <= 0.05))


def called_once(values: Floats) -> bool:
    wins, losses = int((values > 0).sum()), int((values < 0).sum())
    return losses > wins and mcnemar_exact(wins, losses) <= 0.05


def race_scores(rng: np.random.Generator, means: Floats, kind: str) -> Floats:
    """Scores ``(arms, ROWS)`` with these means; on half the rows all arms share their luck."""
    parts = 4 if kind == "graded" else 1  # a grade is the share of four things done right
    own, common = rng.random((parts, means.size, ROWS)), rng.random((parts, 1, ROWS))
    luck = np.where(rng.random(ROWS) < 0.5, common, own)
    if kind == "rare disasters":  # every other arm is steadier on 97 % of the rows, and fails on the rest
        fails = np.where(np.arange(means.size) % 2 == 0, 0.03, 0.0)[:, None]
        return np.where(luck[0] < fails, 0.0, means[:, None] / (1 - fails))
    return (luck < means[:, None]).mean(axis=0)


def fields() -> list[tuple[str, Floats]]:
    return [
        ("2 equal arms", np.full(2, 0.7)),
        ("10 equal arms", np.full(10, 0.7)),
        ("30 equal arms", np.full(30, 0.7)),
        ("10 arms, 9 exactly at the margin", np.array([0.7, *[0.68] * 9])),
        ("10 arms, 0 to 9 points behind", 0.7 - np.arange(10) / 100),
        ("10 arms, 1 to 40 points behind", 0.7 - np.array([0, 0.01, 0.03, 0.03, 0.1, 0.1, 0.2, 0.2, 0.4, 0.4])),
        ("30 arms, 3 good, 27 far behind", np.array([0.7, 0.69, 0.69, *[0.5] * 27])),
    ]


RULES = [("every arm, margin 2 points", MARGIN), ("every arm, no margin", 0.0)]


def race_table(repeats: int, rng: np.random.Generator, kind: str) -> None:
    print(f"\n### Races, {kind} scores\n")
    print(
        f"5 % promised, {repeats} runs a line, looked at after every second row to 100, then every 20. The naive rule: an arm "
        "leaves when a repeated t-test against the leader has p < 0.05.\n"
    )
    print(
        "| field | protects | lose the best | lose one inside the margin | left at 300 rows | rows read of 300 | of 2,000 |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, means in fields():
        tables = [race_scores(rng, means, kind) for _ in range(repeats)]
        for rule, margin in RULES:
            race_line(name, rule, means, margin, np.array([rows_read(table, margin) for table in tables]))
        race_line(name, "naive", means, 0.0, np.array([naive_rows_read(table) for table in tables]))


def race_line(name: str, rule: str, means: Floats, margin: float, read: NDArray[np.intp]) -> None:
    """``read``: rows after which each arm left, shape ``(runs, arms)``."""
    inside = means >= means.max() - margin - 1e-9
    cells = (
        f"{np.mean(read[:, 0] <= ROWS):.1%}",
        f"{np.mean((read[:, inside] <= ROWS).any(axis=1)):.1%}",
        f"{np.mean((read >= 300).sum(axis=1)):.1f}",
        *(f"{np.minimum(read, rows).mean() / rows:.0%}" for rows in (300, ROWS)),
    )
    print(f"| {name} | {rule} | {' | '.join(cells)} |", flush=True)


NEVER = ROWS + 1
LOOKS = [*range(MIN_PAIRS, 101, 2), *range(120, ROWS + 1, 20)]


def rows_read(scores: Floats, margin: float) -> NDArray[np.intp]:
    """Rows after which each arm left, ``NEVER`` if it did not."""
    names = [str(i) for i in range(len(scores))]
    race = Eliminator(names, margin=margin)
    read, done = np.full(len(scores), NEVER), 0
    for look in LOOKS:
        for i, name in enumerate(names):
            if name not in race.eliminated:
                race.add(name, scores[i, done:look])
        for left in race.check():
            read[int(left.arm)] = look
        done = look
    return read


def naive_rows_read(scores: Floats) -> NDArray[np.intp]:
    alive, read = np.ones(len(scores), dtype=bool), np.full(len(scores), NEVER)
    for look in LOOKS:
        seen = scores[:, :look]
        leader = int(np.where(alive, seen.mean(axis=1), -1.0).argmax())
        gaps = seen - seen[leader]
        error = np.maximum(gaps.std(axis=1, ddof=1), 1e-12) / math.sqrt(look)
        out = alive & (gaps.mean(axis=1) < -1.96 * error) & (np.arange(len(scores)) != leader)
        read[out], alive = look, alive & ~out
    return read


def stakes_table(repeats: int, rng: np.random.Generator) -> None:
    print("\n### The choice of bets: median rows to decide at an evidence of 1,800 (ten arms), margin 2 points\n")
    print(f"Lower is better; {repeats} runs of {ROWS:,} rows. A run that did not decide counts as more.\n")
    print(
        "| scores | true difference | even mixture (ours) | aGRAPA, cut at 1/2 | aGRAPA, cut at 9/10 | predictable plug-in empirical Bernstein |"
    )
    print("|---|---|---|---|---|---|")
    kinds = [kind for kind in scores_of_kinds() if kind[1] >= 0.1]
    kinds += [
        ("right/wrong, 5% differ", 0.05, right_wrong(0.05, 0.05)),
        ("right/wrong, 10% differ", 0.06, right_wrong(0.06, 0.1)),
    ]
    for name, difference, sample in kinds:
        runs = np.array([sample(rng, ROWS) for _ in range(repeats)])
        ours = [
            one.n_rows if one.answer == "worse" else np.inf
            for one in (worse_by(v, margin=MARGIN, alpha=1 / 1_800) for v in runs)
        ]
        cells = [np.median(ours)]
        cells += [first_row(agrapa(runs, cut)) for cut in (0.5, 0.9)] + [first_row(empirical_bernstein(runs))]
        print(
            f"| {name} | {difference:.2f} | "
            + " | ".join(f"{c:,.0f}" if math.isfinite(c) else f"> {ROWS:,}" for c in cells)
            + " |"
        )


def first_row(log_capital: Floats) -> float:
    rich = (log_capital >= math.log(1_800))[:, MIN_PAIRS - 1 :]
    return float(np.median(np.where(rich.any(axis=1), rich.argmax(axis=1) + MIN_PAIRS, np.inf)))


def past_moments(losses: Floats) -> tuple[Floats, Floats]:
    """Mean and variance before each row, with one imagined row, as in Waudby-Smith and Ramdas (2024)."""
    n = np.arange(1, losses.shape[1] + 1)
    mean = (0.5 + np.cumsum(losses, axis=1)) / (n + 1)
    variance = (0.25 + np.cumsum((losses - mean) ** 2, axis=1)) / (n + 1)
    return np.roll(mean, 1, axis=1) * (n > 1) + 0.5 * (n == 1), np.roll(variance, 1, axis=1) * (n > 1) + 0.25 * (n == 1)


def agrapa(differences: Floats, cut: float) -> Floats:
    """Log capital of the approximate growth-rate-adaptive bet, cut at a share of the largest stake."""
    losses, doubted = (1 - differences) / 2, (1 + MARGIN) / 2
    mean, variance = past_moments(losses)
    stake = np.clip((mean - doubted) / (variance + (mean - doubted) ** 2), 0, cut / doubted)
    return np.cumsum(np.log1p(stake * (losses - doubted)), axis=1)


def empirical_bernstein(differences: Floats) -> Floats:
    """Log of the predictable plug-in empirical Bernstein e-process, tuned for this evidence."""
    losses, doubted = (1 - differences) / 2, (1 + MARGIN) / 2
    mean, variance = past_moments(losses)
    n = np.arange(1, losses.shape[1] + 1)
    stake = np.minimum(np.sqrt(2 * math.log(1_800) / (variance * n * np.log(n + 1))), 0.5)
    return np.cumsum(stake * (losses - doubted) - (losses - mean) ** 2 * (-np.log1p(-stake) - stake), axis=1)


def speed_table(rng: np.random.Generator) -> None:
    print("\n### Time and memory of 200 arms × 10,000 rows, looked at after every 50 rows, nobody leaving\n")
    print("| scores | seconds of CPU | peak memory, MB |")
    print("|---|---|---|")
    names = [f"arm {i}" for i in range(200)]
    for kind, scores in (
        ("right/wrong", (rng.random((200, 10_000)) < 0.8).astype(float)),
        ("graded", rng.random((200, 10_000))),
    ):
        start = time.process_time()
        run_all(names, scores)
        seconds = time.process_time() - start
        tracemalloc.start()
        run_all(names, scores)
        print(f"| {kind} | {seconds:.2f} | {tracemalloc.get_traced_memory()[1] / 1e6:.0f} |")
        tracemalloc.stop()


def run_all(names: list[str], scores: Floats) -> None:
    race = Eliminator(names, margin=MARGIN)
    for start in range(0, scores.shape[1], 50):
        for name, row in zip(names, scores):
            race.add(name, row[start : start + 50])
        race.check()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng, share = np.random.default_rng(arguments.seed), 10 if arguments.quick else 1
    pair_table(1_000 // share, rng)
    for kind in ("right/wrong", "graded", "rare disasters"):
        race_table(150 // share, rng, kind)
    stakes_table(400 // share, rng)
    speed_table(rng)


if __name__ == "__main__":
    main()
