"""Decision arms beside the prompt and the head: accuracy, calibration error, rows answered alone.

    python benchmarks/decisions.py DATA [--only banking77,sms_spam] [--models MODELS] [--train 400] [--dev 100] [--test 150]
    python benchmarks/decisions.py DATA --speed          # the label trie against one label after another, as a ratio
    python benchmarks/decisions.py DATA --precision      # as the probe runs the model, and with only the head in float32, against all of it in float32

DATA holds a folder per set with train.jsonl, test.jsonl and task.json; MODELS holds qwen2.5-0.5b for the Chinese set (without it
smollm2-135m answers, which hardly reads Chinese). Everything is fitted on the first training rows, thresholds are chosen on the
next ones, all figures are of the first test rows. "Contextual" (Zhao et al. 2021) is measured here only. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.models.base import Constraint, Decision, Model, Request
from tuneworth.models.catalog import open_encoder, open_model
from tuneworth.models.encoders import MINILM, encoder_for
from tuneworth.models.local.load import open_local
from tuneworth.models.local.model import LocalModel
from tuneworth.race.encoding import SharedEncoder
from tuneworth.stats.calibration import brier_rows, calibration_error, sure_threshold
from tuneworth.stats.intervals import mean_interval, wilson
from tuneworth.strategies import Answer, Context, Solver, Strategy
from tuneworth.strategies._parts.label_weights import padded, without_bias
from tuneworth.strategies.decision import DecisionConfig, DecisionSolver, DecisionStrategy
from tuneworth.strategies.head import Head
from tuneworth.strategies.prompt import Prompt, PromptConfig

SETS = {
    "banking77": "smollm2-135m",
    "arc_easy": "smollm2-135m",
    "sms_spam": "smollm2-135m",
    "csl_category_zh": "qwen2.5-0.5b",
}
PRECISION = 0.95
WITHOUT_CONTENT = ("N/A", "[MASK]", "")


@dataclass(frozen=True)
class Rows:
    task: Task
    train: list[Example]
    dev: list[Example]
    test: list[Example]


def read_rows(folder: Path, n_train: int, n_dev: int, n_test: int) -> Rows:
    said = json.loads((folder / "task.json").read_text(encoding="utf-8"))

    def read(name: str) -> list[Example]:
        lines = map(json.loads, (folder / name).read_text(encoding="utf-8").splitlines())
        return [Example(Query(row["id"], (Message("user", row["input"]),)), row["output"]) for row in lines]

    train = read("train.jsonl")
    labels = tuple(said.get("labels") or sorted({row.output for row in train}))
    task = Task(
        name=folder.name,
        instruction=said["instruction"],
        kind="label",
        labels=labels,
        metric="accuracy",
        language=said["lang"],
        sentence_encoder=encoder_for(said["lang"]),
    )
    test = [row for row in read("test.jsonl") if row.output in labels]
    return Rows(task, train[:n_train], train[n_train : n_train + n_dev], test[:n_test])


class Remembering:
    """A model that gives the same decision again without being asked: the three arms ask the same."""

    def __init__(self, model: LocalModel):
        self.model, self.id, self.capabilities = model, model.id, model.capabilities
        self.count_tokens, self.generate = model.count_tokens, model.generate
        self._known: dict[Request, Decision] = {}

    def decide(self, requests: Sequence[Request]) -> list[Decision]:
        missing = [request for request in dict.fromkeys(requests) if request not in self._known]
        self._known.update(zip(missing, self.model.decide(missing)))
        return [self._known[request] for request in requests]


def context(rows: Rows, model: Model | None, encoder: SharedEncoder, folder: Path) -> Context:
    return Context(rows.task, model, encoder, np.random.default_rng(0), 0, folder, max_new_tokens=24)


def contextual(solver: DecisionSolver) -> DecisionSolver:
    """Its bias as seen on inputs without content."""
    queries = [Query(text, (Message("user", text),)) for text in WITHOUT_CONTENT]
    scores = [decision.log_probabilities for decision in solver.decider.decide(queries)]
    return DecisionSolver(solver.decider, without_bias(padded([each for each in scores if each is not None])))


def table_row(name: str, rows: Rows, dev: Sequence[Answer], test: Sequence[Answer]) -> str:
    def right(answers: Sequence[Answer], asked: Sequence[Example]) -> np.ndarray:
        return np.array([float(answer.text == row.output) for answer, row in zip(answers, asked, strict=True)])

    hits = right(test, rows.test)
    ends = wilson(hits.sum(), hits.size)
    cells = [name, f"{100 * hits.mean():.1f} ({100 * ends.low:.0f}–{100 * ends.high:.0f})"]
    if dev:
        chances = [answer.probabilities or {} for answer in test]
        sure = [max(each.values()) for each in chances]
        error = calibration_error(sure, hits, np.random.default_rng(0))
        places = [list(each).index(row.output) if row.output in each else None for each, row in zip(chances, rows.test)]
        brier = brier_rows([list(each.values()) for each in chances], places).mean()
        assert error is not None
        cells += [
            f"{100 * error.value:.1f} ({100 * error.interval.low:.0f}–{100 * error.interval.high:.0f})",
            f"{100 * error.uncorrected:.1f}",
            f"{brier:.3f}",
        ]
        dev_sure = [max((answer.probabilities or {}).values()) for answer in dev]
        threshold = sure_threshold(dev_sure, right(dev, rows.dev), PRECISION)
        alone = np.array(sure) >= threshold if threshold is not None else np.zeros(len(sure), bool)
        said = "none"
        if alone.any():
            kept = mean_interval(hits[alone], binary=True, rng=np.random.default_rng(0))
            said = f"{100 * alone.mean():.0f} % at {100 * hits[alone].mean():.0f} ({100 * kept.low:.0f}–{100 * kept.high:.0f})"
        cells.append(said)
    else:
        cells += ["", "", "", ""]
    return "| " + " | ".join(cells) + " |"


def solve(solver: Solver, rows: Sequence[Example]) -> list[Answer]:
    queries = [row.query for row in rows]
    return [answer for start in range(0, len(queries), 32) for answer in solver.solve(queries[start : start + 32])]


def measure(rows: Rows, model: LocalModel, encoder: SharedEncoder) -> None:
    print(f"\n### {rows.task.name}, {model.id}, {len(rows.task.labels)} labels, {str(model.dtype)[6:]}\n")
    print(f"{len(rows.train)} training, {len(rows.dev)} dev, {len(rows.test)} test rows.\n")
    print(f"| arm | accuracy, % | calibration error, points | uncorrected | Brier | alone at {100 * PRECISION:.0f} % |")
    print("|---|---|---|---:|---:|---|", flush=True)
    asked = Remembering(model)
    arms: list[Strategy] = [
        Prompt(PromptConfig(constrained=True)),
        *(
            DecisionStrategy(DecisionConfig.model_validate({"calibration": each}))
            for each in ("none", "batch", "fitted")
        ),
        *(Head(config) for config in Head.arms(rows.task, None, rows.train)),
    ]
    begun = time.perf_counter()
    for strategy in arms:
        with tempfile.TemporaryDirectory() as folder:
            given = context(rows, asked if strategy.needs_model else None, encoder, Path(folder))  # type: ignore[arg-type]
            solver = strategy.fit(rows.train, [], given)
            solvers = {strategy.describe().en: solver}
            if isinstance(solver, DecisionSolver) and strategy.config == DecisionConfig():
                solvers["decision, contextual"] = contextual(solver)
            for name, each in solvers.items():
                tested = solve(each, rows.test)
                seen = solve(each, rows.dev) if tested[0].probabilities else []
                print(table_row(name, rows, seen, tested), flush=True)
            weights = given.details.get("label_weights", {})
            if "penalty" in weights:
                chosen = f"slope {weights['slope']:.3f}, strength {weights['strength_of_prior']:.2f}, penalty {weights['penalty']}"
    print(f"\nFitted: {chosen}. {time.perf_counter() - begun:.0f} s.")


# -- speed ---------------------------------------------------------------------------------------------------


def plain_loop(model: LocalModel, request: Request) -> np.ndarray:
    """A row's labels, each read behind the whole prompt, as a padded batch: what one writes with transformers alone."""
    prompt = model.encode_chat(request.messages, add_generation_prompt=True)
    paths = [model.chat.encode_answer(label) for label in (request.constraint and request.constraint.labels) or ()]
    scores: list[float] = []
    for start in range(0, len(paths), 16):
        some = paths[start : start + 16]
        width = max(map(len, some))
        ids = torch.tensor([prompt + path + [0] * (width - len(path)) for path in some])
        mask = torch.tensor([[1] * (len(prompt) + len(path)) + [0] * (width - len(path)) for path in some])
        with torch.no_grad():
            logits = model.module(ids, attention_mask=mask, logits_to_keep=width + 1).logits.float().log_softmax(-1)
        scores += [float(line[range(len(path)), path].sum()) for line, path in zip(logits, some)]
    found = np.array(scores)
    return found - np.logaddexp.reduce(found)


def asking(rows: Rows, model: LocalModel) -> list[Request]:
    """What the arm asks about the test rows."""
    given = context(rows, model, None, Path())  # type: ignore[arg-type]
    system, labels = DecisionStrategy().fit([], [], given).decider.system, Constraint(labels=rows.task.labels)
    return [Request((Message("system", system), *row.query.messages), labels, n_shared=1) for row in rows.test]


def measure_speed(data: Path, name: str, n_rows: int, n_plain: int) -> str:
    rows = read_rows(data / name, 1, 1, n_rows)
    model = open_model("smollm2-135m")
    assert isinstance(model, LocalModel)
    requests = asking(rows, model)
    model.decide(requests[:2])
    model.forget_prefixes()
    begun = time.perf_counter()
    found = model.decide(requests)
    ours = time.perf_counter() - begun
    model.module.set_attn_implementation("sdpa")
    begun = time.perf_counter()
    plain = [plain_loop(model, request) for request in requests[:n_plain]]
    theirs = (time.perf_counter() - begun) * n_rows / n_plain
    off = max(float(np.abs(np.exp(a.log_probabilities) - np.exp(b)).max()) for a, b in zip(found, plain))  # type: ignore[arg-type]
    same = sum(int(a.log_probabilities.argmax() == b.argmax()) for a, b in zip(found, plain))  # type: ignore[union-attr]
    n_prompt = found[0].completion.usage.prompt_tokens
    return f"| {name} | {len(rows.task.labels)} | {n_prompt} | {ours:.1f} | {theirs:.1f} | **{theirs / ours:.1f}×** | {same}/{n_plain} | {off:.3f} |"


def measure_precision(data: Path, name: str, n_rows: int) -> Iterator[str]:
    """Differences of probabilities to those of the same weights in float32 throughout."""
    rows = read_rows(data / name, 1, 1, n_rows)
    model = open_model("smollm2-135m")
    assert isinstance(model, LocalModel)
    requests = asking(rows, model)

    def decided(by: LocalModel) -> tuple[np.ndarray, float]:
        by.decide(requests[:2])
        by.forget_prefixes()
        begun = time.perf_counter()
        found = [decision.log_probabilities for decision in by.decide(requests)]
        return np.array(found), time.perf_counter() - begun

    right, seconds = decided(open_local(model.folder, dtype=torch.float32, attention=model.attention))
    yield f"| {name} | float32 | {seconds:.1f} | | | | |"
    head = model.module.get_output_embeddings()
    exact = head.weight.detach().float()
    for kind in (str(model.dtype)[6:], f"{str(model.dtype)[6:]}, head in float32"):
        found, seconds = decided(model)
        off = np.abs(np.exp(found) - np.exp(right)).max(axis=1)
        likely = right > np.log(0.01)
        squares = (found - right)[likely] ** 2
        same = int((found.argmax(axis=1) == right.argmax(axis=1)).sum())
        yield f"| {name} | {kind} | {seconds:.1f} | {off.max():.3f} | {off.mean():.3f} | {np.sqrt(squares.mean()):.3f} | {same}/{n_rows} |"
        head.forward = lambda hidden: torch.nn.functional.linear(hidden.float(), exact)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default=",".join(SETS))
    parser.add_argument("--models", type=Path)
    parser.add_argument("--train", type=int, default=400)
    parser.add_argument("--dev", type=int, default=100)
    parser.add_argument("--test", type=int, default=150)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--precision", action="store_true")
    parser.add_argument("--plain-rows", type=int, default=8)
    given = parser.parse_args()
    if given.speed:
        print("| set | labels | tokens a row | trie, s | plain, s | ratio | same label | largest difference |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|")
        for name in given.only.split(","):
            print(measure_speed(given.data, name, given.test, given.plain_rows), flush=True)
        return
    if given.precision:
        print(
            "| set | computed in | seconds | largest difference | mean of the rows' largest | logarithm, root mean square | same label |"
        )
        print("|---|---|---:|---:|---:|---:|---:|")
        for name in given.only.split(","):
            for line in measure_precision(given.data, name, given.test):
                print(line, flush=True)
        return
    for name in given.only.split(","):
        folder = given.models / SETS[name] if given.models is not None else None
        model = open_model(str(folder) if folder is not None and folder.is_dir() else "smollm2-135m")
        assert isinstance(model, LocalModel)
        rows = read_rows(given.data / name, given.train, given.dev, given.test)
        name = rows.task.sentence_encoder or MINILM
        measure(rows, model, SharedEncoder(partial(open_encoder, name), [row.query.text for row in rows.train]))


if __name__ == "__main__":
    main()
