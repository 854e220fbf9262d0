"""Training: LoRA, or all weights of a small model.

Loss on the completion only (``loss.py``), batches of similar length in a fixed order (``batches.py``),
float32 master weights, gradients clipped, rate chosen by rule and decayed to zero (``plan.py``). Dev
loss is looked at about nine times, less often and on fewer rows where the time is short; the best weights are kept, and training stops when dev has not
improved for ``patience`` looks.

A training that was killed goes on from its checkpoint when called again with the same arguments and
folder, and ends with the same weights, bit for bit, on the same machine and number of threads. This
does NOT hold across machines, and not for a training cut by ``seconds_left`` before its first checkpoint:
what fits into the time depends on the machine's speed that day. Once made, the plan is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuneworth.core.text import Text
from tuneworth.errors import NotEnoughData, Problem
from tuneworth.models.base import Progress, TrainConfig, TrainExample, TrainResult, epochs_for
from tuneworth.models.local.batches import Row, encode, spread
from tuneworth.models.local.cache import disk_problems
from tuneworth.models.local.checkpoint import read_result
from tuneworth.models.local.trainable import full_weights, lora_weights
from tuneworth.models.local.trainer import Trainer

if TYPE_CHECKING:
    from tuneworth.models.local.model import LocalModel


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
    limit = min(config.max_length, model.capabilities.context_tokens)
    rows = encode(model, train, limit)
    if not rows:
        raise NotEnoughData(Problem(str(folder), _nothing_fits(len(train), limit)))
    dev_rows = _some_dev(encode(model, dev, limit), len(rows), config)
    key = _key(model, config, rows, dev_rows)
    if (done := read_result(folder, key)) is not None:
        return done
    with disk_problems(folder):
        folder.mkdir(parents=True, exist_ok=True)
    weights = (
        lora_weights(model, rank=config.rank, alpha=config.alpha, dropout=config.dropout, seed=config.seed)
        if config.mode == "lora"
        else full_weights(model)
    )
    with weights as trainable:
        run = Trainer(trainable, rows, dev_rows, config, folder, key)
        run.train(progress or (lambda done, total, unit: None), seconds_left)
        return run.finish(n_too_long=len(train) - len(rows))


def _some_dev(dev_rows: list[Row], n_rows: int, config: TrainConfig) -> list[Row]:
    """Dev rows for the loss, evenly spread: so few that all looks at them cost about a quarter of the training.

    A look costs about a third of training on the same rows (no backward pass).
    """
    trained = n_rows * (config.epochs or epochs_for(n_rows))
    return spread(dev_rows, min(max(round(0.75 * trained / config.n_evals), 32), config.max_dev_rows))


def _key(model: LocalModel, config: TrainConfig, rows: list[Row], dev_rows: list[Row]) -> str:
    """What the training is about; a checkpoint of something else is not continued."""
    what = {
        "config": config.model_dump(exclude={"checkpoint_seconds"}),
        "model": [model.id, model.describe()["weights_sha256"], str(model.dtype)],
        "rows": [[(row.ids, row.n_prompt) for row in side] for side in (rows, dev_rows)],
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def _nothing_fits(n_rows: int, limit: int) -> Text:
    return Text(
        en=f"none of the {n_rows} training rows fits into {limit} tokens; shorten the rows or use a model with a longer context",
        zh=f"{n_rows} 条训练数据都超过 {limit} 个词元；请缩短数据，或换用上下文更长的模型",
    )
