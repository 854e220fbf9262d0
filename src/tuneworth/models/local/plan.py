"""How long a training is and how fast it learns: pure arithmetic, no torch.

Learning rate. For LoRA the rule is 5e-4 · (2000 / width)^0.5, within [1e-4, 1e-3]; full fine-tuning
takes a tenth of it. "LoRA Without Regret" (Schulman et al. 2025) finds the best LoRA rate about ten
times that of full fine-tuning, hardly moved by the rank, and falling slowly with the model's width;
its fits of the exponent lie between 0.08 (Qwen) and 0.78 (Llama). The rate does NOT look at the data;
early stopping and the best checkpoint guard against the rows it does not suit.

Schedule. A short linear warm-up, then linear decay to zero. The decay aims at the last planned step;
when the plan changes, the line starts anew from the rate reached, so the rate never jumps.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

Mode = Literal["lora", "full"]

EVAL_SHARE = 0.1
"""Most of a training that may go into looking at dev; with less time dev is looked at less often, on fewer rows."""
LOOK_COST = 1 / 3
"""Of looking at a row's loss, in trainings on that row: there is no backward pass."""
LEAST_LOOKS, LEAST_DEV_ROWS = 2, 16


def looks(n_trained: int, most_looks: int, most_rows: int) -> tuple[int, int]:
    """How often to look at dev, and at how many rows, in a training on ``n_trained`` rows (each pass counts): as many of both
    as ``EVAL_SHARE`` of it is worth, but ``LEAST_LOOKS`` at ``LEAST_DEV_ROWS``."""
    affordable = EVAL_SHARE * n_trained / LOOK_COST
    n_looks = min(most_looks, max(LEAST_LOOKS, int(affordable / LEAST_DEV_ROWS)))
    return n_looks, min(most_rows, max(LEAST_DEV_ROWS, int(affordable / n_looks)))


def learning_rate(width: int, mode: Mode) -> float:
    """Peak rate for a model whose hidden states have ``width`` numbers."""
    rate = min(max(5e-4 * math.sqrt(2000 / width), 1e-4), 1e-3)
    return rate if mode == "lora" else rate / 10


@dataclass
class Plan:
    """Steps to do and the rate at each.

    Attributes:
        n_steps: steps planned now; ``full_steps`` when nothing limits the training.
        n_blind: dev is not looked at before so many steps: until every row was seen once nothing is learned by heart, so
            a look would only find the loss falling. Half of a plan at most. The untrained model is looked at.
        anchor_step, anchor_factor: where the line to zero starts.
    """

    full_steps: int
    n_steps: int
    n_warmup: int
    n_evals: int
    anchor_step: int
    anchor_factor: float = 1.0
    n_blind: int = 0

    @classmethod
    def make(cls, full_steps: int, warmup: float, n_evals: int, n_blind: int = 0) -> Plan:
        n_warmup = min(max(round(warmup * full_steps), 3), 50, full_steps // 2)
        return cls(full_steps, full_steps, n_warmup, n_evals, anchor_step=n_warmup, n_blind=n_blind)

    @property
    def eval_every(self) -> int:
        return max(3, math.ceil(self.n_steps / self.n_evals))

    def is_eval(self, step: int) -> bool:
        """Whether dev is looked at after ``step`` steps."""
        is_due = step % self.eval_every == 0 and step >= min(self.n_blind, self.n_steps // 2)
        return step in (0, self.n_steps) or is_due

    def factor(self, step: int) -> float:
        """Share of the peak rate at which step ``step`` (from 0) is made."""
        if step < self.n_warmup:
            return (step + 1) / self.n_warmup
        return self.anchor_factor * max(self.n_steps - step, 0) / max(self.n_steps - self.anchor_step, 1)

    def retarget(self, step: int, n_steps: int) -> None:
        """Plan to end after ``n_steps``, being about to make step ``step``."""
        n_steps = min(max(n_steps, step + 1), self.full_steps)
        if step > self.n_warmup:
            self.anchor_factor, self.anchor_step = self.factor(step), step
        self.n_steps = n_steps

    def fit_time(self, step: int, seconds_left: float, seconds_per_step: float, seconds_per_eval: float) -> bool:
        """Retarget so that the rest takes ``seconds_left``; True when the plan changed.

        Timings wobble, so a plan that is within 15 % of what the time allows is left alone.
        """
        share_left = max(1 - step / self.n_steps, 0)
        affordable = EVAL_SHARE * seconds_left / max(seconds_per_eval, 1e-9)
        if share_left and self.n_evals * share_left > affordable:
            self.n_evals = max(round(affordable / share_left), 2)
        evals_left = self.n_evals * share_left
        spare = 0.95 * seconds_left - evals_left * seconds_per_eval
        possible = min(step + int(spare / max(seconds_per_step, 1e-9)), self.full_steps)
        rest, now = possible - step, self.n_steps - step
        if now <= rest <= 1.15 * now or (rest < now <= 1.15 * rest and step):
            return False
        before = self.n_steps
        self.retarget(step, possible)
        return self.n_steps != before

    def state(self) -> dict[str, Any]:
        return asdict(self)
