"""What is each rule of the race worth? Every rule is replaced by its plain alternative, on the same made-up races.

    python benchmarks/race_ablate.py                        # every rule, without a budget and with one
    python benchmarks/race_ablate.py --only "all rules" --runs 100

Regret: points of the metric behind the winner of the exhaustive comparison. Good: within the margin of it. Other kind: points
that the best untuned arm (or the best tuned one, if that is the loser) which meets the test rows is behind the best of
its kind. Cost: of the exhaustive comparison. Prints Markdown.
"""

from __future__ import annotations

import argparse
import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

import numpy as np

from race import Luck, fields, race, synthetic
from race_rules import Played, RecordedArm, RecordedFit, Recording, three_rungs
from tuneworth.race import schedule as scheduling
from tuneworth.race.schedule import board, purse, rules
from tuneworth.stats.curve import CurvePoint

BUDGETS = (None, 0.4)
SIZES = (31, 62, 125, 250, 500, None)
Make = Callable[[np.random.Generator], Recording]


def growing(
    luck: Luck, arm_id: str, kind: str, end: float, rise: float, fit: float, row: float, family: str | None = None
) -> RecordedArm:
    """An arm with a curve; seconds per training row and per dev row."""
    fits = {}
    for size in SIZES:
        score = end - rise * ((1000 / (size or 1000)) ** 0.5 - 1) / (32**0.5 - 1)
        fits[size] = RecordedFit(size, fit * (size or 1000), np.full(300, row), luck.scores(score))
    return RecordedArm(arm_id, kind, "model", fits, family)


def mixed(name: str, untuned: int, learners: Callable[[np.random.Generator, Luck], list[RecordedArm]]) -> Make:
    """Untuned arms around 0.6 by 10 points, and arms that learn."""

    def make(rng: np.random.Generator) -> Recording:
        luck, arms = Luck(rng, 300, graded=False), []
        for at in range(untuned):
            cost = math.exp(rng.normal(math.log(0.15), 1.0))
            fit = RecordedFit(None, 0.1, np.full(300, cost), luck.scores(float(np.clip(rng.normal(0.6, 0.1), 0, 1))))
            arms.append(RecordedArm(f"untuned{at}", "untuned", "model", {None: fit}))
        return Recording(name, 1000, 0.02, 0.0, {arm.arm_id: arm for arm in (*arms, *learners(rng, luck))})

    return make


def made_up() -> dict[str, Make]:
    def heads(rng: np.random.Generator, luck: Luck) -> list[RecordedArm]:
        ends = rng.normal((0.65, 0.6, 0.7), 0.05)
        cheap = [growing(luck, f"head{at}", "untuned", ends[at], 0.4, 0.002, 0.002) for at in range(2)]
        return [*cheap, growing(luck, "lora", "tuned", ends[2], 0.4, 0.4, 0.12)]

    def settings(rng: np.random.Generator, luck: Luck) -> list[RecordedArm]:
        ends = 0.7 + rng.normal(0, 0.04, 3)
        return [growing(luck, f"rank{at}", "tuned", end, 0.35, 0.4, 0.12, "lora") for at, end in enumerate(ends)]

    def two(rng: np.random.Generator, luck: Luck) -> list[RecordedArm]:
        return [growing(luck, f"lora{at}", "tuned", rng.normal(0.68, 0.08), 0.4, 0.4, 0.12) for at in range(2)]

    def hopeless(rng: np.random.Generator, luck: Luck) -> list[RecordedArm]:
        return [growing(luck, "lora", "tuned", rng.normal(0.5, 0.05), rng.uniform(0, 0.3), 0.4, 0.12)]

    def close(rng: np.random.Generator, luck: Luck) -> list[RecordedArm]:
        return [growing(luck, "lora", "tuned", rng.normal(0.73, 0.04), rng.uniform(0.1, 0.4), 0.4, 0.12)]

    plain = {f.name: lambda rng, f=f: synthetic(f, rng) for f in fields()}
    learners = {"heads": heads, "settings": settings, "two LoRA": two, "hopeless LoRA": hopeless, "close LoRA": close}
    return plain | {name: mixed(name, 5, found) for name, found in learners.items()}


def never(*_: Any, **__: Any) -> None:
    return None


def all_sizes(self: rules.Rules, arm: board.Contender, n_points: int) -> float:
    return -1.0  # whatever the chance to end behind, the next size


def no_sizes(self: rules.Rules, arm: board.Contender, n_points: int) -> float:
    return 2.0


def straight(size: Callable[..., Any]) -> Callable[..., Any]:
    def judged(self: rules.Rules, arm: board.Contender, leader: board.Fit | None) -> Any:
        return (
            self.piece(arm.full, self.rows_for(arm.full), self._prior_gain) if arm.at < 0 else size(self, arm, leader)
        )

    return judged


def without_family(init: Callable[..., None]) -> Callable[..., None]:
    def started(self: Any, entrants: Any, **options: Any) -> None:
        init(self, [board.Entrant(one.arm_id, one.kind, one.sizes, one.model) for one in entrants], **options)

    return started


def in_plan_order(piece: Callable[..., board.Piece]) -> Callable[..., board.Piece]:
    def flat(self: rules.Rules, fit: board.Fit, n_rows: int, gain: float, *, heat: bool = False) -> board.Piece:
        found = piece(self, fit, n_rows, gain, heat=heat)
        return board.Piece(fit, n_rows, float(-fit.arm.number - 1000 * n_rows), 1.0, found.heat)

    return flat


def of_all_only(rows: Callable[..., Any]) -> Callable[..., Any]:
    def judged(self: rules.Rules, arm: board.Contender) -> Any:
        leader = board.Board.leader
        with patch.object(board.Board, "leader", lambda self, kind=None, without=None: leader(self, None, without)):
            return rows(self, arm)

    return judged


def exact(piece: Callable[..., board.Piece]) -> Callable[..., board.Piece]:
    def priced(self: rules.Rules, fit: board.Fit, n_rows: int, gain: float, *, heat: bool = False) -> board.Piece:
        price = self._purse.work(fit, n_rows - fit.rows)
        return replace(piece(self, fit, n_rows, gain, heat=heat), price=None if price is None else max(price, 1e-3))

    return priced


def by_mean(add: Callable[..., None]) -> Callable[..., None]:
    def added(self: board.Board, fit: board.Fit, scores: Any) -> None:
        add(self, fit, scores)
        fit.surely = fit.mean if fit.surely > -math.inf and fit.mean is not None else -math.inf

    return added


def alternatives() -> dict[str, list[Any]]:
    """Name of what is put in its place → patches."""
    rule, pay, plan = rules.Rules, purse.Purse, scheduling.Schedule
    everything, gap = "tuneworth.race.schedule.rules.", "tuneworth.stats.final_gap."
    return {
        "all rules": [],
        "order: fewest rows first, plan order": [patch.object(rule, "piece", in_plan_order(rule.piece))],
        "prices not rounded": [patch.object(rule, "piece", exact(rule.piece))],
        "the highest mean leads": [patch.object(board.Board, "add", by_mean(board.Board.add))],
        "any gain is worth its cost": [patch.object(rule, "_least_gain", lambda self, *_: 0.01 * self._margin)],
        "cost does not matter: a tenth of a margin": [
            patch.object(rule, "_least_gain", lambda self, *_: 0.1 * self._margin)
        ],
        "a vague prior (sd 1, no rows)": [patch(gap + "PRIOR_SD", 1.0), patch(gap + "PRIOR_ROWS", 0.1)],
        "no test": [patch.object(scheduling.Eliminator, "check", lambda self: [])],
        "sizes: none, all rows at once": [patch.object(rule, "_size", straight(rule._size))],
        "sizes: every one, no jump": [patch.object(rule, "_break_even", all_sizes)],
        "sizes: one, then all rows": [patch.object(rule, "_break_even", no_sizes)],
        "no forecast stops": [patch(everything + "MIN_SIZES", 99)],
        "sizes: 64 dev rows each": [patch(everything + "ASK_SHARE", 0.0)],
        "sizes: all dev rows": [patch(everything + "ASK_SHARE", 1e9)],
        "no cheap arms": [patch(everything + "CHEAP_SHARE", 0.0)],
        "no heats": [patch.object(plan, "__init__", without_family(plan.__init__))],
        "heats on n/2": [patch(everything + "HEAT_HALVINGS", 1)],
        "the best of all only": [patch.object(rule, "_rows", of_all_only(rule._rows))],
        "leader not completed": [patch.object(rule, "_complete", never)],
        "no sizes filled in": [patch.object(rule, "_fill", never)],
        "purse: sizes though all rows are dear": [patch.object(pay, "shortcut", lambda self, fit: fit)],
        "purse: untuned arms take what they like": [patch.object(pay, "_is_needed", lambda self, *_: False)],
        "purse: untuned arms only what is left": [patch("tuneworth.race.schedule.purse.UNTUNED_SHARE", 0.0)],
        "purse: the first training takes all": [patch.object(pay, "_waiting", lambda self: [])],
        "purse: nobody is exempt": [patch.object(pay, "_is_exempt", lambda self, arm: arm.entrant.model is None)],
    }


@dataclass
class Sums:
    """Over the races of one alternative under one budget."""

    regrets: list[float] = field(default_factory=list[float])
    good: list[bool] = field(default_factory=list[bool])
    kinds: list[float] = field(default_factory=list[float])
    costs: list[float] = field(default_factory=list[float])

    def add(self, recording: Recording, played: Played) -> None:
        regret = max(0.0, recording.winner.full.mean - played.mean)
        self.regrets.append(100 * regret)
        self.good.append(regret <= recording.margin + 1e-9)
        self.costs.append(100 * played.seconds / recording.seconds)
        loser = "untuned" if recording.winner.kind == "tuned" else "tuned"
        best = max((arm.full.mean for arm in recording.rivals if arm.kind == loser), default=None)
        if best is not None and loser in played.finals:
            self.kinds.append(100 * max(0.0, best - played.finals[loser]))

    def cells(self, whole: Sums) -> str:
        """With the standard error of what the regret differs from that of ``whole``, race by race."""
        differences = np.array(self.regrets) - np.array(whole.regrets)
        error = float(differences.std() / math.sqrt(differences.size))
        kinds = f"{np.mean(self.kinds):.2f}" if self.kinds else ""
        regret = f"{np.mean(self.regrets):.2f} ± {error:.2f}" if error else f"{np.mean(self.regrets):.2f}"
        return f"{regret} | {100 * np.mean(self.good):.1f} | {kinds} | {np.mean(self.costs):.1f}"


class Remembered:
    """Curves of one recording: most alternatives meet the same points."""

    def __init__(self) -> None:
        self.curves: dict[tuple[Any, ...], Any] = {}
        self.fit_curve = rules.fit_curve

    def __call__(self, points: Sequence[CurvePoint], *, rng: np.random.Generator, chance: float) -> Any:
        key = (tuple(points), rng.bit_generator.state["state"]["state"], chance)
        if key not in self.curves:
            self.curves[key] = self.fit_curve(points, rng=rng, chance=chance)
        return self.curves[key]


def play(make: Make, seed: list[int], sums: dict[tuple[str, float | None], Sums]) -> None:
    """One recording, raced by every alternative under every budget."""
    recording, patches = make(np.random.default_rng(seed)), alternatives()
    with patch.object(rules, "fit_curve", Remembered()):
        for (name, part), found in sums.items():
            if name.startswith("halving"):
                found.add(recording, three_rungs(recording, int(name[-1])))
                continue
            with contextlib.ExitStack() as stack:
                for one in patches[name]:
                    stack.enter_context(one)
                budget = None if part is None else part * recording.seconds
                found.add(recording, race(recording, np.random.default_rng([*seed, 1]), budget))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="races of each field")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--only", help="names of alternatives, separated by ;")
    options = parser.parse_args()
    chosen = [*alternatives(), "halving, keeps 1/2", "halving, keeps 1/4"]
    chosen = ["all rules", *(name for name in chosen[1:] if not options.only or name in options.only.split(";"))]
    sums = {
        (name, part): Sums() for name in chosen for part in (BUDGETS if not name.startswith("halving") else (None,))
    }
    fields = made_up()
    for number, make in enumerate(fields.values()):
        for run in range(options.runs):
            play(make, [options.seed, number, run], sums)
    titles = (f"{part:.0%} of all" if part else "no budget" for part in BUDGETS)
    heading = " | ".join(f"{title}: regret | good % | other kind | cost %" for title in titles)
    print(
        f"{options.runs} races in each of {len(fields)} fields.\n\n| instead | {heading} |\n|"
        + "---|" * (1 + 4 * len(BUDGETS))
    )
    for name in chosen:
        cells = [sums[name, part].cells(sums["all rules", part]) for part in BUDGETS if (name, part) in sums]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
