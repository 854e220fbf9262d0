"""LoRA training: this engine against TRL's SFTTrainer, same model, rows, rank, targets, batch and steps.

    python benchmarks/engine_train.py --data ../data/banking77 --out engine_train.json

Three arms, each in a process of its own: ``ours``; ``trl_default``, SFTTrainer's defaults with this
adapter; ``trl_best``, SFTTrainer set up as well as we know how on a machine without a GPU: prompt and
completion apart so that the loss is on the completion only, float32, no gradient checkpointing, batches
of similar length, our learning rate and schedule. All get the same token sequences. Dev loss is the mean
over the completion tokens, computed after the same number of steps by the same code, that of transformers
(labels of -100 on the prompt), from the adapter each arm saved. Speed is rows per second from the end of
the second step to the end of the last; ``--timed-steps`` shortens the TRL arms, whose dev loss is then not
reported. Memory is the process's peak.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ARMS = ("ours", "trl_default", "trl_best")
INSTRUCTION = "Classify the intent of the bank customer's message."
BATCH_ROWS, RANK, ALPHA = 8, 16, 32
N_DEV = 200


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.jsonl (rows of input and output)")
    parser.add_argument("--model", default="smollm2-135m", help="embedded model or a model folder")
    parser.add_argument("--rows", type=int, default=640, help="training rows; one epoch")
    parser.add_argument("--timed-steps", type=int, help="stop the TRL arms after so many steps (no dev loss then)")
    parser.add_argument("--arms", nargs="+", default=ARMS, choices=ARMS)
    parser.add_argument("--out", type=Path, help="write the figures here as JSON")
    parser.add_argument("--arm", choices=ARMS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def read_rows(options: argparse.Namespace) -> tuple[list[dict], list[dict]]:
    with (options.data / "train.jsonl").open(encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    return rows[: options.rows], rows[options.rows : options.rows + N_DEV]


def prompt(row: dict) -> str:
    return f"{INSTRUCTION}\n\n{row['input']}"


def examples(rows: list[dict]) -> list:
    from tuneworth.core.task import Message
    from tuneworth.models.base import TrainExample

    return [TrainExample((Message("user", prompt(row)),), row["output"]) for row in rows]


def model_folder(options: argparse.Namespace) -> Path:
    from tuneworth.models.catalog import pull

    return pull(options.model)


class Clock:
    """Time of each step's end."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def rows_per_second(self) -> float:
        """From the end of the second step; the first ones also pay for what is done once."""
        timed = self.ends[1:]
        return BATCH_ROWS * (len(timed) - 1) / (timed[-1] - timed[0])


def run_ours(options: argparse.Namespace, clock: Clock) -> None:
    from tuneworth.models.base import TrainConfig
    from tuneworth.models.local.load import open_local

    model = open_local(model_folder(options))
    config = TrainConfig(rank=RANK, alpha=ALPHA, batch_rows=BATCH_ROWS, epochs=1, checkpoint_seconds=1e9)

    def progress(done: int, total: int, unit: str) -> None:
        if done:
            clock.ends.append(time.perf_counter())

    result = model.train(examples(read_rows(options)[0]), [], config, Path(options.folder), progress=progress)
    print(json.dumps({"adapter": result.folder, "dtype": str(model.dtype), "attention": model.attention}))


def run_trl(options: argparse.Namespace, clock: Clock, *, best: bool) -> None:
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    from tuneworth.models.local.plan import Plan, learning_rate

    folder = model_folder(options)
    rows, _ = read_rows(options)
    n_steps = len(rows) // BATCH_ROWS
    settings: dict = {"max_steps": options.timed_steps or n_steps}
    if best:
        settings |= {
            "gradient_checkpointing": False,
            "bf16": False,
            "completion_only_loss": True,
            "train_sampling_strategy": "group_by_length",
            "learning_rate": learning_rate(json.loads((folder / "config.json").read_text())["hidden_size"], "lora"),
            "warmup_steps": Plan.make(n_steps, 0.04, 1).n_warmup,
            "model_init_kwargs": {"dtype": "float32", "attn_implementation": "sdpa"},
        }
    config = SFTConfig(
        output_dir=str(options.folder), per_device_train_batch_size=BATCH_ROWS, save_strategy="no", report_to="none",
        disable_tqdm=True, use_cpu=True, **settings,
    )  # fmt: skip

    class Watch(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            clock.ends.append(time.perf_counter())

    trainer = SFTTrainer(
        model=str(folder),
        args=config,
        train_dataset=Dataset.from_list([chat(row) for row in rows]),
        processing_class=AutoTokenizer.from_pretrained(folder),
        peft_config=LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM"),
        callbacks=[Watch()],
    )
    trainer.train()
    adapter = options.folder / "adapter"
    trainer.save_model(str(adapter))
    dtypes = sorted({str(weight.dtype) for weight in trainer.model.parameters()})
    print(json.dumps({"adapter": str(adapter), "dtype": dtypes, "bf16_autocast": bool(config.bf16), **settings}))


def chat(row: dict) -> dict:
    return {
        "prompt": [{"role": "user", "content": prompt(row)}],
        "completion": [{"role": "assistant", "content": row["output"]}],
    }


def dev_loss(options: argparse.Namespace, adapter: str) -> float:
    """Mean loss per completion token of the dev rows, by transformers, in float32."""
    import torch

    from tuneworth.models.local.batches import encode
    from tuneworth.models.local.load import open_local
    from tuneworth.models.local.weights import active_adapter

    model = open_local(model_folder(options), dtype=torch.float32, attention="sdpa")
    model.load_adapter("trained", adapter)
    rows = encode(model, examples(read_rows(options)[1]), 2048)
    total = 0.0
    with torch.no_grad(), active_adapter(model.module, "trained"):
        for row in rows:
            ids = torch.tensor([row.ids])
            labels = torch.where(torch.arange(len(row.ids)) < row.n_prompt, -100, ids)
            total += float(model.module(input_ids=ids, labels=labels).loss) * row.n_completion
    return total / sum(row.n_completion for row in rows)


def run_arm(options: argparse.Namespace) -> None:
    clock = Clock()
    if options.arm == "ours":
        run_ours(options, clock)
    else:
        run_trl(options, clock, best=options.arm == "trl_best")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20)
    figures = {"steps": len(clock.ends), "rows_per_second": clock.rows_per_second(), "peak_mb": round(peak_mb)}
    print(json.dumps(figures))


def measure(options: argparse.Namespace, arm: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--arm", arm, "--folder", folder, "--data", str(options.data)]
        command += ["--model", options.model, "--rows", str(options.rows)]
        if options.timed_steps:
            command += ["--timed-steps", str(options.timed_steps)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        figures: dict = {}
        for line in done.stdout.splitlines():
            if line.startswith('{"'):
                figures |= json.loads(line)
        if figures["steps"] == options.rows // BATCH_ROWS:
            figures["dev_loss"] = dev_loss(options, figures["adapter"])
        return figures | {"adapter": None}


def main() -> None:
    options = parse()
    if options.arm:
        run_arm(options)
        return
    compare(options)


def run(options: argparse.Namespace) -> None:
    """All arms with the usual settings; ``options.data`` holds the folder ``banking77``, as in ``engine.py``."""
    usual = parse(["--data", str(options.data / "banking77"), "--model", options.model])
    compare(usual)


def compare(options: argparse.Namespace) -> None:
    results = {}
    for arm in options.arms:
        results[arm] = measure(options, arm)
        loss = results[arm].get("dev_loss")
        print(
            f"{arm:12} {results[arm]['rows_per_second']:6.2f} rows/s  {results[arm]['steps']:3} steps  "
            f"dev loss {'not measured' if loss is None else f'{loss:.4f}'}  peak {results[arm]['peak_mb']} MB",
            flush=True,
        )
    for arm in options.arms:
        if arm != "ours" and "ours" in results:
            ratio = results["ours"]["rows_per_second"] / results[arm]["rows_per_second"]
            print(f"ours is {ratio:.1f} times as fast as {arm}")
    if options.out:
        options.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
