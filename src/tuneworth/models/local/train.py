"""Training: LoRA, or all weights of a small model.

Loss on the completion only (``loss.py``), batches of similar length in a fixed order (``batches.py``),
float32 master weights, gradients clipped, rate chosen by rule and decayed to zero (``plan.py``). Dev
loss is looked at about nine times; the best weights are kept, and training stops when dev has not
improved for ``patience`` looks.

A training that was killed goes on from its checkpoint when called again with the same arguments and
folder, and ends with the same weights, bit for bit, on the same machine and number of threads. This
does NOT hold across machines, and not for a training cut by ``seconds_left`` before its first checkpoint:
what fits into the time depends on the machine's speed that day. Once made, the plan is kept.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field

from tuneworth.core.text import Text
from tuneworth.errors import NotEnoughData, Problem
from tuneworth.models.base import TrainExample, TrainResult
from tuneworth.models.local.batches import Row, encode, epoch_order, shared_prefix, split_batch
from tuneworth.models.local.cache import disk_problems
from tuneworth.models.local.checkpoint import read_checkpoint, write_checkpoint
from tuneworth.models.local.loss import CompletionLoss
from tuneworth.models.local.plan import Plan, epochs_for, learning_rate
from tuneworth.models.local.trainable import Trainable, full_weights, lora_weights

if TYPE_CHECKING:
    from tuneworth.models.local.load import LocalModel

Progress = Callable[[int, int, str], None]

CHECKPOINT = "checkpoint.pt"
RESULT = "training.json"
TIMED_STEPS = 4
"""Steps timed (after a first one that warms up) before the rest is planned to fit the time."""


class TrainConfig(BaseModel):
    """How to train. ``None`` means: chosen from model and rows; the result's ``details`` say what was chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["lora", "full"] = Field(default="lora", description="adapter on frozen weights, or all weights")
    rank: int = Field(default=16, ge=1, description="rank of the adapter (LoRA)")
    alpha: int = Field(default=32, ge=1, description="the adapter's output is scaled by alpha / rank")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="dropout on the adapter's input")
    learning_rate: float | None = Field(default=None, gt=0, description="peak rate; by rule from the model's width")
    warmup: float = Field(default=0.04, ge=0, le=0.5, description="share of the steps over which the rate rises")
    epochs: int | None = Field(default=None, ge=1, description="most passes over the rows; by their number")
    batch_rows: int = Field(default=8, ge=1, description="rows per step")
    max_length: int = Field(default=2048, ge=8, description="rows of more tokens are left out")
    patience: int = Field(default=3, ge=1, description="looks at dev without improvement before stopping")
    n_evals: int = Field(default=9, ge=1, description="looks at dev in a full training")
    max_dev_rows: int = Field(default=200, ge=1, description="dev rows that the loss is computed on, at most")
    weight_decay: float = Field(default=0.0, ge=0, description="decoupled weight decay (AdamW)")
    max_grad_norm: float = Field(default=1.0, gt=0, description="gradients are clipped to this norm")
    checkpoint_seconds: float = Field(default=30.0, ge=0, description="least time between checkpoints, seconds")
    seed: int = Field(default=0, ge=0, description="order of rows and initial adapter")


def train(
    model: LocalModel,
    train: Sequence[TrainExample],
    dev: Sequence[TrainExample],
    config: TrainConfig,
    folder: Path | str,
    *,
    progress: Progress | None = None,
    seconds_left: float | None = None,
) -> TrainResult:
    """Train on ``train``, stop and choose on ``dev``, save to ``folder``.

    The model in memory is the same afterwards, also after an error or Ctrl-C; Ctrl-C leaves a checkpoint.

    Args:
        folder: gets ``adapter/`` (or ``model/``), and checkpoints meanwhile. A finished training found
            here is returned as it is.
        progress: ``progress(steps done, steps planned, "steps")``.
        seconds_left: the number of steps is planned to end within this time.

    Raises:
        NotEnoughData: no training row fits into ``max_length``.
        EnvironmentProblem: the disk is full or cannot be written.
    """
    folder = Path(folder)
    limit = min(config.max_length, model.capabilities.context_tokens)
    rows, dev_rows = encode(model, train, limit), encode(model, dev, limit)[: config.max_dev_rows]
    if not rows:
        raise NotEnoughData(Problem(str(folder), _nothing_fits(len(train), limit)))
    key = _key(model, config, rows, dev_rows)
    if (done := _finished(folder, key)) is not None:
        return done
    with disk_problems(folder):
        folder.mkdir(parents=True, exist_ok=True)
    weights = (
        lora_weights(model, rank=config.rank, alpha=config.alpha, dropout=config.dropout, seed=config.seed)
        if config.mode == "lora"
        else full_weights(model)
    )
    with weights as trainable:
        run = _Run(model, trainable, rows, dev_rows, config, folder, key)
        run.train(progress or (lambda done, total, unit: None), seconds_left)
        return run.finish(n_too_long=len(train) - len(rows))


class _Run:
    """One training: what a checkpoint holds, and the loop that moves it on."""

    def __init__(
        self,
        model: LocalModel,
        trainable: Trainable,
        rows: list[Row],
        dev_rows: list[Row],
        config: TrainConfig,
        folder: Path,
        key: str,
    ):
        self.trainable, self.rows, self.dev_rows = trainable, rows, dev_rows
        self.config, self.folder, self.key = config, folder, key
        text_config = trainable.module.config.get_text_config()
        self.rate = config.learning_rate or learning_rate(text_config.hidden_size, config.mode)
        self.epochs = config.epochs or epochs_for(len(rows))
        self.max_tokens, self.max_targets = _memory_limits(trainable.module)
        autocast = model.dtype if model.dtype in (torch.bfloat16, torch.float16) else None
        self.loss = CompletionLoss(trainable.module, shared_prefix([*rows, *dev_rows]), rows, autocast=autocast)
        self.optimizer = torch.optim.AdamW(
            trainable.weights.values(), lr=self.rate, betas=(0.9, 0.99), weight_decay=config.weight_decay, fused=True
        )
        self.steps_per_epoch = -(-len(rows) // config.batch_rows)
        self.plan = Plan.make(self.epochs * self.steps_per_epoch, config.warmup, config.n_evals)
        self.step, self.seconds, self.tokens, self.n_skipped = 0, 0.0, 0, 0
        self.dev_losses: list[tuple[int, float]] = []
        self.best_step, self.best_loss = 0, float("inf")
        self.stopped: Literal["epochs", "early", "time"] | None = None
        self._updating = False
        self._step_seconds: list[float] = []
        self._eval_seconds = 0.0
        self._saved_at = self._save_took = 0.0

    # -- the loop -------------------------------------------------------------------------------------

    def train(self, progress: Progress, seconds_left: float | None) -> None:
        self._resume()
        self._clock = time.perf_counter() - self.seconds
        self._deadline = None if seconds_left is None else self.seconds + seconds_left
        try:
            if self.step == 0:
                self._look_at_dev()
            progress(self.step, self.plan.n_steps, "steps")
            while self.stopped is None:
                self._advance()
                progress(self.step, self.plan.n_steps, "steps")
        except KeyboardInterrupt:
            # In the middle of an update the weights are neither here nor there: the last checkpoint stands.
            if not self._updating:
                self.save_checkpoint()
            raise

    def _advance(self) -> None:
        """One step, and what is due after it."""
        started = time.perf_counter()
        self._update(self._batch())
        self._step_seconds.append(time.perf_counter() - started)
        looked = self.plan.is_eval(self.step)
        if looked:
            self._look_at_dev()
        replanned = self._fit_time(looked)
        self.stopped = self.stopped or self._end()
        pause = max(self.config.checkpoint_seconds, 20 * self._save_took)
        if looked or replanned or time.perf_counter() - self._saved_at >= pause:
            self.save_checkpoint()

    def _batch(self) -> list[Row]:
        epoch, at = divmod(self.step, self.steps_per_epoch)
        lengths = [len(row.ids) for row in self.rows]
        return [self.rows[i] for i in epoch_order(lengths, self.config.batch_rows, self.config.seed, epoch)[at]]

    def _update(self, batch: list[Row]) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.trainable.dropout(on=True)
        n_targets = sum(row.n_completion for row in batch)
        for part in split_batch(batch, self.loss.n_prefix, self.max_tokens, self.max_targets):
            (self.loss(part) / n_targets).backward()
        norm = torch.nn.utils.clip_grad_norm_(self.trainable.weights.values(), self.config.max_grad_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * self.plan.factor(self.step)
        self._updating = True
        if torch.isfinite(norm):
            self.optimizer.step()
        else:
            self.n_skipped += 1
        self.step += 1
        self.tokens += sum(len(row.ids) for row in batch)
        self._updating = False

    @torch.no_grad()
    def _look_at_dev(self) -> None:
        """Dev loss now; keeps the weights if they are the best so far, stops if patience is over."""
        if not self.dev_rows:
            return
        started = time.perf_counter()
        self.trainable.dropout(on=False)
        parts = split_batch(self.dev_rows, self.loss.n_prefix, 2 * self.max_tokens, self.max_targets)
        loss = sum(float(self.loss(part)) for part in parts) / sum(row.n_completion for row in self.dev_rows)
        self._eval_seconds = time.perf_counter() - started
        self.dev_losses.append((self.step, loss))
        if loss < self.best_loss:
            self.best_step, self.best_loss = self.step, loss
            self._save_best()
        elif sum(step > self.best_step for step, _ in self.dev_losses) >= self.config.patience:
            self.stopped = "early"

    def _end(self) -> Literal["epochs", "time"] | None:
        late = self._deadline is not None and self._elapsed() >= self._deadline
        if self.step < self.plan.n_steps and not late:
            return None
        if late and self.dev_rows and self.dev_losses[-1][0] != self.step:
            self._look_at_dev()
        return "epochs" if self.step >= self.plan.full_steps else "time"

    def _fit_time(self, looked: bool) -> bool:
        """Plan to end within the time: once a few steps were timed, and again at each look at dev."""
        if self._deadline is None or not (looked or len(self._step_seconds) == TIMED_STEPS + 1):
            return False
        timed = self._step_seconds[1:][-50:]
        if len(timed) < TIMED_STEPS and self.step < self.plan.n_steps:
            return False
        left = self._deadline - self._elapsed()
        return bool(timed) and self.plan.fit_time(self.step, left, sum(timed) / len(timed), self._eval_seconds)

    def _elapsed(self) -> float:
        return time.perf_counter() - self._clock

    # -- keeping and finding --------------------------------------------------------------------------

    def _save_best(self) -> None:
        from safetensors.torch import save_file

        part = self.folder / "best.part"
        with disk_problems(self.folder):
            save_file(_contiguous(self.trainable.state()), part)
            part.replace(self.folder / "best.safetensors")

    def save_checkpoint(self) -> None:
        started = time.perf_counter()
        state = {
            "key": self.key,
            "weights": self.trainable.state(),
            "optimizer": self.optimizer.state_dict(),
            "plan": self.plan.state(),
            "rng": torch.get_rng_state(),
            "step": self.step,
            "seconds": self._elapsed(),
            "tokens": self.tokens,
            "n_skipped": self.n_skipped,
            "dev_losses": self.dev_losses,
            "best": (self.best_step, self.best_loss),
            "stopped": self.stopped,
        }
        write_checkpoint(self.folder / CHECKPOINT, state)
        self._saved_at = time.perf_counter()
        self._save_took = self._saved_at - started

    def _resume(self) -> None:
        state = read_checkpoint(self.folder / CHECKPOINT, self.key)
        self._saved_at = time.perf_counter()
        if state is None:
            return
        self.trainable.load(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.plan = Plan(**state["plan"])
        torch.set_rng_state(state["rng"])
        self.step, self.seconds, self.tokens = state["step"], state["seconds"], state["tokens"]
        self.n_skipped, self.stopped = state["n_skipped"], state["stopped"]
        self.dev_losses = [(step, loss) for step, loss in state["dev_losses"]]
        self.best_step, self.best_loss = state["best"]

    def finish(self, *, n_too_long: int) -> TrainResult:
        """Save the best weights and what was done; then the checkpoint is no longer needed."""
        from safetensors.torch import load_file

        if self.dev_rows:
            self.trainable.load(load_file(self.folder / "best.safetensors"))
        else:
            self.best_step = self.step
        target = self.folder / ("adapter" if self.config.mode == "lora" else "model")
        result = TrainResult(
            folder=str(target),
            steps=self.step,
            best_step=self.best_step,
            epochs=round(self.step / self.steps_per_epoch, 3),
            train_tokens=self.tokens,
            seconds=round(self._elapsed(), 3),
            dev_losses=tuple(self.dev_losses),
            stopped=self.stopped or "epochs",
            details=self._details(n_too_long),
        )
        with disk_problems(self.folder):
            shutil.rmtree(target, ignore_errors=True)
            self.trainable.save(target)
            _write_result(self.folder / RESULT, self.key, result)
            for name in (CHECKPOINT, "best.safetensors"):
                (self.folder / name).unlink(missing_ok=True)
        return result

    def _details(self, n_too_long: int) -> dict[str, Any]:
        return {
            "mode": self.config.mode,
            "learning_rate": self.rate,
            "epochs_planned": self.epochs,
            "steps_planned": self.plan.full_steps,
            "trained_parameters": sum(weight.numel() for weight in self.trainable.weights.values()),
            "rows_too_long": n_too_long,
            "skipped_steps": self.n_skipped,
            "prefix_tokens": self.loss.n_prefix,
            "autocast": str(self.loss.autocast).removeprefix("torch.") if self.loss.autocast else None,
        }


def _contiguous(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.contiguous() for name, value in state.items()}


def _memory_limits(module: Any) -> tuple[int, int]:
    """Most padded tokens, and most predicted tokens, of one forward and backward pass.

    A token keeps about 12 vectors of the hidden and 5 of the inner width per layer until the backward
    pass, a predicted one about 3 vectors of the vocabulary. 1 GB for each on a CPU, a third of the
    free memory on a GPU.
    """
    config = module.config.get_text_config()
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    token_bytes = 4 * config.num_hidden_layers * (12 * config.hidden_size + 5 * inner)
    budget = 1 << 30
    if module.device.type == "cuda":
        budget = torch.cuda.mem_get_info(module.device)[0] // 3
    return max(budget // token_bytes, 64), max(budget // (12 * config.vocab_size), 64)


def _key(model: LocalModel, config: TrainConfig, rows: list[Row], dev_rows: list[Row]) -> str:
    """What the training is about; a checkpoint of something else is not continued."""
    what = {
        "config": config.model_dump(exclude={"checkpoint_seconds"}),
        "model": [model.id, model.describe()["weights_sha256"], str(model.dtype)],
        "rows": [[(row.ids, row.n_prompt) for row in side] for side in (rows, dev_rows)],
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def _write_result(path: Path, key: str, result: TrainResult) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"key": key, "result": asdict(result)}, indent=2), encoding="utf-8")
    part.replace(path)


def _finished(folder: Path, key: str) -> TrainResult | None:
    try:
        saved = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if saved.get("key") != key:
        return None
    result = saved["result"]
    result["dev_losses"] = tuple((step, loss) for step, loss in result["dev_losses"])
    return TrainResult(**result)


def _nothing_fits(n_rows: int, limit: int) -> Text:
    return Text(
        en=f"none of the {n_rows} training rows fits into {limit} tokens; shorten the rows or use a model with a longer context",
        zh=f"{n_rows} 条训练数据都超过 {limit} 个 token；请缩短数据，或换用上下文更长的模型",
    )
