"""What retrieval, fine-tuning and both together give on questions about documents that are new since training.

    python benchmarks/documents.py arms --data DATA --out FOLDER --set xquad_en --model smollm2-135m [--models MODELS]
                                        [--only prompt,rag,lora] [--match REGEX] [--train 512] [--rows 300] [--minutes 10]
    python benchmarks/documents.py run --data DATA --out FOLDER [--set xquad_en] [--budget 15m]
    python benchmarks/documents.py update --data DATA --out FOLDER [--set xquad_en] [--rows 150]
    python benchmarks/documents.py packs --data DATA --out FOLDER [--models MODELS] [--minutes 2] [--pairs 2]
    python benchmarks/documents.py retrain --data DATA --out FOLDER [--set xquad_en] [--rows 150] [--only lora] [--minutes 8]

`arms` fits and scores every arm on the test rows, whose documents no training row is about, without a race: closed book
(prompt, LoRA), with passages (rag, lora_rag), and with the gold passage given (oracle). The index holds the old documents
first and then takes in the new ones: the seconds of an update. `run` is `tuneworth run` from end to end, and `update` asks
what that has trained before and after the new documents are in the index. `retrain` is `arms` after somebody has written rows
about the new documents: of every three test rows two are learned from and one is scored. `packs` trains the reader for the same time with
rows about the same passage computed together and without, in turns. Recall and scale are measured by `benchmarks/retrieval.py`.

DATA holds xquad_en and xquad_zh with train.jsonl, test.jsonl, docs.jsonl and task.json. What is paid for is kept in FOLDER
and not measured again. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import numpy as np

from tuneworth.core.outcome import Outcome
from tuneworth.core.registry import load_plugin
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.data.taskfile import TaskFile, load_task_file
from tuneworth.findings.documents.ages import age_of
from tuneworth.findings.documents.injection import reading_from
from tuneworth.findings.documents.seen import referee_for
from tuneworth.metrics import score_row
from tuneworth.models import catalog
from tuneworth.models.base import Model, TrainConfig, TrainExample
from tuneworth.models.local.loss import CompletionLoss
from tuneworth.models.local.model import LocalModel
from tuneworth.models.local.train import LEAST_DEV_ROWS
from tuneworth.race import prepare
from tuneworth.race.arms import Arm
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.folder import RunFolder, read_result
from tuneworth.race.library import make_index
from tuneworth.race.runner import ArmFailed, Runner
from tuneworth.race.store import Store
from tuneworth.race.watch import Silent
from tuneworth.retrieval.library import Library
from tuneworth.serve.answer import open_arm
from tuneworth.stats.intervals import mean_interval
from tuneworth.strategies import Answer, Solver
from tuneworth.strategies._parts.passages import passage_prompt
from tuneworth.strategies._parts.prompting import brief_instruction
from tuneworth.strategies._parts.raft import SPARE, LessonMaker, study
from tuneworth.strategies._parts.reading import Finder
from tuneworth.strategies.lora_rag import LoraRagConfig

STRATEGIES = ("prompt", "rag", "oracle", "lora", "lora_rag")
COLUMNS = ("arm", "token F1 (95 %)", "exact", "rows", "found", "F1 found", "F1 missed", "fit s", "s per 1,000 rows")


class Printer(Silent):
    """Says on stderr what a run would say."""

    def say(self, message: Text) -> None:
        print(message.en, file=sys.stderr, flush=True)


def task_file(options: argparse.Namespace) -> TaskFile:
    source = options.data / options.set
    local = options.models / options.model if options.models else None
    return TaskFile.model_validate(
        {
            "name": options.set,
            "instruction": json.loads((source / "task.json").read_text(encoding="utf-8"))["instruction"],
            "train": str(source / "train.jsonl"),
            "test": str(source / "test.jsonl"),
            "documents": str(source / "docs.jsonl"),
            "models": [str(local.resolve()) if local is not None and local.is_dir() else options.model],
            "strategies": [name for name in STRATEGIES if name in options.only],
            "rows": {"train": options.train, "dev": 64, "test": options.rows},
        }
    )


def arms(options: argparse.Namespace) -> str:
    """Every arm on the test rows."""
    ready = prepare.ready(task_file(options), Printer())
    assert ready.shelf is not None
    split, folder = ready.split, options.out / f"{options.set}-{Path(options.model).name}-{len(ready.split.train)}"
    folder.mkdir(parents=True, exist_ok=True)
    encoder = SharedEncoder(catalog.open_encoder, [row.query.text for row in split.train])
    library = ready.shelf.library(folder, encoder, Printer())
    library.know(ready.task.kind, split.train, [*split.dev, *split.test])
    with Store(folder / "store.sqlite") as store:
        assert ready.task.documents is not None
        told = age_of(split.train, [*split.dev, *split.test], library)
        index = make_index(library, ready.task.documents.digest, store, Printer(), told.is_new if told else None)
        runner = Runner(
            task=ready.task,
            train=split.train,
            dev=split.dev,
            metrics=ready.metrics,
            store=store,
            folder=folder,
            seed=0,
            encoder=encoder,
            max_new_tokens=prepare.max_new_tokens(ready.models, split.train),
            watcher=Printer(),
            library=library,
        )
        wanted = [arm for arm in ready.plan().arms if re.search(options.match, arm.make().describe().en)]
        seconds = None if options.minutes is None else 60 * options.minutes
        lines = [row_of(runner, arm, split.test, seconds) for arm in wanted]
    head = (
        f"{options.set}, {Path(options.model).name}, {len(split.train)} training rows, {len(split.test)} test rows; "
        f"index of {index.n_passages} passages in {index.seconds:.1f} s, of which {index.update_passages} new ones added in "
        f"{index.update_seconds or 0:.1f} s; peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB\n"
    )
    return "\n".join([head, f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS), *lines])


def retrain(options: argparse.Namespace) -> str:
    """Arms that have learned from rows about the new documents, on other rows about them."""
    source, folder = options.data / options.set, options.out / "retrain" / options.set
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("docs.jsonl", "task.json"):
        shutil.copy(source / name, folder / name)
    old, new = ((source / name).read_text(encoding="utf-8").splitlines() for name in ("train.jsonl", "test.jsonl"))
    learned = [*old, *(row for at, row in enumerate(new) if at % 3)]
    for name, rows in (("train.jsonl", learned), ("test.jsonl", new[::3])):
        (folder / name).write_text("\n".join(rows) + "\n", encoding="utf-8")
    options.data, options.out = folder.parent, folder.parent
    return arms(options)


def packs(options: argparse.Namespace) -> str:
    """The reader trained for the same time, rows about the same passage computed together or each alone."""
    options.only = ["lora_rag"]
    ready = prepare.ready(task_file(options), Printer())
    assert ready.shelf is not None
    split, [model] = ready.split, ready.models
    assert isinstance(model, LocalModel)
    with tempfile.TemporaryDirectory() as place:
        encoder = SharedEncoder(catalog.open_encoder, ())
        library = ready.shelf.library(Path(place), encoder, Printer())
        lessons, dev = (lessons_of(rows, ready, library, model) for rows in (split.train, split.dev))
        # So few dev rows that a limited time leaves none of them out: the losses are of the same rows.
        dev = dev[:LEAST_DEV_ROWS]
        lines = ["| rows about the same passage | steps | rows/s | dev loss |", "|---|---|---|---|"]
        for turn in range(options.pairs):
            for together in (True, False):
                # What switches packs off for a model that sees its last tokens only switches them off here.
                with mock.patch.object(CompletionLoss, "_slides", return_value=not together):
                    made = model.train(
                        lessons,
                        dev,
                        TrainConfig(),
                        Path(place) / f"{turn}-{together}",
                        seconds_left=60 * (options.minutes or 2),
                    )
                n_rows = made.steps * TrainConfig().batch_rows
                cells = [f"{made.steps}", f"{n_rows / made.seconds:.2f}"]
                lines.append(
                    f"| {'together' if together else 'alone'} | {' | '.join(cells)} | {made.dev_losses[-1][1]:.3f} |"
                )
                print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join([f"{options.set}, {Path(options.model).name}, {len(lessons)} lessons of one passage\n", *lines])


def lessons_of(rows: Sequence[Example], ready: prepare.Ready, library: Library, model: Model) -> list[TrainExample]:
    """What `lora_rag` trains on with one passage."""
    finder = Finder(library, 1, library.modes[0], library.passage_tokens)
    studied = study(library, rows, finder.find([row.query for row in rows], 1 + SPARE))
    prompt = passage_prompt(ready.task, brief_instruction(ready.task), ready.split.train)
    return LessonMaker(prompt, model, 1, LoraRagConfig().p_gold, TrainConfig().max_length).training(
        studied, np.random.default_rng(0)
    )


def row_of(runner: Runner, arm: Arm, test: Sequence[Example], seconds: float | None) -> str:
    """A line of the table; printed to stderr as soon as it is known."""
    started = time.perf_counter()
    try:
        entry = runner.fit(arm, seconds)
    except ArmFailed as failure:
        return f"| {arm.make().describe().en} | failed: {failure.why.en} |" + " |" * (len(COLUMNS) - 2)
    outcomes = runner.measure(entry, "test", test).outcomes
    line = f"| {arm.make().describe().en} | {' | '.join(cells(runner, arm, outcomes, test))} | {entry.fit.seconds:.0f} | {pace(outcomes):.0f} |"
    print(f"{line} {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    return line


def cells(runner: Runner, arm: Arm, outcomes: Sequence[Outcome], test: Sequence[Example]) -> list[str]:
    library = runner.library
    assert library is not None
    scored = [(row, outcome) for row, outcome in zip(test, outcomes, strict=True) if outcome.status == "scored"]
    f1 = np.array([outcome.scores["token_f1"] for _, outcome in scored])
    exact = np.array([outcome.scores["exact_match"] for _, outcome in scored])
    interval = mean_interval(f1, binary=False, rng=np.random.default_rng(0))
    found, split = "", ["", ""]
    if arm.strategy.reads_documents and not arm.strategy.yardstick:
        size, referee = (
            getattr(arm.config, "passage_tokens", None) or library.passage_tokens,
            referee_for(library, test),
        )
        known = np.array([referee.knows(row, size) for row, _ in scored])
        right = np.array([referee.shown(row, outcome.passages, size) for row, outcome in scored])
        found = f"{right[known].mean():.3f}" if known.any() else ""
        split = [f"{f1[side].mean():.3f}" if side.any() else "" for side in (known & right, known & ~right)]
    return [
        f"{f1.mean():.3f} ({interval.low:.3f}–{interval.high:.3f})",
        f"{exact.mean():.3f}",
        str(len(f1)),
        found,
        *split,
    ]


def pace(outcomes: Sequence[Outcome]) -> float:
    """Seconds per 1,000 rows, asked in batches."""
    return float(np.mean([outcome.latency_ms for outcome in outcomes]))


def run(options: argparse.Namespace) -> str:
    """`tuneworth run` with its default settings, and what it says."""
    folder = options.out / f"run-{options.set}"
    folder.mkdir(parents=True, exist_ok=True)
    content = task_file(options).model_dump(mode="json", include={"name", "instruction", "train", "test", "models"})
    content |= {"documents": str((options.data / options.set / "docs.jsonl").resolve()), "budget": options.budget}
    content |= {name: str(Path(content[name]).resolve()) for name in ("train", "test")}
    path = folder / "task.yaml"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    command = [sys.executable, "-m", "tuneworth.cli.main", "run", str(path), "--out", str(folder / "run"), "--yes"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def update(options: argparse.Namespace) -> str:
    """The arms of `run` that look things up, before and after an update of the index, and the arm that is trained instead."""
    folder = RunFolder(options.out / f"run-{options.set}" / "run")
    result = read_result(folder.result)
    ready = prepare.ready(load_task_file(folder.path.parent / "task.yaml"), Printer())
    assert ready.shelf is not None
    split, encoder = ready.split, SharedEncoder(catalog.open_encoder, ())
    test = split.test[: options.rows]
    lines = ["| arm | what it takes | s | token F1 before (95 %) | after |", "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as place:
        library = ready.shelf.library(Path(place), encoder, Printer())
        told = age_of(split.train, [*split.dev, *split.test], library)
        assert told is not None, "nothing is new"
        old = [passage for passage in library.passages().values() if not told.is_new(passage)]
        library.index_of(old)
        started = time.perf_counter()
        library.index()
        seconds = time.perf_counter() - started
        only_old = ready.shelf.library(Path(place) / "before", encoder, Printer())
        only_old.cut = lambda size: old
        for arm in (arm for arm in result.arms if arm.finalist):
            if not arm.reads_documents:
                if arm.tuned:
                    lines.append(f"| {arm.title.en} | training again | {arm.cost.fit_seconds:.0f} | | |")
                continue
            solver = open_arm(result, folder, arm, Printer()).solver
            told_apart = [shown(reading_from(solver, books), test) for books in (only_old, library)]
            lines.append(f"| {arm.title.en} | adding to the index | {seconds:.1f} | {' | '.join(told_apart)} |")
    head = (
        f"{options.set}, {len(test)} test rows; {len(old)} passages, then {len(library.index()) - len(old)} new ones\n"
    )
    return "\n".join([head, *lines])


def shown(solver: Solver | None, test: Sequence[Example]) -> str:
    """Token F1 of a solver's answers."""
    assert solver is not None
    metric = load_plugin("tuneworth.metrics", "token_f1")
    answers: list[Answer] = []
    for start in range(0, len(test), 32):
        answers += solver.solve([row.query for row in test[start : start + 32]])
        print(f"{len(answers)} of {len(test)}", file=sys.stderr, flush=True)
    f1 = np.array([score_row(metric, answer.text or "", row) for answer, row in zip(answers, test, strict=True)])
    interval = mean_interval(f1, binary=False, rng=np.random.default_rng(0))
    return f"{f1.mean():.3f} ({interval.low:.3f}–{interval.high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("arms", "run", "update", "packs", "retrain"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--set", default="xquad_en", choices=("xquad_en", "xquad_zh"))
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--models", type=Path, help="folder of local model folders")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(STRATEGIES))
    parser.add_argument("--match", default="", help="only arms whose English title this regular expression finds")
    parser.add_argument("--train", type=int, default=1000, help="training rows")
    parser.add_argument("--minutes", type=float, help="most that one training may take; no limit when left out")
    parser.add_argument("--rows", type=int, default=300, help="test rows")
    parser.add_argument("--budget", default="15m")
    parser.add_argument("--pairs", type=int, default=2, help="of trainings to compare")
    options = parser.parse_args()
    parts = {"arms": arms, "run": run, "update": update, "packs": packs, "retrain": retrain}
    print(parts[options.what](options))


if __name__ == "__main__":
    main()
