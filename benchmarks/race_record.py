"""Measure everything once, for `benchmarks/race.py` to replay: every arm, at every training size, on every dev row.

    python benchmarks/race_record.py --data DATA --out FOLDER [--models MODELS] [--only banking77,sms_spam] [--train 512]

DATA holds a folder per task with train.jsonl and task.json (its instruction is used). One seed. The arms are those of
`tuneworth run`; arms that learn from rows (LoRA, the head) are fitted on nested sizes n/32, n/16, …, n of one random
order; few-shot arms are also asked with further numbers of demonstrations, for their curve. What is paid for is kept in FOLDER/<task>/store.sqlite, so a stopped recording goes on where it was; a finished
one is FOLDER/<task>.json. Times are those of this machine while it ran, whatever else it did.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tuneworth.core.text import Text
from tuneworth.data.taskfile import TaskFile
from tuneworth.models import catalog
from tuneworth.race import prepare
from tuneworth.race.arms import Arm
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.prepare import in_race_order
from tuneworth.race.runner import ArmFailed, Runner
from tuneworth.race.store import Store
from tuneworth.race.watch import Silent
from tuneworth.strategies.fewshot import FewShot

N_DEV = 300
HALVINGS = 5
LEAST_ROWS = 12
GROWS = ("lora", "head")
EXTRA_SHOTS = (2, 8)


@dataclass(frozen=True)
class Setting:
    """A task and the model it is tried with; fewer rows where the model is larger."""

    name: str
    model: str = "smollm2-135m"
    share: float = 1.0


SETTINGS = (
    Setting("banking77"),
    Setting("snips_slots_json"),
    Setting("sms_spam"),
    Setting("arc_easy"),
    Setting("noisy_agnews"),
    Setting("mts_dialog"),
    Setting("csl_category_zh", "qwen2.5-0.5b", 0.4),
)


class Printer(Silent):
    def say(self, message: Text) -> None:
        print(message.en, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, help="folder of local model folders")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", help="comma-separated tasks")
    parser.add_argument("--train", type=int, default=1000, help="training rows")
    options = parser.parse_args()
    chosen = options.only.split(",") if options.only else [setting.name for setting in SETTINGS]
    for setting in SETTINGS:
        target = options.out / f"{setting.name}.json"
        if setting.name in chosen and not target.exists():
            recording = record(setting, options)
            target.write_text(json.dumps(recording), encoding="utf-8")


def record(setting: Setting, options: argparse.Namespace) -> dict[str, Any]:
    """All outcomes of one task."""
    n_train = round(options.train * setting.share)
    ready = prepare.ready(_task_file(setting, options, n_train), Printer())
    folder = options.out / setting.name
    folder.mkdir(parents=True, exist_ok=True)
    train = in_race_order(ready.split.train, "train", 0)
    dev = in_race_order(ready.split.dev, "dev", 0)
    primary = ready.metrics[0]
    arms: dict[str, dict[str, Any]] = {}
    with Store(folder / "store.sqlite") as store:
        runner = Runner(
            task=ready.task,
            train=train,
            dev=dev,
            metrics=ready.metrics,
            store=store,
            folder=folder,
            seed=0,
            encoder=SharedEncoder(catalog.open_encoder, [row.query.text for row in train]),
            max_new_tokens=prepare.max_new_tokens(ready.models, train),
            watcher=Printer(),
        )
        for arm in (*ready.plan().arms, *more_shots(ready)):
            entry = arms.setdefault(arm.arm_id, _described(arm))
            for fitted in sizes(arm, len(train)):
                started = time.perf_counter()
                entry["fits"].append(measure(runner, fitted, primary.id))
                print(
                    f"{setting.name} {arm.arm_id} n={fitted.n_train} {entry['fits'][-1].get('mean')} "
                    f"{time.perf_counter() - started:.0f} s",
                    flush=True,
                )
    answers = Counter(row.output for row in dev).most_common(1)[0][1] / len(dev)
    return {
        "set": setting.name,
        "n_train": len(train),
        "metric": primary.id,
        "binary": primary.binary,
        "margin": ready.task.margin,
        "chance": answers if ready.task.kind == "label" else 0.0,
        "arms": list(arms.values()),
    }


def more_shots(ready: prepare.Ready) -> list[Arm]:
    """Random demonstrations in further numbers, for their curve alone: they are not arms of a run."""
    random = [arm for arm in ready.plan().arms if arm.strategy is FewShot and arm.config.selection == "random"]
    return [
        replace(
            arm,
            arm_id=f"{arm.arm_id}#k={k}",
            key=f"{k:02d}{arm.key[2:]}",
            config=arm.config.model_copy(update={"k": k}),
        )
        for arm in random[:1]
        for k in EXTRA_SHOTS
    ]


def sizes(arm: Arm, n_train: int) -> Iterator[Arm]:
    """The arm at every training size, the smallest first."""
    if arm.strategy.id in GROWS:
        for halving in range(HALVINGS, 0, -1):
            if n_train >> halving >= LEAST_ROWS:
                yield arm.fitted_on(n_train >> halving)
    yield arm


def measure(runner: Runner, arm: Arm, metric: str) -> dict[str, Any]:
    """One fit and its scores in the order of the dev rows, null where a row has none."""
    try:
        entry = runner.fit(arm)
    except ArmFailed as failure:
        return {"n_train": arm.n_train, "failed": failure.why.en}
    outcomes = runner.measure(entry, "dev", runner.dev).outcomes
    scores = [outcome.scores.get(metric) for outcome in outcomes]
    known = [score for score in scores if score is not None]
    return {
        "n_train": arm.n_train,
        "fit_seconds": entry.fit.seconds,
        "row_seconds": [outcome.latency_ms / 1000 for outcome in outcomes],
        "scores": scores,
        "mean": round(sum(known) / len(known), 4) if known else None,
    }


def _described(arm: Arm) -> dict[str, Any]:
    strategy = arm.strategy
    kind = "yardstick" if strategy.yardstick else "tuned" if strategy.tuned else "untuned"
    return {
        "arm_id": arm.arm_id,
        "kind": "curve" if "#" in arm.arm_id else kind,
        "model": arm.model_id,
        "strategy": strategy.id,
        "config": arm.config.model_dump(mode="json"),
        "fits": [],
    }


def _task_file(setting: Setting, options: argparse.Namespace, n_train: int) -> TaskFile:
    source = options.data / setting.name
    local = options.models / setting.model if options.models else None
    return TaskFile.model_validate(
        {
            "name": setting.name,
            "instruction": json.loads((source / "task.json").read_text(encoding="utf-8"))["instruction"],
            "train": str(source / "train.jsonl"),
            "models": [str(local.resolve()) if local is not None and local.is_dir() else setting.model],
            "rows": {"train": n_train, "dev": N_DEV, "test": 100},
        }
    )


if __name__ == "__main__":
    main()
