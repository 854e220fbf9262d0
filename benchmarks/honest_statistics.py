"""Do the intervals cover what they promise, and is "better" rarely false?

    python benchmarks/honest_statistics.py            # about four minutes on one core, prints Markdown
    python benchmarks/honest_statistics.py --repeats 4000
    python benchmarks/honest_statistics.py --only groups    # rows that belong together, about four minutes
    python benchmarks/honest_statistics.py --only answers --repeats 300    # arms that do not answer the same twice, two minutes

Right/wrong pairs are not simulated but enumerated: every table of wins and losses with its probability,
so those numbers are exact. Graded scores are simulated with the library's own functions.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, norm

from tuneworth.core.run import Interval
from tuneworth.stats import clusters, intervals
from tuneworth.stats.answers import mean_scores
from tuneworth.stats.family import judge
from tuneworth.stats.intervals import bootstrap_interval, mean_interval
from tuneworth.stats.paired import compare, compare_corpus, compare_means, mcnemar_exact, tango_interval
from tuneworth.stats.power import rows_to_show, rows_to_tie
from tuneworth.stats.sequential import Eliminator
from tuneworth.stats.trainings import spread_of

Floats = NDArray[np.float64]
Sampler = Callable[[np.random.Generator, int], Floats]
SIZES = (30, 100, 500)
MARGIN = 0.02


def likely_tables(n: int, win: float, loss: float) -> Iterator[tuple[int, int, float]]:
    """(wins, losses, probability) of every table that is not negligible."""
    for differ in range(n + 1):
        p_differ = binom.pmf(differ, n, win + loss)
        if p_differ < 1e-9:
            continue
        wins = np.arange(differ + 1)
        weights = p_differ * binom.pmf(wins, differ, win / (win + loss))
        yield from ((int(w), differ - int(w), float(p)) for w, p in zip(wins, weights) if p > 1e-10)


@cache
def tango(wins: int, losses: int, n: int) -> Interval:
    return tango_interval(wins, losses, n)


@cache
def mcnemar(wins: int, losses: int) -> float:
    return mcnemar_exact(wins, losses)


def binary_table() -> None:
    print("### Right/wrong: Tango's interval and the exact McNemar test (exact, by enumeration)\n")
    print("| rows | differ on | true difference | covers | width | called better or worse |")
    print("|---|---|---|---|---|---|")
    for n in SIZES:
        for differ, difference in (
            (0.05, 0.0),
            (0.1, 0.0),
            (0.2, 0.0),
            (0.4, 0.0),
            (0.1, 0.05),
            (0.2, 0.1),
            (0.4, 0.2),
        ):
            covered = width = called = 0.0
            for wins, losses, p in likely_tables(n, (differ + difference) / 2, (differ - difference) / 2):
                interval = tango(wins, losses, n)
                covered += p * (interval.low <= difference <= interval.high)
                width += p * (interval.high - interval.low)
                called += p * (mcnemar(wins, losses) <= 0.05 and (interval.low > 0 or interval.high < 0))
            print(f"| {n} | {differ:.0%} | {difference:.2f} | {covered:.1%} | {width:.3f} | {called:.1%} |")


def token_f1(rng: np.random.Generator, n: int, right: float = 0.45, wrong: float = 0.1) -> Floats:
    """Many exact answers, some empty ones, the rest in between."""
    kind = rng.random(n)
    return np.where(kind < right, 1.0, np.where(kind < right + wrong, 0.0, rng.beta(2, 1.5, n)))


def f1_pairs(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """Two arms that give the same answer on 40 % of the rows."""
    a, b = token_f1(rng, n), token_f1(rng, n, 0.4, 0.15)
    return a, np.where(rng.random(n) < 0.4, a, b)


def chrf_pairs(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """Similar answers of varying difficulty: differences are small and nearly normal."""
    a = rng.beta(8, 6, n)
    return a, np.clip(a + rng.normal(0.02, 0.08, n), 0, 1)


def sparse_pairs(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """The arms differ on a fifth of the rows."""
    a, b = token_f1(rng, n), token_f1(rng, n)
    return a, np.where(rng.random(n) < 0.8, a, b)


def skewed_pairs(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """The first arm is far better on 12 % of the rows and slightly worse on the others."""
    base = 0.3 + 0.3 * rng.random(n)
    gain = np.where(rng.random(n) < 0.12, 0.4 * rng.random(n), -0.2 * rng.beta(2, 20, n))
    return base + gain, base


PAIRS = {"token F1": f1_pairs, "chrF": chrf_pairs, "few rows differ": sparse_pairs, "skewed": skewed_pairs}
SINGLES: dict[str, Sampler] = {
    "token F1": token_f1,
    "near the ceiling": lambda rng, n: token_f1(rng, n, 0.85, 0.02),
    "low, skewed": lambda rng, n: rng.beta(1, 8, n),
}


def null_pairs(
    pairs: Callable[[np.random.Generator, int], tuple[Floats, Floats]],
) -> Callable[..., tuple[Floats, Floats]]:
    """The same scores with the arms' names tossed row by row: no arm is better."""

    def sample(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        a, b = pairs(rng, n)
        swap = rng.random(n) < 0.5
        return np.where(swap, b, a), np.where(swap, a, b)

    return sample


def graded_table(repeats: int, rng: np.random.Generator) -> None:
    print("\n### Graded scores: paired difference (simulated)\n")
    print(
        f"Without a true difference, arms are exchangeable. {repeats} samples per line ({repeats // 2} at 500 rows).\n"
    )
    print("| scores | rows | covers | too high | too low | width | falsely better or worse |")
    print("|---|---|---|---|---|---|---|")
    for name, pairs in PAIRS.items():
        a, b = pairs(rng, 2_000_000)
        truth = float((a - b).mean())
        for n in SIZES:
            count = repeats if n < 500 else repeats // 2
            intervals = [compare(*pairs(rng, n), binary=False, rng=rng).interval for _ in range(count)]
            lows, highs = np.array([i.low for i in intervals]), np.array([i.high for i in intervals])
            null = null_pairs(pairs)
            answers = [
                judge([compare(*null(rng, n), binary=False, rng=rng)], margin=MARGIN)[0].answer for _ in range(count)
            ]
            false = np.mean([answer in ("better", "worse") for answer in answers])
            covers = np.mean((lows <= truth) & (truth <= highs))
            print(
                f"| {name} | {n} | {covers:.1%} | {np.mean(lows > truth):.1%} | {np.mean(highs < truth):.1%} "
                f"| {np.mean(highs - lows):.3f} | {false:.1%} |"
            )


def mean_table(repeats: int, rng: np.random.Generator) -> None:
    print("\n### Graded scores: mean of one arm (simulated)\n")
    print("| scores | rows | covers | too high | too low | width |")
    print("|---|---|---|---|---|---|")
    for name, sample in SINGLES.items():
        truth = float(sample(rng, 4_000_000).mean())
        for n in SIZES:
            intervals = [mean_interval(sample(rng, n), binary=False, rng=rng) for _ in range(repeats)]
            lows, highs = np.array([i.low for i in intervals]), np.array([i.high for i in intervals])
            covers = np.mean((lows <= truth) & (truth <= highs))
            print(
                f"| {name} | {n} | {covers:.1%} | {np.mean(lows > truth):.1%} | {np.mean(highs < truth):.1%} "
                f"| {np.mean(highs - lows):.3f} |"
            )


def labelled(rng: np.random.Generator, n: int, classes: int, flip: float) -> tuple[Floats, Floats, Floats]:
    """One-hot truth and the predictions of two arms (80 % and 72 % right; ``flip`` of the luck is not shared)."""
    share = np.linspace(1, 0.2, classes)
    share /= share.sum()
    truth = rng.choice(classes, n, p=share)
    luck = rng.random(n)
    other = np.where(rng.random(n) < flip, rng.random(n), luck)
    one_hot = np.eye(classes)
    first = np.where(luck < 0.8, truth, rng.choice(classes, n, p=share))
    second = np.where(other < 0.72, truth, rng.choice(classes, n, p=share))
    return one_hot[truth], one_hot[first], one_hot[second]


def macro_f1(truth: Floats, answers: Floats) -> Callable[[NDArray[np.intp]], float]:
    parts = np.concatenate([truth * answers, truth + answers], axis=1)

    def value(rows: NDArray[np.intp]) -> float:
        hit, both = np.split(parts[rows].sum(axis=0), 2)
        return float(np.mean(2 * hit[both > 0] / both[both > 0]))

    return value


def corpus_table(repeats: int, rng: np.random.Generator) -> None:
    print("\n### Macro-F1: one arm (BCa) and paired difference (simulated)\n")
    print("| rows | classes | one arm covers | difference covers | falsely better or worse |")
    print("|---|---|---|---|---|")
    for n, classes in ((30, 3), (100, 3), (100, 8), (300, 8)):
        truth, a, b = labelled(rng, 300_000, classes, 0.5)
        everything = np.arange(len(truth))
        value_a, value_b = macro_f1(truth, a)(everything), macro_f1(truth, b)(everything)
        one = both = false = 0
        for _ in range(repeats):
            truth, a, b = labelled(rng, n, classes, 0.5)
            interval = bootstrap_interval(macro_f1(truth, a), n, rng)
            one += interval.low <= value_a <= interval.high
            result = _corpus(truth, a, b, rng)
            both += result.interval.low <= value_a - value_b <= result.interval.high
            swap = rng.random((n, 1)) < 0.5
            null = _corpus(truth, np.where(swap, b, a), np.where(swap, a, b), rng)
            false += judge([null], margin=MARGIN)[0].answer in ("better", "worse")
        print(f"| {n} | {classes} | {one / repeats:.1%} | {both / repeats:.1%} | {false / repeats:.1%} |")


def _corpus(truth: Floats, a: Floats, b: Floats, rng: np.random.Generator):
    right_a, right_b = (truth * a).sum(axis=1), (truth * b).sum(axis=1)
    return compare_corpus(right_a, right_b, macro_f1(truth, a), macro_f1(truth, b), rng=rng)


def planning_table(repeats: int, rng: np.random.Generator) -> None:
    print("\n### Rows needed: how often the planned number settles it (80 % is planned)\n")
    print("| differ on | true difference | margin | planned for | rows | settled |")
    print("|---|---|---|---|---|---|")
    plans = (
        (0.3, 0.1, 0.02),
        (0.2, 0.05, 0.02),
        (0.1, 0.03, 0.02),
        (0.2, 0.0, 0.05),
        (0.1, 0.0, 0.02),
        (0.1, 0.005, 0.03),
    )
    for differ, difference, margin in plans:
        show = rows_to_show(difference, differ, binary=True) if difference > margin / 2 else None
        n, goal = (show, "better") if show else (rows_to_tie(difference, differ, margin=margin), "equivalent")
        assert n is not None
        win, loss = (differ + difference) / 2, (differ - difference) / 2
        settled = 0
        for wins, losses, ties in rng.multinomial(n, (win, loss, 1 - differ), repeats):
            a = np.repeat([1.0, 0.0, 1.0], (wins, losses, ties))
            b = np.repeat([0.0, 1.0, 1.0], (wins, losses, ties))
            settled += judge([compare(a, b, binary=True, rng=rng)], margin=margin)[0].answer == goal
        print(f"| {differ:.0%} | {difference:.3f} | {margin:.2f} | {goal} | {n:,} | {settled / repeats:.1%} |")


# -- rows that belong together --------------------------------------------------------------------------------


def _power_law(rng: np.random.Generator) -> NDArray[np.intp]:
    """Sizes 15, 15, 15, 15, 13, 11, …, 1: 60/k rows, none more than a twentieth."""
    return np.minimum(60 // np.arange(1, 101) + 1, 15)


DESIGNS: dict[str, tuple[Callable[[np.random.Generator], NDArray[np.intp]], float]] = {
    "150 groups of 2, near-copies": (lambda rng: np.full(150, 2), 0.95),
    "60 groups of 5, near-copies": (lambda rng: np.full(60, 5), 0.95),
    "100 groups, 1 to 15 rows (power law)": (_power_law, 0.95),
    "40 users, 2 to 15 rows": (lambda rng: rng.integers(2, 16, 40), 0.2),
    "12 users of 20 rows": (lambda rng: np.full(12, 20), 0.2),
    "10 groups of 8, near-copies": (lambda rng: np.full(10, 8), 0.95),
}
"""Name → sizes of the groups, and the correlation of what an arm makes of two rows of one group."""


def clustered(rng: np.random.Generator, sizes: NDArray[np.intp], alike: float, means: Floats, binary: bool) -> Floats:
    """Scores of arms, shape ``(arms, rows)``: a normal score of group and row, cut at the mean or spread over [0, 1]."""
    of_row = np.repeat(np.arange(sizes.size), sizes)
    group, row = rng.standard_normal((means.size, sizes.size)), rng.standard_normal((means.size, of_row.size))
    latent = np.sqrt(alike) * group[:, of_row] + np.sqrt(1 - alike) * row
    shift = norm.ppf(means)[:, None]
    return (latent < shift).astype(float) if binary else norm.cdf(shift * np.sqrt(2) + latent)


def group_table(repeats: int, rng: np.random.Generator) -> None:
    print("\n### Rows that belong together (simulated)\n")
    print(
        f"{repeats} samples per line; the difference covered is ten points, falsely called is one of two arms that are alike.\n"
    )
    print(
        "| groups | scores | one arm covers | difference covers | falsely better or worse | if rows were counted | rows are worth |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, (sizes_of, alike) in DESIGNS.items():
        for binary in (True, False):
            one = both = false = naive = 0
            worth: list[float] = []
            for _ in range(repeats):
                sizes = sizes_of(rng)
                names = [f"g{group}" for group, size in enumerate(sizes) for _ in range(size)]
                a, b, c = clustered(rng, sizes, alike, np.array([0.7, 0.6, 0.6]), binary)
                single = mean_interval(a, binary=binary, rng=rng, groups=names)
                one += single.low <= 0.7 <= single.high
                pair = compare(a, b, binary=binary, rng=rng, groups=names)
                both += pair.interval.low <= 0.1 <= pair.interval.high
                worth.append(pair.n_effective or len(names))
                false += judge([compare(b, c, binary=binary, rng=rng, groups=names)], margin=MARGIN)[0].answer in CALLED
                naive += judge([compare(b, c, binary=binary, rng=rng)], margin=MARGIN)[0].answer in CALLED
            rates = " | ".join(f"{100 * count / repeats:.1f} %" for count in (one, both, false, naive))
            print(
                f"| {name} | {'right/wrong' if binary else 'graded'} | {rates} | {np.median(worth):.0f} |", flush=True
            )


CALLED = ("better", "worse")


def promise_table(repeats: int, rng: np.random.Generator) -> None:
    print("\n### Elimination among six arms that are alike (simulated)\n")
    print("Looked at after every 32 rows, for worse at all; at most 5 % of the races may lose an arm.\n")
    print("| groups | races that lose an arm | if rows were counted |")
    print("|---|---|---|")
    arms = [f"arm {at}" for at in range(6)]
    for name, (sizes_of, alike) in DESIGNS.items():
        lost = [0, 0]
        for _ in range(repeats):
            sizes = rng.permutation(sizes_of(rng))
            names = [f"g{group}" for group, size in enumerate(sizes) for _ in range(size)]
            scores = clustered(rng, sizes, alike, np.full(6, 0.6), binary=True)
            for way, groups in enumerate((names, ())):
                race = Eliminator(arms, margin=0.0, groups=groups)
                for start in range(0, len(names), 32):
                    for arm, values in zip(arms, scores):
                        race.add(arm, values[start : start + 32])
                    race.check()
                lost[way] += bool(race.eliminated)
        print(f"| {name} | {100 * lost[0] / repeats:.1f} % | {100 * lost[1] / repeats:.1f} % |", flush=True)


def unsteady(rng: np.random.Generator, n: int, unsure: float, agree: float) -> Floats:
    """How likely each of two arms is right, shape ``(2, rows)``: sure of most rows, a coin on a share that is ``unsure``."""
    first = rng.random(n) < 0.75
    second = np.where(rng.random(n) < agree, first, rng.random(n) < 0.7)
    return np.where(rng.random((2, n)) < unsure, 0.5, np.stack([first, second]).astype(float))


def answers_table(repeats: int, rng: np.random.Generator) -> None:
    print("\n### Arms that do not answer the same twice: the first 60 rows asked three times (simulated)\n")
    print(
        "Covered is the difference of the expected scores. The last two columns: one answer a row, widened by the spread of the"
    )
    print("three passes as if they were trainings.\n")
    print(
        "| rows | a coin on | agree on | one answer covers | width | mean of answers covers | width | widened covers | width |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for n in (60, 150, 300):
        for unsure, agree in ((0.04, 0.8), (0.2, 0.8), (0.2, 0.95), (0.4, 0.5)):
            true = unsteady(np.random.default_rng(1), 2_000_000, unsure, agree).mean(axis=1)
            difference, covered, width = float(true[0] - true[1]), np.zeros(3), np.zeros(3)
            for _ in range(repeats):
                a, b = (rng.random((3, n)) < likely for likely in unsteady(rng, n, unsure, agree))
                once = compare(a[0], b[0], binary=True, rng=rng)
                means = (_means(a), _means(b))
                spreads = [spread_of(arm[:, :60].astype(float)) for arm in (a, b)]
                luck = float(np.hypot(*(spread.half(0.95) * np.sqrt(3) for spread in spreads if spread is not None)))
                low, high = once.interval.low, once.interval.high
                low, high = (
                    once.difference - np.hypot(once.difference - low, luck),
                    once.difference + np.hypot(high - once.difference, luck),
                )
                averaged = compare_means(*means, rng=rng).interval
                ends = ((once.interval.low, once.interval.high), (averaged.low, averaged.high), (low, high))
                covered += [low <= difference <= high for low, high in ends]
                width += [high - low for low, high in ends]
            shown = " | ".join(f"{100 * c / repeats:.1f} % | {w / repeats:.3f}" for c, w in zip(covered, width))
            print(f"| {n} | {unsure:.0%} | {agree:.0%} | {shown} |", flush=True)


def _means(answers: NDArray[np.bool_]) -> list[float]:
    """Of one arm, shape ``(passes, rows)``; only the first 60 rows were asked more than once."""
    first, *further = (dict(zip(map(str, range(len(line))), map(float, line))) for line in answers)
    asked = [{row: score for row, score in line.items() if int(row) < 60} for line in further]
    return list(mean_scores(first, asked).values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["groups", "answers"], help="these tables alone")
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    if arguments.only == "groups":
        intervals.N_SIGN_FLIPS, clusters.N_RESAMPLES = (
            999,
            499,
        )  # a tenth of the work; a test with fewer flips keeps its level
        group_table(arguments.repeats, rng)
        promise_table(arguments.repeats, rng)
        return
    if arguments.only == "answers":
        answers_table(arguments.repeats, rng)
        return
    binary_table()
    graded_table(arguments.repeats, rng)
    mean_table(arguments.repeats, rng)
    corpus_table(max(100, arguments.repeats // 5), rng)
    planning_table(arguments.repeats, rng)


if __name__ == "__main__":
    main()
