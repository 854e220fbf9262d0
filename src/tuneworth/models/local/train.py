"""Training: LoRA, or all weights of a small model.

Loss on the completion only (``loss.py``), batches of similar length in a fixed order (``batches.py``),
float32 master weights, gradients clipped, rate chosen by rule and decayed to zero (``plan.py``). Dev
loss is looked at nine times at most, after the first pass, and on as few rows as make that a tenth of the training; the best
weights are kept, and training stops when dev has not improved for ``patience`` looks.

A training that was killed goes on from its checkpoint when called again with the same arguments and
folder, and ends with the same weights, bit for bit, on the same machine and number of threads. This
does NOT hold across machines, and not for a training cut by ``seconds_left`` before its first checkpoint:
what fits into the time depends on the machine's speed that day. Once made, the plan is kept.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from tuneworth.errors import NotEnoughData, Problem, TrainingDiverged
from tuneworth.models.base import Progress, TrainConfig, TrainExample, TrainResult, epochs_for
from tuneworth.models.local.batches import Row, encode, epoch_order, shared_prefix, spread
from tuneworth.models.local.cache import disk_problems
from tuneworth.models.local.loss import CompletionLoss, memory_limits
from tuneworth.models.local.lower import upper_third
from tuneworth.models.local.plan import EVAL_SHARE, LEAST_DEV_ROWS, LEAST_LOOKS, LOOK_COST, Plan, learning_rate, looks
from tuneworth.models.local.weights import (
    Learning,
    full_weights,
    lora_weights,
    read_checkpoint,
    read_result,
    write_checkpoint,
    write_result,
)
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.models.local.model import LocalModel

CHECKPOINT = "checkpoint.pt"
BEST = "best.safetensors"
TRIED_STEPS, TIMED_STEPS = 2, 4
"""Steps timed (after a first one that warms up) before the rest is planned to fit the time."""


class Trainer:
    """One training: what a checkpoint holds, and the loop that moves it on."""

    def __init__(
        self,
        learning: Learning,
        rows: list[Row],
        dev_rows: list[Row],
        config: TrainConfig,
        folder: Path,
        key: str,
    ):
        self.learning, self.rows, self.dev_rows = learning, rows, dev_rows
        self.config, self.folder, self.key = config, folder, key
        text_config = learning.module.config.get_text_config()
        self.rate = config.learning_rate or learning_rate(text_config.hidden_size, config.mode)
        self.epochs = config.epochs or epochs_for(len(rows))
        self.max_tokens, self.max_targets = memory_limits(learning.module)
        prefix = shared_prefix([*rows, *dev_rows])
        first = first_layer(learning.module, config)
        self.loss = CompletionLoss(learning.module, prefix, rows, autocast=learning.autocast, first_layer=first)
        self.relatives = self.loss.relatives(rows)
        self.optimizer = torch.optim.AdamW(
            learning.weights.values(), lr=self.rate, betas=(0.9, 0.99), weight_decay=config.weight_decay, fused=True
        )
        self.steps_per_epoch = -(-len(rows) // config.batch_rows)
        n_looks, n_dev = looks(self.epochs * len(rows), config.n_evals, config.max_dev_rows)
        self.dev_rows = spread(dev_rows, n_dev)
        self.plan = Plan.make(self.epochs * self.steps_per_epoch, config.warmup, n_looks, n_blind=self.steps_per_epoch)
        self.step, self.seconds, self.tokens, self.n_skipped = 0, 0.0, 0, 0
        self.look_seconds = 0.0
        self.dev_losses: list[tuple[int, float]] = []
        self.best_step, self.best_loss = 0, float("inf")
        self.stopped: Literal["epochs", "early", "time"] | None = None
        self._updating = False
        self._order: tuple[int, list[list[int]]] = -1, []
        self._step_seconds: list[float] = []
        self._step_tokens: list[int] = []
        self._eval_seconds = 0.0
        self._saved_at = self._save_took = 0.0

    # -- the loop -------------------------------------------------------------------------------------

    def train(self, progress: Progress, seconds_left: float | None) -> None:
        self._resume()
        self._clock = time.perf_counter() - self.seconds
        # Counted from the training's first start: what an earlier start spent is not given twice.
        self._deadline = None if seconds_left is None else max(self.seconds, seconds_left)
        try:
            self._settle()
            progress(self.step, self.plan.n_steps, "steps")
            while self.stopped is None:
                started = time.perf_counter()
                batch = self._batch()
                self._update(batch)
                self._step_seconds.append(time.perf_counter() - started)
                self._step_tokens.append(self._computed(batch))
                self._settle()
                progress(self.step, self.plan.n_steps, "steps")
        except KeyboardInterrupt:
            # In the middle of an update the weights are neither here nor there: the last checkpoint stands.
            if not self._updating:
                self.save_checkpoint()
            raise

    def _settle(self) -> None:
        """Do what is due after ``step`` steps; called again for the same step it does nothing twice."""
        if self._deadline is not None and len(self._step_seconds) == TIMED_STEPS + 1:
            self._fit_dev(self._deadline)
        looked = self.plan.is_eval(self.step) and not self._is_early() and self._look_at_dev()
        replanned = self._fit_time(looked)
        self.stopped = self.stopped or self._end()
        pause = max(self.config.checkpoint_seconds, 20 * self._save_took)
        if looked or replanned or time.perf_counter() - self._saved_at >= pause:
            self.save_checkpoint()

    def _batch(self) -> list[Row]:
        epoch, at = divmod(self.step, self.steps_per_epoch)
        if self._order[0] != epoch:
            lengths = [len(row.ids) for row in self.rows]
            order = epoch_order(lengths, self.config.batch_rows, self.config.seed, epoch, self.relatives)
            self._order = epoch, order
        return [self.rows[i] for i in self._order[1][at]]

    def _update(self, batch: list[Row]) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.learning.dropout(on=True)
        n_targets = sum(row.n_completion for row in batch)
        for part in self.loss.parts(batch, self.max_tokens, self.max_targets):
            (self.loss(part) / n_targets).backward()
        norm = torch.nn.utils.clip_grad_norm_(self.learning.weights.values(), self.config.max_grad_norm)
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
    def _look_at_dev(self) -> bool:
        """Dev loss now, unless it is known; keeps the best weights, stops when patience is over."""
        if not self.dev_rows or (self.dev_losses and self.dev_losses[-1][0] == self.step):
            return False
        started = time.perf_counter()
        self.learning.dropout(on=False)
        parts = self.loss.parts(self.dev_rows, 2 * self.max_tokens, self.max_targets)
        loss = sum(float(self.loss(part)) for part in parts) / sum(row.n_completion for row in self.dev_rows)
        better = loss < self.best_loss
        if better:
            self._save_best()
        self._eval_seconds = time.perf_counter() - started
        self.look_seconds += self._eval_seconds
        self._updating = True
        self.dev_losses.append((self.step, loss))
        if better:
            self.best_step, self.best_loss = self.step, loss
        elif sum(step > self.best_step for step, _ in self.dev_losses) >= self.config.patience:
            self.stopped = "early"
        self._updating = False
        return True

    def _end(self) -> Literal["epochs", "time"] | None:
        late = self._deadline is not None and self._elapsed() >= self._deadline
        if self.step < self.plan.n_steps and not late:
            return None
        if late:
            self._fit_dev(self._deadline or 0.0)
            self._look_at_dev()
        return "epochs" if self.step >= self.plan.full_steps else "time"

    def _is_early(self) -> bool:
        """In a limited time the first look waits until steps were timed: it may cost as much as all of them."""
        return self._deadline is not None and self.step <= TIMED_STEPS and self.step < self.plan.n_steps

    def _fit_dev(self, deadline: float) -> None:
        """Leave out dev rows, once, of which the time allows no two looks; the losses of all looks are on the same rows."""
        timed = self._step_seconds[1:] or self._step_seconds
        if not self.dev_rows or not timed or self.dev_losses:
            return
        tokens = sum(self._step_tokens[-len(timed) :])  # rows of a batch share more of them than dev rows do
        a_row = LOOK_COST * sum(timed) / tokens * self._computed(self.dev_rows) / len(self.dev_rows)
        most = int(EVAL_SHARE * max(deadline - self._elapsed(), 0.0) / LEAST_LOOKS / max(a_row, 1e-9))
        self.dev_rows = spread(self.dev_rows, max(most, LEAST_DEV_ROWS))
        self._eval_seconds = a_row * len(self.dev_rows)

    def _fit_time(self, looked: bool) -> bool:
        """Plan to end within the time: once a few steps were timed, and again at each look at dev.

        A plan that has come to its end is not made longer: the rate has gone down to nothing.
        """
        if self._deadline is None or self.step >= self.plan.n_steps:
            return False
        if not (looked or len(self._step_seconds) == TIMED_STEPS + 1):
            return False
        timed = self._step_seconds[1:][-50:]
        if len(timed) < TIMED_STEPS and self.step < self.plan.n_steps:
            return False
        left = self._deadline - self._elapsed()
        return bool(timed) and self.plan.fit_time(self.step, left, sum(timed) / len(timed), self._eval_seconds)

    def _computed(self, rows: Sequence[Row]) -> int:
        """Tokens that pass through the model for ``rows``, without the prefix and padding."""
        parts = self.loss.parts(rows, self.max_tokens, self.max_targets)
        return sum(pack.n_tokens(self.loss.n_prefix) for part in parts for pack in part)

    def _elapsed(self) -> float:
        return time.perf_counter() - self._clock

    # -- keeping and finding --------------------------------------------------------------------------

    def _save_best(self) -> None:
        from safetensors.torch import save_file

        part = self.folder / "best.part"
        with disk_problems(self.folder):
            save_file(_contiguous(self.learning.state()), part)
            part.replace(self.folder / BEST)

    def save_checkpoint(self) -> None:
        started = time.perf_counter()
        state = {
            "key": self.key,
            "weights": self.learning.state(),
            "optimizer": self.optimizer.state_dict(),
            "plan": self.plan.state(),
            "rng": self._random_state(),
            "step": self.step,
            "seconds": self._elapsed(),
            "tokens": self.tokens,
            "n_skipped": self.n_skipped,
            "look_seconds": self.look_seconds,
            "dev_losses": self.dev_losses,
            "n_dev": len(self.dev_rows),
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
        self.learning.load(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.plan = Plan(**state["plan"])
        self._set_random_state(state["rng"])
        self.step, self.seconds, self.tokens = state["step"], state["seconds"], state["tokens"]
        self.n_skipped, self.stopped = state["n_skipped"], state["stopped"]
        self.look_seconds = state.get("look_seconds", 0.0)
        self.dev_losses = [(step, loss) for step, loss in state["dev_losses"]]
        self.dev_rows = spread(self.dev_rows, state.get("n_dev", len(self.dev_rows)))
        self.best_step, self.best_loss = state["best"]

    def _random_state(self) -> list[torch.Tensor]:
        """For dropout: the generator of the processor, and of the GPU if there is one."""
        device = self.learning.module.device
        return [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]

    def _set_random_state(self, state: list[torch.Tensor]) -> None:
        torch.set_rng_state(state[0])
        if len(state) > 1:
            torch.cuda.set_rng_state(state[1], self.learning.module.device)

    def finish(self, *, n_too_long: int) -> TrainResult:
        """Save the best weights and what was done; then the checkpoint is no longer needed.

        Raises:
            TrainingDiverged: no look at dev found a loss, or no step could be taken. The checkpoint stays, so that the next
                start ends here at once.
        """
        from safetensors.torch import load_file

        if self.step and (self.n_skipped == self.step or (self.dev_rows and not math.isfinite(self.best_loss))):
            self.save_checkpoint()
            raise TrainingDiverged(say("useless.diverged", rate=f"{self.rate:.1g}", n=self.step))
        if self.dev_rows:
            self.learning.load(load_file(self.folder / BEST))
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
            self.learning.save(target)
            write_result(self.folder, self.key, result)
            for name in (CHECKPOINT, BEST):
                (self.folder / name).unlink(missing_ok=True)
        return result

    def _details(self, n_too_long: int) -> dict[str, Any]:
        return {
            "mode": self.config.mode,
            "learning_rate": self.rate,
            "epochs_planned": self.epochs,
            "steps_planned": self.plan.full_steps,
            "trained_parameters": sum(weight.numel() for weight in self.learning.weights.values()),
            "rows_too_long": n_too_long,
            "skipped_steps": self.n_skipped,
            "look_seconds": round(self.look_seconds, 3),
            "prefix_tokens": self.loss.n_prefix,
            "lower_layers_kept": self.loss.lower is not None,
            "packed_rows": sum(len(group) for group in self.relatives if len(group) > 1),
            "autocast": str(self.loss.autocast).removeprefix("torch.") if self.loss.autocast else None,
        }


def _contiguous(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.contiguous() for name, value in state.items()}


def train_model(
    model: LocalModel,
    train: Sequence[TrainExample],
    dev: Sequence[TrainExample],
    config: TrainConfig,
    folder: Path,
    *,
    progress: Progress | None = None,
    seconds_left: float | None = None,
) -> TrainResult:
    """What ``Trainable.train`` promises.

    The model in memory is the same afterwards, also after an error or Ctrl-C; Ctrl-C leaves a checkpoint. ``folder`` gets
    ``adapter/``, or ``model/`` where all weights are trained.
    """
    rows = _rows(model, train, config, folder)
    limit = min(config.max_length, model.capabilities.context_tokens)
    dev_rows = encode(model, dev, limit)
    key = _key(model, config, rows, dev_rows)
    if (done := read_result(folder, key)) is not None:
        return done
    with disk_problems(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with _weights(model, config) as learning:
        run = Trainer(learning, rows, dev_rows, config, folder, key)
        run.train(progress or (lambda done, total, unit: None), seconds_left)
        return run.finish(n_too_long=len(train) - len(rows))


def time_steps(model: LocalModel, train: Sequence[TrainExample], config: TrainConfig) -> float:
    """Seconds of training on a row of average length once: of two steps the second, as the first warms up."""
    rows = _rows(model, train, config, Path())
    with _weights(model, config) as learning:
        run = Trainer(learning, rows, [], config, Path(), "")
        for _ in range(TRIED_STEPS):
            started, batch = time.perf_counter(), run._batch()
            run._update(batch)
            took = time.perf_counter() - started
        return took / run._computed(batch) * run._computed(rows) / len(rows)


def _rows(model: LocalModel, train: Sequence[TrainExample], config: TrainConfig, folder: Path) -> list[Row]:
    limit = min(config.max_length, model.capabilities.context_tokens)
    rows = encode(model, train, limit)
    if not rows:
        message = say("models.training.nothing_fits", rows=len(train), limit=limit)
        raise NotEnoughData(Problem(str(folder), message))
    return rows


def _weights(model: LocalModel, config: TrainConfig) -> AbstractContextManager[Learning]:
    if config.mode == "full":
        return full_weights(model)
    first = first_layer(model.module, config)
    return lora_weights(
        model, rank=config.rank, alpha=config.alpha, dropout=config.dropout, seed=config.seed, first_layer=first
    )


def first_layer(module: Any, config: TrainConfig) -> int:
    """Number of the first layer that learns; 0 also where a model has no list of layers to choose from."""
    layers = getattr(module.base_model, "layers", None)
    return upper_third(len(layers)) if config.layers == "upper_third" and layers is not None else 0


def _key(model: LocalModel, config: TrainConfig, rows: list[Row], dev_rows: list[Row]) -> str:
    """What the training is about; a checkpoint of something else is not continued."""
    what = {
        "config": config.model_dump(exclude={"checkpoint_seconds"}),
        "model": [model.id, model.describe()["weights_sha256"], str(model.dtype)],
        "rows": [[(row.ids, row.n_prompt) for row in side] for side in (rows, dev_rows)],
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
