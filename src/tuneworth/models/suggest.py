"""Which local models suit a machine, a language and a task; and which services have a key set.

Rules of thumb, said to be such. A model fits if its weights, the copy that training works on and what passes through it fit the memory
(three times the download on a processor, where it may run in float32; one and a half times on a GPU, and two GB either way). Minutes
follow from tokens and parameters at the speed that ``READ_TOKENS_PER_S`` says for 135 million weights and two cores: within a factor of
three. ``tuneworth plan`` measures instead.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tuneworth.core.provenance import machine
from tuneworth.core.yamlfile import parse_yaml
from tuneworth.models.api.services import services

N_SHOWN = 3
READ_TOKENS_PER_S = 600.0
"""Of 135M weights on two cores in float32, as where the race has measured nothing; four cores take half as long."""
GPU_TOKENS_PER_S = 60_000.0
"""Of 135M weights on a GPU: not measured here."""
READING_ARMS = 6.0
"""Prompts and few-shot prompts that read a dev and a test row, counted as rows without examples."""
TRAIN_PASSES, TRAIN_COST = 3.0, 3.0
TEST_SHARE = 0.4
PATIENCE_MINUTES = 30.0
ROOM_GB = 2.0


class Candidate(BaseModel):
    """A model of ``suggestions.yaml``, which says what each field means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    modelscope: str | None = None
    parameters_m: float
    download_mb: int
    languages: tuple[str, ...]
    licence: str
    gated: bool = False
    sources: tuple[str, ...]
    unconfirmed: str = ""

    def speaks(self, languages: Sequence[str]) -> bool:
        return "*" in self.languages or set(languages) <= set(self.languages)


@dataclass(frozen=True, slots=True)
class Machine:
    """What a model has to run on.

    Attributes:
        accelerator: name of a GPU that the engine uses; ``None``: the processor. An Apple GPU is not used, its memory is.
        memory_gb: of the GPU, else of the machine.
    """

    accelerator: str | None
    memory_gb: float
    cores: int

    def fits(self, model: Candidate) -> bool:
        times = 1.5 if self.accelerator else 3.0
        return model.download_mb / 1000 * times + ROOM_GB <= self.memory_gb

    def tokens_per_s(self, model: Candidate) -> float:
        at_135m = GPU_TOKENS_PER_S if self.accelerator else READ_TOKENS_PER_S * self.cores / 2
        return at_135m * 135 / model.parameters_m


@dataclass(frozen=True, slots=True)
class Work:
    """A task as far as time is concerned: rows, and tokens of a row with its answer."""

    n_rows: int
    row_tokens: float

    def minutes(self, model: Candidate, on: Machine) -> float:
        """Of a training on the rows and of the arms that only ask."""
        trained = TRAIN_PASSES * TRAIN_COST * (1 - TEST_SHARE) + READING_ARMS * TEST_SHARE
        return self.n_rows * self.row_tokens * trained / on.tokens_per_s(model) / 60


USUAL_WORK = Work(1000, 100.0)


@dataclass(frozen=True, slots=True)
class Suggested:
    """A model and what it would take. ``minutes`` is ``None`` where no task was given."""

    model: Candidate
    minutes: float | None


@dataclass(frozen=True, slots=True)
class KeySet:
    """A service whose key is set. The variable's name; its content is not looked at."""

    service: str
    title: str
    variable: str


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What is told: models, best first, services with a key, and what they were chosen for; ``read``: when the facts were."""

    machine: Machine
    languages: tuple[str, ...]
    work: Work | None
    models: list[Suggested]
    keys: list[KeySet]
    read: date


@cache
def candidates() -> tuple[tuple[Candidate, ...], date]:
    """Weakest first, and the day on which the facts were read."""
    path = Path(__file__).with_name("suggestions.yaml")
    read = parse_yaml(path.read_text(encoding="utf-8"), path.name, ours=True).mapping
    return tuple(Candidate.model_validate(fields) for fields in read["models"]), read["read"]


def this_machine() -> Machine:
    facts = machine()
    cores = int(facts["cores"] or 1)
    if find_spec("torch") is not None:
        import torch

        if torch.cuda.is_available():
            gpu = torch.cuda.get_device_properties(0)
            return Machine(gpu.name, round(gpu.total_memory / 1e9, 1), cores)
    return Machine(None, float(facts["memory_gb"]), cores)


def suggest(languages: Sequence[str], on: Machine, work: Work | None = None) -> list[Suggested]:
    """At most three models, the best first: the strongest that is done in ``PATIENCE_MINUTES`` and not gated, then the next
    stronger one that fits the memory, then weaker ones, which are quicker.

    Args:
        languages: codes of the languages of the rows; ``other`` stands for one that is not known.
        work: what the task takes; without it a usual one decides, and no minutes are told.
    """
    known, _ = candidates()
    fitting = [model for model in known if model.speaks(languages) and on.fits(model)]
    if not fitting:
        return []
    free = [model for model in fitting if not model.gated] or fitting
    quick = [model for model in free if (work or USUAL_WORK).minutes(model, on) <= PATIENCE_MINUTES]
    best = fitting.index(quick[-1] if quick else free[0])
    stronger, weaker = fitting[best + 1 :], fitting[:best][::-1]
    chosen = [fitting[best], *stronger[:1], *weaker][:N_SHOWN]
    chosen += [model for model in stronger[1:] if len(weaker) < 1][: N_SHOWN - len(chosen)]
    return [Suggested(model, work.minutes(model, on) if work is not None else None) for model in chosen]


def suggestions(languages: Sequence[str], work: Work | None = None) -> Suggestions:
    """For this machine."""
    on, (_, read) = this_machine(), candidates()
    return Suggestions(on, tuple(languages), work, suggest(languages, on, work), keys_set(), read)


def keys_set() -> list[KeySet]:
    """Services whose key variable holds something, each once."""
    found = {service.title: (name, service) for name, service in reversed(services().items()) if service.key_variable}
    return [
        KeySet(name, title, variable)
        for title, (name, service) in sorted(found.items())
        for variable in [next((each for each in service.key_variable if os.environ.get(each, "").strip()), None)]
        if variable is not None
    ]
