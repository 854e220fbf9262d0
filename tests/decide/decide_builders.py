"""Runs in miniature: arms, right/wrong test rows, and real comparisons of them."""

import string

import numpy as np

from tuneworth.core.run import ArmCost, ArmResult, Counts, DataSummary, Provenance, RunResult, Score
from tuneworth.core.task import Limits, Task
from tuneworth.core.text import Text
from tuneworth.decide.compare import compare_finalists
from tuneworth.decide.decision import decide
from tuneworth.stats.intervals import wilson
from tuneworth.words.say import CATALOGUE

METRIC = "accuracy"
EFFORT = {"prompt": 0, "fewshot": 1, "head": 4, "lora": 5, "majority": 0}


def task(kind="label", margin=0.02, **limits):
    return Task(name="t", kind=kind, metric=METRIC, margin=margin, limits=Limits(**limits))


def score(right, n):
    return Score(value=right / n, interval=wilson(right, n), n_rows=n)


def arm(strategy, right=None, n=300, *, failed=0, p95=None, usd=None, local=True, **more):
    """A finalist with ``right`` of ``n`` test rows right; not a finalist without ``right``."""
    fields = {
        "arm_id": strategy,
        "strategy": strategy,
        "model": None if strategy in ("head", "majority") else "tiny",
        "local": local,
        "config": {},
        "title": Text(en=strategy.upper(), zh=f"方案{strategy}"),
        "effort": EFFORT[strategy],
        "tuned": strategy == "lora",
        "yardstick": strategy == "majority",
        "state": "measured",
        "cost": ArmCost(latency_p95_ms=p95, latency_p50_ms=p95 and p95 / 2, usd_per_1k_rows=usd),
    }
    if right is not None:
        tested = {"test": {METRIC: score(right, n)}, "test_counts": Counts(scored=n, failed=failed)}
        fields |= {"finalist": True, "dev": {METRIC: score(right, n)}, **tested}
    return ArmResult.model_validate({**fields, **more})


def skipped(strategy, why="too few rows.", state="skipped"):
    return arm(strategy, state=state, why=Text(en=why, zh="数据太少。"))


def rows_of(a_only, b_only, both, neither):
    """Scores of two arms on rows of four kinds."""
    counts = [a_only, b_only, both, neither]
    ids = [f"r{i}" for i in range(sum(counts))]
    a, b = np.repeat([1.0, 0.0, 1.0, 0.0], counts), np.repeat([0.0, 1.0, 1.0, 0.0], counts)
    return dict(zip(ids, a.tolist())), dict(zip(ids, b.tolist()))


def duel(tuned_only, untuned_only, both, neither, *, untuned="fewshot", tuned_more=None, untuned_more=None):
    """LoRA against one untuned arm: the arms, and their rows."""
    n = tuned_only + untuned_only + both + neither
    tuned_rows, untuned_rows = rows_of(tuned_only, untuned_only, both, neither)
    arms = [
        arm("lora", tuned_only + both, n, **(tuned_more or {})),
        arm(untuned, untuned_only + both, n, **(untuned_more or {})),
    ]
    return arms, {"lora": tuned_rows, untuned: untuned_rows}


def compared(rows, margin=0.02):
    return compare_finalists(list(rows), rows, metric=METRIC, binary=True, margin=margin, rng=np.random.default_rng(0))


def decided(arms, rows, the_task=None, n_train=800):
    the_task = the_task or task()
    return decide(the_task, arms, compared(rows, the_task.margin), primary_metric=METRIC, n_train=n_train)


def all_text(decision):
    parts = [decision.headline, *decision.reasons, *decision.would_change, *(f.why for f in decision.seed_rows)]
    return parts


def parts_of(key: str) -> set[str]:
    """What the sentence at ``key`` asks for."""
    page, _, place = key.partition(".")
    template = CATALOGUE.columns(page)[place]["en"]
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


ROWS = {"n_read": 1000, "n_rejected": 0, "n_groups": 0, "n_train": 800, "n_dev": 100, "n_test": 300}


def finished(arms, rows, the_task):
    return RunResult(
        run_id="made",
        task=the_task,
        data=DataSummary(**ROWS, split_digest="0"),
        metrics=[METRIC],
        primary_metric=METRIC,
        arms=arms,
        comparisons=compared(rows, the_task.margin),
        decision=decided(arms, rows, the_task),
        wall_seconds=1.0,
        peak_memory_mb=1.0,
        provenance=Provenance(version="0", created="", command="", seed=0, machine={}, libraries={}),
    )
