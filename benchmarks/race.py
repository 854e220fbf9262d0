"""Does the race come to the recommendation of an exhaustive comparison, and what does it spend?

    python benchmarks/race.py simulate                      # synthetic arms, a few minutes
    python benchmarks/race.py replay FOLDER/*.json          # recordings of benchmarks/race_record.py
    python benchmarks/race.py scheduler                     # time and memory for 200 arms on 10,000 rows

A recording holds what every arm scored at every training size on every dev row, and what it took. The race, and two
plain rules that may spend as much as it did, are played on it with the dev rows in random orders. What the rules do
not know before they look is known to nobody: the expected costs given to the race before an arm's first
look are wrong by a random factor (half to twice, mostly). Prints Markdown.
"""

from __future__ import annotations

import argparse
import math
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from race_rules import Played, RecordedArm, RecordedFit, Recording, argmax, at_share, halving, load
from tuneworth.race.schedule import Entrant, Schedule, Work

Floats = NDArray[np.float64]
POINT = 0.01
COST_ERROR = 0.35
"""Standard deviation of the log of an expected cost before the first look."""


@dataclass
class RoughCosts:
    """Expected costs: wrong by a factor per arm until it was looked at, then by the arm's own pace."""

    recording: Recording
    rng: np.random.Generator
    seen: set[str] = field(default_factory=set[str])
    factors: dict[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        self.factors = {arm: math.exp(self.rng.normal(0, COST_ERROR)) for arm in self.recording.arms}

    def fit_seconds(self, arm_id: str, n_train: int | None) -> float | None:
        return self._factor(arm_id) * self.recording.arms[arm_id].fits[n_train].fit_seconds

    def answer_seconds(self, arm_id: str, n_train: int | None, n_rows: int) -> float | None:
        return self._factor(arm_id) * n_rows * float(self.recording.arms[arm_id].fits[n_train].row_seconds.mean())

    def _factor(self, arm_id: str) -> float:
        return 1.0 if arm_id in self.seen else self.factors[arm_id]


def race(recording: Recording, rng: np.random.Generator, budget: float | None = None) -> Played:
    costs = RoughCosts(recording, rng)
    entrants = [
        Entrant(arm.arm_id, arm.kind, tuple(arm.fits), arm.model, arm.family) for arm in recording.arms.values()
    ]
    schedule = Schedule(
        entrants,
        n_dev=recording.n_dev,
        margin=recording.margin,
        chance=recording.chance,
        costs=costs,
        n_train=recording.n_train,
    )
    rows: dict[tuple[str, int | None], int] = {}
    fits: dict[tuple[str, int | None], RecordedFit] = {}
    seconds, settled, steps, leader = 0.0, 0.0, 0, None
    while (work := schedule.next(None if budget is None else budget - seconds)) is not None:
        seconds += do(recording, schedule, work, rows, fits)
        costs.seen.add(work.arm_id)
        steps += 1
        if schedule.leader != leader:
            leader, settled = schedule.leader, seconds
    assert leader is not None
    trained = sum(recording.arms[name].kind == "tuned" and size is None for name, size in rows)
    gone = tuple(stop.arm_id for stop in schedule.stops if stop.reason == "eliminated")
    best = {
        arm: fit.mean for (arm, _), fit in fits.items()
    }  # of an arm the last size, which is the largest but for gaps
    best |= {arm: fit.mean for (arm, size), fit in fits.items() if size is None}
    finals = finalists(recording, schedule, best)
    return Played(leader, best[leader], seconds, settled, gone, steps, trained, finals)


def finalists(recording: Recording, schedule: Schedule, best: dict[str, float]) -> dict[str, float]:
    """What the arms that go to the test rows score: of each kind the one that surely leads, of those that stand."""
    found: dict[str, tuple[float, float]] = {}
    for place in schedule.standings():
        kind = recording.arms[place.arm_id].kind
        if place.stopped is None and place.mean is not None:
            surely = place.mean - 1 / math.sqrt(place.n_rows)
            found[kind] = max(found.get(kind, (-math.inf, 0.0)), (surely, best[place.arm_id]))
    return {kind: mean for kind, (_, mean) in found.items()}


def do(
    recording: Recording,
    schedule: Schedule,
    work: Work,
    rows: dict[tuple[str, int | None], int],
    fits: dict[tuple[str, int | None], RecordedFit],
) -> float:
    """Hand over the recorded scores; returns what they had cost. A training that is cut short scores as one on fewer rows."""
    key, arm = (work.arm_id, work.n_train), recording.arms[work.arm_id]
    fit, have, fitting = arm.fits[work.n_train], rows.get(key, 0), 0.0
    if not have:
        fitting = fit.fit_seconds if work.seconds is None else min(fit.fit_seconds, work.seconds)
        cut = work.n_train is None and fitting < fit.fit_seconds
        fits[key] = at_share(arm, fitting / fit.fit_seconds) if cut else fit
    rows[key] = work.n_rows
    schedule.observe(work, fits[key].scores[have : work.n_rows])
    return fitting + float(fit.row_seconds[have : work.n_rows].sum())


@dataclass
class Tally:
    """Runs of one rule."""

    regrets: list[float] = field(default_factory=list[float])
    good: list[bool] = field(default_factory=list[bool])
    shares: list[float] = field(default_factory=list[float])
    settled: list[float] = field(default_factory=list[float])

    def add(self, played: Played, recording: Recording) -> None:
        regret = max(0.0, recording.winner.full.mean - played.mean)
        self.regrets.append(100 * regret)
        self.good.append(regret <= max(recording.margin, POINT) + 1e-9)
        self.shares.append(played.seconds / recording.seconds)
        self.settled.append(played.settled_seconds / recording.seconds)

    def cells(self) -> str:
        regret, late = np.mean(self.regrets), np.percentile(self.regrets, 95)
        return f"{regret:.2f} | {late:.1f} | {np.mean(self.good):.0%} | {np.mean(self.shares):.0%}"


HEADINGS = "regret | 95 % | good | cost"


def play(
    recordings: Callable[[np.random.Generator], Recording], runs: int, seed: int
) -> tuple[dict[str, Tally], list[Played]]:
    tallies = {name: Tally() for name in ("race", "halving", "argmax")}
    raced: list[Played] = []
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        recording = recordings(rng)
        played = race(recording, rng)
        raced.append(played)
        tallies["race"].add(played, recording)
        tallies["halving"].add(halving(recording, played.seconds), recording)
        tallies["argmax"].add(argmax(recording, played.seconds), recording)
    return tallies, raced


def replay(options: argparse.Namespace) -> None:
    print(
        f"{options.orders} random orders of the dev rows each; regret in points of the metric, mean and 95th percentile;"
    )
    print(
        "good: the winner of the exhaustive comparison, or within the margin or 1 point of it; cost: of the exhaustive.\n"
    )
    print("| set | winner | race: " + HEADINGS + " | settled | halving: " + HEADINGS + " | argmax: " + HEADINGS + " |")
    print("|" + "---|" * 15)
    everything: dict[str, Tally] = {name: Tally() for name in ("race", "halving", "argmax")}
    notes: list[str] = []
    for path in options.recordings:
        recording = load(path)
        tallies, raced = play(recording.shuffled, options.orders, options.seed)
        show(recording.name, f"{recording.winner.arm_id} {recording.winner.full.mean:.3f}", tallies)
        for name, tally in tallies.items():
            for part in ("regrets", "good", "shares", "settled"):
                getattr(everything[name], part).extend(getattr(tally, part))
        within = [
            arm.arm_id for arm in recording.rivals if arm.full.mean >= recording.winner.full.mean - recording.margin
        ]
        lost = np.mean([any(arm in played.eliminated for arm in within) for played in raced])
        full = np.mean([played.full_trainings for played in raced])
        notes.append(f"| {recording.name} | {lost:.0%} | {full:.2f} |")
    show("all", "", everything)
    print(
        "\n| set | races that eliminated an arm within the margin of the winner | trainings on all rows |\n|---|---|---|"
    )
    print("\n".join(notes))


def show(name: str, winner: str, tallies: dict[str, Tally]) -> None:
    settled = f"{np.mean(tallies['race'].settled):.0%}"
    cells = [tallies["race"].cells(), settled, tallies["halving"].cells(), tallies["argmax"].cells()]
    print(f"| {name} | {winner} | {' | '.join(cells)} |", flush=True)


@dataclass(frozen=True)
class Field:
    """Synthetic arms: mean of each untuned arm, curve of the tuned one, as functions of chance."""

    name: str
    untuned: Callable[[np.random.Generator], Floats]
    tuned: Callable[[np.random.Generator], tuple[float, float]]
    graded: bool = False


def fields() -> list[Field]:
    def spread(n: int, centre: float, sd: float) -> Callable[[np.random.Generator], Floats]:
        return lambda rng: np.clip(rng.normal(centre, sd, n), 0.02, 0.97)

    return [
        Field("tuned far ahead", spread(9, 0.35, 0.12), lambda rng: (0.75, 0.6)),
        Field("untuned far ahead", spread(9, 0.7, 0.12), lambda rng: (0.55, 0.5)),
        Field("level", spread(9, 0.6, 0.08), lambda rng: (0.7, 0.35)),
        Field("all the same", lambda rng: np.full(9, 0.5), lambda rng: (0.5, 0.0)),
        Field("near ties", spread(9, 0.7, 0.02), lambda rng: (0.72, 0.3)),
        Field("graded", spread(9, 0.5, 0.12), lambda rng: (0.65, 0.4), graded=True),
        Field("30 arms", spread(29, 0.5, 0.12), lambda rng: (0.7, 0.4)),
    ]


def synthetic(chosen: Field, rng: np.random.Generator, n_dev: int = 300, n_train: int = 1000) -> Recording:
    """Right/wrong (or five-grade) scores with common luck on half the rows; costs spread as in real runs."""
    means = chosen.untuned(rng)
    end, rise = chosen.tuned(rng)
    sizes = [n_train >> halving for halving in range(5, 0, -1)]
    curve = [end - rise * ((n_train / size) ** 0.5 - 1) / (32**0.5 - 1) for size in (*sizes, n_train)]
    luck = Luck(rng, n_dev, chosen.graded)
    arms = {}
    for at, mean in enumerate(means):
        cost = math.exp(rng.normal(math.log(0.15), 1.0))
        fit = RecordedFit(None, 0.1, np.full(n_dev, cost), luck.scores(float(mean)))
        arms[f"untuned{at}"] = RecordedArm(f"untuned{at}", "untuned", "model", {None: fit})
    fits = {
        size: RecordedFit(size, 0.4 * (size or n_train), np.full(n_dev, 0.12), luck.scores(score))
        for size, score in zip((*sizes, None), curve)
    }
    arms["lora"] = RecordedArm("lora", "tuned", "model", fits)
    return Recording(chosen.name, n_train, 0.02, 0.0, arms)


class Luck:
    """On half of the rows all arms share their luck."""

    def __init__(self, rng: np.random.Generator, n_dev: int, graded: bool):
        self.rng, self.parts = rng, 4 if graded else 1
        self.shared = rng.random(n_dev) < 0.5
        self.common = rng.random((self.parts, n_dev))

    def scores(self, mean: float) -> Floats:
        own = self.rng.random(self.common.shape)
        return (np.where(self.shared, self.common, own) < mean).mean(axis=0)


def simulate(options: argparse.Namespace) -> None:
    print(
        f"Synthetic arms, 300 dev rows, margin 2 points, {options.runs} races a line; regret in points on the dev rows.\n"
    )
    print("| field | race: " + HEADINGS + " | settled | halving: " + HEADINGS + " | argmax: " + HEADINGS + " |")
    print("|" + "---|" * 14)
    for number, chosen in enumerate(fields()):
        tallies, _ = play(
            lambda rng, chosen=chosen: synthetic(chosen, rng), options.runs, len(fields()) * options.seed + number
        )
        settled = f"{np.mean(tallies['race'].settled):.0%}"
        cells = [tallies["race"].cells(), settled, tallies["halving"].cells(), tallies["argmax"].cells()]
        print(f"| {chosen.name} | {' | '.join(cells)} |", flush=True)


class EvenCosts:
    def fit_seconds(self, arm_id: str, n_train: int | None) -> float | None:
        return 0.1

    def answer_seconds(self, arm_id: str, n_train: int | None, n_rows: int) -> float | None:
        return 0.05 * n_rows


def scheduler(options: argparse.Namespace) -> None:
    """Time and memory of all decisions, without those of making the scores."""
    print("| arms × dev rows | field | steps | CPU seconds | peak MB |\n|---|---|---|---|---|")
    for name, means in scheduler_fields(options.arms):
        seconds, steps, _ = decide_all(means, options.rows)
        tracemalloc.start()
        decide_all(means, options.rows)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        print(f"| {options.arms} × {options.rows:,} | {name} | {steps} | {seconds:.2f} | {peak:.0f} |", flush=True)


def scheduler_fields(n: int) -> Iterator[tuple[str, Floats]]:
    yield "spread over 60 points", np.linspace(0.2, 0.8, n)
    yield "two points apart at most", np.linspace(0.5, 0.52, n)
    yield "all equal", np.full(n, 0.5)


def decide_all(means: Floats, n_dev: int) -> tuple[float, int, Schedule]:
    rng = np.random.default_rng(0)
    entrants = [Entrant(f"arm{at}", "untuned", (None,), "model") for at in range(means.size)]
    started = time.process_time()
    schedule = Schedule(entrants, n_dev=n_dev, margin=0.02, chance=0.0, costs=EvenCosts())
    seconds, steps = time.process_time() - started, 0
    have = np.zeros(means.size, dtype=int)
    place = {entrant.arm_id: at for at, entrant in enumerate(entrants)}
    while True:
        started = time.process_time()
        work = schedule.next(None)
        seconds += time.process_time() - started
        if work is None:
            return seconds, steps, schedule
        at = place[work.arm_id]
        scores = (rng.random(work.n_rows - have[at]) < means[at]).astype(float)
        have[at] = work.n_rows
        started = time.process_time()
        schedule.observe(work, scores)
        seconds += time.process_time() - started
        steps += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("simulate")
    one.add_argument("--runs", type=int, default=100)
    one.add_argument("--seed", type=int, default=0)
    one.set_defaults(run=simulate)
    two = commands.add_parser("replay")
    two.add_argument("recordings", type=Path, nargs="+")
    two.add_argument("--orders", type=int, default=50)
    two.add_argument("--seed", type=int, default=0)
    two.set_defaults(run=replay)
    three = commands.add_parser("scheduler")
    three.add_argument("--arms", type=int, default=200)
    three.add_argument("--rows", type=int, default=10_000)
    three.set_defaults(run=scheduler)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
