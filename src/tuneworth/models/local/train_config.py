"""What can be set about a training."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


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
    max_dev_rows: int = Field(default=100, ge=1, description="dev rows that the loss is computed on, at most")
    weight_decay: float = Field(default=0.0, ge=0, description="decoupled weight decay (AdamW)")
    max_grad_norm: float = Field(default=1.0, gt=0, description="gradients are clipped to this norm")
    checkpoint_seconds: float = Field(default=30.0, ge=0, description="least time between checkpoints, seconds")
    seed: int = Field(default=0, ge=0, description="order of rows and initial adapter")
