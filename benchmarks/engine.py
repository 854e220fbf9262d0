"""The engine against the libraries it is built on, in the same process, as ratios.

    python benchmarks/engine.py generate --data DATA     # against batched transformers.generate
    python benchmarks/engine.py train --data DATA        # against TRL's SFTTrainer

DATA is a folder with ``banking77/train.jsonl``, ``test.jsonl`` (rows with ``input`` and ``output``) and
``task.json`` (with ``labels``). Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tuneworth.core.task import Message
from tuneworth.models.base import Constraint, Request
from tuneworth.models.catalog import open_model
from tuneworth.models.local.model import LocalModel

MAX_NEW_TOKENS = 16


@dataclass(frozen=True)
class Data:
    train: list[dict[str, str]]
    test: list[dict[str, str]]
    labels: tuple[str, ...]


def read_data(folder: Path) -> Data:
    folder = folder / "banking77"
    train, test = (
        [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]
        for name in ("train.jsonl", "test.jsonl")
    )
    return Data(train, test, tuple(json.loads((folder / "task.json").read_text(encoding="utf-8"))["labels"]))


def instruction_prompt(data: Data) -> tuple[Message, ...]:
    names = ", ".join(data.labels)
    return (Message("system", f"Name the intent of the bank customer's message. Answer with one of: {names}"),)


def shots_prompt(data: Data, n_shots: int = 16) -> tuple[Message, ...]:
    turns: list[Message] = list(instruction_prompt(data))
    for row in random.Random(13).sample(data.train, n_shots):
        turns += [Message("user", row["input"]), Message("assistant", row["output"])]
    return tuple(turns)


def requests_of(head: tuple[Message, ...], rows: Sequence[dict[str, str]], constraint: Constraint | None):
    return [Request((*head, Message("user", row["input"])), constraint, n_shared=len(head)) for row in rows]


def generate_by_transformers(model: LocalModel, requests: Sequence[Request], batch_size: int) -> list[str]:
    """Sorted by length, padded on the left, one ``generate`` call a batch; no prefix is reused."""
    prompts = [model.encode_chat(request.messages, add_generation_prompt=True) for request in requests]
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    texts = [""] * len(prompts)
    pad = model.chat.end_of_turn
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        width = max(len(prompts[index]) for index in batch)
        ids = torch.tensor([[pad] * (width - len(prompts[i])) + prompts[i] for i in batch])
        mask = torch.tensor([[0] * (width - len(prompts[i])) + [1] * len(prompts[i]) for i in batch])
        labels = requests[batch[0]].constraint
        options: dict[str, Any] = {}
        if labels is not None:
            options["prefix_allowed_tokens_fn"] = label_walk(model, labels.labels or (), width)
        with torch.no_grad():
            made = model.module.generate(
                ids,
                attention_mask=mask,
                max_new_tokens=MAX_NEW_TOKENS if labels is None else 2 * MAX_NEW_TOKENS,
                do_sample=False,
                pad_token_id=pad,
                eos_token_id=sorted(model.chat.stop_ids),
                **options,
            )
        for index, row in zip(batch, made.tolist()):
            texts[index] = model.chat.decode(row[width:])
    return texts


def label_walk(model: LocalModel, labels: Sequence[str], width: int) -> Callable[[int, torch.Tensor], list[int]]:
    """``prefix_allowed_tokens_fn`` for ``labels``; a finished row is padded."""
    following: dict[tuple[int, ...], set[int]] = {}
    for label in labels:
        path = tuple(model.chat.encode_answer(label))
        for length in range(len(path)):
            following.setdefault(path[:length], set()).add(path[length])
    allowed = {made: sorted(tokens) for made, tokens in following.items()}
    return lambda _, ids: allowed.get(tuple(ids[width:].tolist()), [model.chat.end_of_turn])


def measure_generation(model: LocalModel, data: Data, n_rows: int, n_baseline: int, batch_size: int) -> list[str]:
    """Rows of the table: both prompts, free and constrained."""
    model.module.set_attn_implementation("sdpa")  # the baseline's: the default of transformers, and faster here
    rows = data.test[:n_rows]
    few = rows[:: max(1, n_rows // n_baseline)][:n_baseline]
    lines: list[str] = []
    for prompt, head in (("77-label instruction", instruction_prompt(data)), ("16-shot", shots_prompt(data))):
        for answer, constraint in (("free", None), ("labels", Constraint(labels=data.labels))):
            begun = time.perf_counter()
            ours = model.generate(requests_of(head, rows, constraint), max_new_tokens=MAX_NEW_TOKENS)
            seconds = time.perf_counter() - begun
            begun = time.perf_counter()
            theirs = generate_by_transformers(model, requests_of(head, few, constraint), batch_size)
            baseline = (time.perf_counter() - begun) * n_rows / len(few)
            texts = {row["id"]: one.text for row, one in zip(rows, ours)}
            equal = sum(texts[row["id"]] == text for row, text in zip(few, theirs))
            tokens = sum(one.usage.prompt_tokens for one in ours) / n_rows
            lines.append(
                f"| {prompt} | {answer} | {tokens:.0f} | {seconds:.1f} | {baseline:.1f} | "
                f"**{baseline / seconds:.1f}×** | {equal}/{len(few)} |"
            )
            model.forget_prefixes()  # each line pays for its own prefix
    return lines


def machine() -> str:
    import transformers

    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        models = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    return (
        f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads; Python {platform.python_version()}, "
        f"torch {torch.__version__}, transformers {transformers.__version__}; {time.strftime('%Y-%m-%d')}"
    )


def run_generate(options: argparse.Namespace) -> None:
    model = open_model(options.model)
    assert isinstance(model, LocalModel)
    data = read_data(options.data)
    described = model.describe()
    lines = measure_generation(model, data, options.rows, options.baseline_rows, options.batch_size)
    print(
        f"`{model.id}`, {described['dtype']}; baseline with sdpa attention and batches of {options.batch_size}; "
        f"{MAX_NEW_TOKENS} new tokens. Seconds for {options.rows} rows; the baseline was timed "
        f"on {options.baseline_rows} of them. {machine()}.\n"
    )
    print("| prompt | answer | prompt tokens | tuneworth, s | transformers.generate, s | ratio | same predictions |")
    print("|---|---|---:|---:|---:|---:|---:|")
    print("\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["generate", "train"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--baseline-rows", type=int, default=60)
    parser.add_argument("--batch-size", type=int, default=16)
    options = parser.parse_args()
    if options.part == "generate":
        run_generate(options)
    else:
        import engine_train

        engine_train.run(options)


if __name__ == "__main__":
    main()
