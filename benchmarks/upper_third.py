"""LoRA on all layers against LoRA on the upper third, on the same rows: seconds a step, and score.

    python benchmarks/upper_third.py DATA [DATA …] --train 256 --test 150 --epochs 2

Three trainings a set: all layers; the upper third for as many passes; the upper third for as long as the first took. Scores are
on the same first test rows, with the error of the paired difference. Prints Markdown.
"""

# pyright: reportArgumentType=false, reportCallIssue=false, reportOptionalMemberAccess=false, reportAttributeAccessIssue=false

from __future__ import annotations

import argparse
import math
import tempfile
import time
from pathlib import Path

import numpy as np

from tuneworth.data.taskfile import task_file_for
from tuneworth.metrics import score_row
from tuneworth.race import prepare
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.watch import Silent
from tuneworth.strategies import Context
from tuneworth.strategies._parts.prompting import constrainable
from tuneworth.strategies.lora import Lora, LoraConfig


def measure(data: Path, options: argparse.Namespace) -> None:
    task_file = task_file_for(data, models=[options.model], strategies=["lora"])
    ready = prepare.ready(task_file, Silent())
    model, metric, task = ready.models[0], ready.metrics[0], ready.task
    train = prepare.in_race_order(ready.split.train, "train", 0)[: options.train]
    dev = prepare.in_race_order(ready.split.dev, "dev", 0)[:64]
    test = prepare.in_race_order(ready.split.test, "test", 0)[: options.test]
    longest, base, first_seconds = prepare.max_new_tokens(ready.models, train), None, None
    held = constrainable(task, model)
    for name, layers, epochs in (
        ("all layers", "all", options.epochs),
        ("upper third, as many passes", "upper_third", options.epochs),
        ("upper third, as long", "upper_third", None),
    ):
        with tempfile.TemporaryDirectory() as folder:
            seconds = None if epochs else first_seconds
            context = Context(
                task,
                model,
                SharedEncoder(None, []),
                np.random.default_rng(0),
                0,
                Path(folder),
                longest,
                seconds,
            )  # type: ignore[arg-type]
            config = LoraConfig(constrained=held, layers=layers, epochs=epochs)
            row_seconds = Lora(config).try_out(train, context).row_seconds
            started = time.perf_counter()
            solver = Lora(config).fit(train, dev, context)
            took = time.perf_counter() - started
            first_seconds = first_seconds or took
            scores: list[float] = []
            for at in range(0, len(test), 32):
                rows = test[at : at + 32]
                answers = solver.solve([row.query for row in rows])
                scores += [score_row(metric, answer.text or "", row) for answer, row in zip(answers, rows, strict=True)]
        found, details = np.array(scores), context.details
        base = found if base is None else base
        gap = found - base
        error = float(gap.std() / math.sqrt(gap.size))
        best = min(loss for _, loss in details["dev_losses"])
        print(
            f"| {data.name} | {name} | {8 * row_seconds:.2f} | {took:.0f} | {details['epochs']:.1f} | {best:.3f} | "
            f"{found.mean():.3f} | {100 * gap.mean():+.1f} ± {100 * error:.1f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--train", type=int, default=256)
    parser.add_argument("--test", type=int, default=150)
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    print(
        "| set | layers | seconds a step, as tried | training, s | passes | dev loss | score | points against all layers |"
    )
    print("|" + "---|" * 8)
    for data in options.data:
        measure(data, options)


if __name__ == "__main__":
    main()
