"""Back-test of the learning-curve forecast on real curves: fit on sizes up to n/4, predict the score at n.

    python benchmarks/forecast.py --data DATA --out FOLDER     # heads: MiniLM and n-gram TF-IDF, 62 to 4,000 rows
    python benchmarks/forecast.py --data DATA --out FOLDER --few     # the same, 16 to 1,024 rows
    python benchmarks/forecast.py --data DATA --out FOLDER --quick
    python benchmarks/forecast.py --curves REC/*.json          # recordings of benchmarks/race_record.py

DATA holds a folder per task with train.jsonl and test.jsonl. The head is the product's own, with one strength of
regularisation for all sizes so that a curve costs seconds; sizes are nested prefixes of a random order, one order
a seed. Curves and embeddings are kept in FOLDER and not made again. From a recording come the curves of LoRA and heads, and that of
few-shot with random rows over the number of demonstrations plus one (the bare prompt is 1): with so few of them, the largest is
predicted from all others. All points of a curve are scored on the same rows.
Prints Markdown: absolute error beside those of two baselines, and how often the intervals hold.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from tuneworth.stats.curve import Axis, CannotTell, CurvePoint, fit_curve
from tuneworth.strategies._parts.features import NgramTfidf
from tuneworth.strategies.head import fit_path

SETS = {"banking77": "en", "noisy_agnews": "en", "sms_spam": "en", "csl_category_zh": "zh"}
SIZES = (62, 125, 250, 500, 1000, 2000, 4000)
FEW_SIZES = (16, 32, 64, 128, 256, 512, 1024)
N_SEEDS = {SIZES: 3, FEW_SIZES: 8}
TOO_SLOW_FOR_TFIDF = ("banking77",)
"""77 classes × 50,000 n-grams take many minutes a curve."""
STRENGTH = 4.0
MIN_SIZES = 4
AHEAD = 4


@dataclass(frozen=True)
class MeasuredCurve:
    """One arm on one set: points of all seeds, how far ahead is predicted at least, and what it runs over."""

    set: str
    arm: str
    points: list[CurvePoint]
    chance: float = 0.0
    ahead: float = AHEAD
    over: Axis = "rows"


@dataclass(frozen=True)
class Forecast:
    """One forecast and what came. Baselines: the last score stays; a power law by least squares."""

    set: str
    arm: str
    n: int
    told: bool
    error: float = float("nan")
    in80: bool = False
    in95: bool = False
    width80: float = float("nan")
    error_last: float = float("nan")
    error_power: float = float("nan")


# --- curves ---------------------------------------------------------------------------------------------


def rows_of(path: Path) -> tuple[list[str], NDArray[np.object_]]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row["input"] for row in rows], np.array([row["output"] for row in rows], dtype=object)


def embedded(name: str, texts: dict[str, list[str]], out: Path) -> dict[str, NDArray[np.float32]]:
    """Embeddings of both files, made once."""
    path = out / f"{name}.npz"
    if not path.is_file():
        from tuneworth.models.catalog import open_encoder

        encoder = open_encoder()
        np.savez(path, train=encoder.encode(texts["train"]), test=encoder.encode(texts["test"]))
    with np.load(path, allow_pickle=False) as saved:
        return {side: saved[side] for side in texts}


def curve_of(name: str, arm: str, data: Path, out: Path, seeds: int, sizes: Sequence[int]) -> MeasuredCurve:
    """Scores of one arm at every size and seed; made once."""
    path = out / f"{name}-{arm}-{seeds}x{sizes[-1]}.json"
    if path.is_file():
        return kept_curve(path)
    texts, labels = dict[str, list[str]](), dict[str, NDArray[np.object_]]()
    for side in ("train", "test"):
        texts[side], labels[side] = rows_of(data / name / f"{side}.jsonl")
    vectors = embedded(name, texts, out) if arm == "head-embedding" else None
    points = list[CurvePoint]()
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(texts["train"]))
        for n in sizes:
            rows = order[:n]
            if vectors is not None:
                x, held_out = vectors["train"][rows], vectors["test"]
            else:
                features = NgramTfidf.fit("zh" if SETS[name] == "zh" else "en", [texts["train"][i] for i in rows])
                x, held_out = features.transform([texts["train"][i] for i in rows]), features.transform(texts["test"])
            right = predicted(x, labels["train"][rows], held_out) == labels["test"]
            points.append(CurvePoint(n, float(right.mean()), len(right), seed=seed))
    curve = MeasuredCurve(name, arm, points)
    path.write_text(json.dumps([asdict(curve)], indent=1), encoding="utf-8")
    return curve


def predicted(x: Any, labels: NDArray[np.object_], held_out: Any) -> NDArray[np.object_]:
    """What a head fitted on these rows says of others. The first rows of spam may all be ham: then that is what it says."""
    if len(set(labels)) == 1:
        return np.full(held_out.shape[0], labels[0], dtype=object)
    with warnings.catch_warnings():
        # A few rows of 77 classes make scikit-learn ask whether this is a regression.
        warnings.filterwarnings("ignore", message="The number of unique classes")
        [(_, head)] = fit_path(x, labels, [STRENGTH])
    return np.array(head.predict(held_out), dtype=object)


def head_curves(data: Path, out: Path, sizes: tuple[int, ...], quick: bool) -> Iterator[MeasuredCurve]:
    out.mkdir(parents=True, exist_ok=True)
    seeds = 2 if quick else N_SEEDS[sizes]
    for name, language in SETS.items() if not quick else [("sms_spam", "en"), ("noisy_agnews", "en")]:
        chance = score_of_guessing(data / name)
        if language == "en" and not quick:
            yield replace(curve_of(name, "head-embedding", data, out, seeds, sizes), chance=chance)
        if name not in TOO_SLOW_FOR_TFIDF:
            yield replace(curve_of(name, "head-tfidf", data, out, seeds, sizes), chance=chance)


def score_of_guessing(folder: Path) -> float:
    """Share of the test rows that have the most frequent label of the training rows."""
    labels, counts = np.unique(rows_of(folder / "train.jsonl")[1].astype(str), return_counts=True)
    return float((rows_of(folder / "test.jsonl")[1].astype(str) == labels[counts.argmax()]).mean())


def kept_curve(path: Path) -> MeasuredCurve:
    [kept] = json.loads(path.read_text(encoding="utf-8"))
    return MeasuredCurve(kept["set"], kept["arm"], [CurvePoint(**point) for point in kept["points"]])


def recorded_curves(path: Path) -> Iterator[MeasuredCurve]:
    """Arms with enough sizes, then few-shot with random rows."""
    told = json.loads(path.read_text(encoding="utf-8"))

    def point(n: int, fit: dict[str, Any]) -> CurvePoint:
        scores = np.array([score for score in fit["scores"] if score is not None])
        error = None if told["binary"] else float(scores.std(ddof=1) / np.sqrt(scores.size))
        return CurvePoint(n=n, score=float(scores.mean()), n_rows=scores.size, standard_error=error)

    shots: dict[int, CurvePoint] = {}
    for arm in told["arms"]:
        config, full = arm["config"], arm["fits"][-1]
        name = "/".join([arm["strategy"], *([config["features"]] if "features" in config else [])])
        if len(arm["fits"]) > 1:
            points = [point(fit["n_train"] or told["n_train"], fit) for fit in arm["fits"]]
            yield MeasuredCurve(told["set"], name, points, told["chance"])
        elif arm["strategy"] == "prompt" and config["constrained"]:
            shots[1] = point(1, full)
        elif config.get("selection") == "random":
            shots[1 + config["k"]] = point(1 + config["k"], full)
    ordered = [shots[n] for n in sorted(shots)]
    if len(ordered) > MIN_SIZES:
        largest, last = (each.n for each in reversed(ordered[-2:]))
        yield MeasuredCurve(
            told["set"], "fewshot, by demonstrations", ordered, told["chance"], ahead=largest / last, over="shots"
        )


# --- the back-test --------------------------------------------------------------------------------------


def back_test(curve: MeasuredCurve, seeds: Iterable[int]) -> Iterator[Forecast]:
    """Every size with at least four sizes at or below a quarter of it, predicted from those."""
    wanted = set(seeds)
    points = [point for point in curve.points if point.seed in wanted]
    for n in sorted({point.n for point in points}):
        seen = [point for point in points if curve.ahead * point.n <= n]
        if len({point.n for point in seen}) < MIN_SIZES:
            continue
        came = [point.score for point in points if point.n == n]
        fitted = fit_curve(seen, rng=np.random.default_rng(n), chance=curve.chance, over=curve.over)
        if isinstance(fitted, CannotTell):
            yield from (Forecast(curve.set, curve.arm, n, told=False) for _ in came)
            continue
        said = fitted.predict(n)
        last = float(np.mean([point.score for point in seen if point.n == fitted.largest]))
        power = least_squares_power(seen, n)
        for score in came:
            yield Forecast(
                curve.set,
                curve.arm,
                n,
                True,
                abs(said.value - score),
                said.low80 <= score <= said.high80,
                said.low95 <= score <= said.high95,
                said.high80 - said.low80,
                abs(last - score),
                abs(power - score),
            )


def least_squares_power(points: Sequence[CurvePoint], n: int) -> float:
    """The usual fit, for comparison: score = 1 − E − A x^−β by least squares, E in [0, 1], β in [0.01, 3]."""
    x = np.array([point.n for point in points]) / max(point.n for point in points)
    score = np.array([point.score for point in points])

    def residual(p: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1 - p[0] - p[1] * x ** -p[2] - score

    fit = least_squares(residual, (0.05, 0.3, 0.5), bounds=((0, 0, 0.01), (1, 2, 3)))
    ahead = n / max(point.n for point in points)
    return float(1 - fit.x[0] - fit.x[1] * ahead ** -fit.x[2])


def table(title: str, forecasts: Sequence[Forecast]) -> None:
    print(f"\n### {title}\n")
    print(
        "| set | arm | forecasts | told | median error | 80 % holds | 95 % holds | mean width of 80 % "
        "| error if the last score stays | error of a power law by least squares |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    groups = defaultdict[tuple[str, str], list[Forecast]](list)
    for forecast in forecasts:
        groups[forecast.set, forecast.arm].append(forecast)
    for (name, arm), group in groups.items():
        print(f"| {name} | {arm} {summary(group)}")
    print(f"| **all** | {summary(list(forecasts))}")


def summary(group: Sequence[Forecast]) -> str:
    told = [forecast for forecast in group if forecast.told]
    if not told:
        return f"| {len(group)} | 0 | – | – | – | – | – | – |"

    def points(values: Iterable[float], statistic: Any = np.median) -> str:
        return f"{100 * float(statistic(list(values))):.1f}"

    cells = (
        len(group),
        len(told),
        points(forecast.error for forecast in told),
        f"{np.mean([forecast.in80 for forecast in told]):.0%}",
        f"{np.mean([forecast.in95 for forecast in told]):.0%}",
        points((forecast.width80 for forecast in told), np.mean),
        points(forecast.error_last for forecast in told),
        points(forecast.error_power for forecast in told),
    )
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of tasks, for the heads")
    parser.add_argument("--out", type=Path, default=Path("runs/forecast"), help="where curves are kept")
    parser.add_argument("--curves", type=Path, nargs="+", default=[], help="recordings of benchmarks/race_record.py")
    parser.add_argument("--few", action="store_true", help="heads on 16 to 1,024 rows")
    parser.add_argument("--quick", action="store_true", help="two sets, TF-IDF, two seeds")
    arguments = parser.parse_args()
    if arguments.data is None and not arguments.curves:
        parser.error("give --data, --curves, or both")
    curves = [curve for path in arguments.curves for curve in recorded_curves(path)]
    if arguments.data is not None:
        curves += head_curves(arguments.data, arguments.out, FEW_SIZES if arguments.few else SIZES, arguments.quick)
    started = time.perf_counter()
    seeds = {id(curve): sorted({point.seed for point in curve.points}) for curve in curves}
    alone = [f for curve in curves for seed in seeds[id(curve)] for f in back_test(curve, [seed])]
    print(
        "Errors and widths in metric points. Forecasts of one set share their test rows, so they are not independent."
    )
    table("One seed: predict the same seed at 4 times the rows", alone)
    together = [f for curve in curves if len(seeds[id(curve)]) > 1 for f in back_test(curve, seeds[id(curve)])]
    if together:
        table("All seeds together: predict each seed", together)
    print(f"\n{len(alone) + len(together)} forecasts in {time.perf_counter() - started:.0f} s.")


if __name__ == "__main__":
    main()
