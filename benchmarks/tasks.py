"""`tuneworth run` with default settings on real tasks: verdict, every arm's score, time, memory.

    python benchmarks/tasks.py --data DATA [--models MODELS] [--only banking77,sms_spam] [--out FOLDER]

DATA holds a folder per task with train.jsonl, test.jsonl and task.json (its instruction is used). MODELS
holds local model folders; csl_category_zh needs MODELS/qwen2.5-0.5b. Prints a Markdown table a task.
Runs that are finished in FOLDER are not run again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Setting:
    """A task, how many of its training rows to use, and with which model."""

    name: str
    n_rows: int
    model: str = "smollm2-135m"


SETTINGS = (
    Setting("banking77", 2000),
    Setting("snips_slots_json", 1000),
    Setting("e2e_nlg", 1000),
    Setting("arc_easy", 1000),
    Setting("sms_spam", 1000),
    Setting("csl_category_zh", 500, "qwen2.5-0.5b"),
)


def write_task(setting: Setting, data: Path, models: Path | None, folder: Path) -> Path:
    """A task.yaml with the first rows of the training file; everything else is left to tuneworth."""
    folder.mkdir(parents=True, exist_ok=True)
    source = data / setting.name
    lines = (source / "train.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "train.jsonl").write_text("".join(lines[: setting.n_rows]), encoding="utf-8")
    instruction = json.loads((source / "task.json").read_text(encoding="utf-8"))["instruction"]
    local = models / setting.model if models is not None else None
    model = str(local.resolve()) if local is not None and local.is_dir() else setting.model
    task = {
        "name": setting.name,
        "instruction": instruction,
        "train": "train.jsonl",
        "test": str((source / "test.jsonl").resolve()),
        "models": [model],
    }
    path = folder / "task.yaml"
    path.write_text(json.dumps(task, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def measure(setting: Setting, data: Path, models: Path | None, out: Path) -> dict[str, Any]:
    """The result of one run, from the store when it was finished before."""
    task = write_task(setting, data, models, out / setting.name)
    run = out / setting.name / "run"
    command = [sys.executable, "-m", "tuneworth.cli.main", "run", str(task), "--out", str(run), "--yes", "--lang", "en"]
    with (out / setting.name / "log.txt").open("a", encoding="utf-8") as log:
        subprocess.run(command, check=True, stdout=log, stderr=log)
    return json.loads((run / "result.json").read_text(encoding="utf-8"))


def table(result: dict[str, Any]) -> str:
    """One task in Markdown."""
    data, decision = result["data"], result["decision"]
    metrics = result["metrics"]
    recommended = next(
        (arm["title"]["en"] for arm in result["arms"] if arm["arm_id"] == decision["recommended"]), "none"
    )
    lines = [
        f"### {result['task']['name']}",
        "",
        f"{data['n_train']} train, {data['n_dev']} dev, {data['n_test']} test rows; "
        f"{result['wall_seconds'] / 60:.1f} min, peak {result['peak_memory_mb'] / 1024:.1f} GB. "
        f"**{decision['verdict']}**, recommended: {recommended}.",
        "",
        decision["headline"]["en"],
        "",
        f"| arm | dev {metrics[0]} | test {metrics[0]} | other metrics on test (else dev) | s per 1,000 rows | fit s |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + [_row(arm, metrics) for arm in result["arms"]]) + "\n"


def _row(arm: dict[str, Any], metrics: list[str]) -> str:
    name = arm["title"]["en"] + (" (yardstick)" if arm["yardstick"] else "")
    if arm["state"] != "measured":
        return f"| {name} | {arm['state']}: {arm['why']['en']} | | | | |"
    shown = arm["test"] or arm["dev"]
    others = ", ".join(f"{name} {shown[name]['value']:.3f}" for name in metrics[1:])
    pace = arm["cost"]["seconds_per_1k_rows"]
    return (
        f"| {name} | {_score(arm['dev'], metrics[0])} | {_score(arm['test'], metrics[0])} | {others} "
        f"| {pace:.1f} | {arm['cost']['fit_seconds']:.0f} |"
    )


def _score(scores: dict[str, Any], metric: str) -> str:
    if metric not in scores:
        return ""
    score = scores[metric]
    return f"{score['value']:.3f} ({score['interval']['low']:.3f} to {score['interval']['high']:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--only", type=lambda text: text.split(","))
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark-tasks"))
    options = parser.parse_args()
    for setting in SETTINGS:
        if not options.only or setting.name in options.only:
            print(table(measure(setting, options.data, options.models, options.out)), flush=True)


if __name__ == "__main__":
    main()
