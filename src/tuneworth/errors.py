"""The errors tuneworth raises.

    TuneworthError            base: message in both languages, exit code
    ├── InputError            something the user gave is wrong (data, task file, option): exit 2
    │   └── NotEnoughData     the rows are fine but too few, or all alike: exit 2
    ├── EnvironmentProblem    disk, permission, network, a missing extra: exit 2
    └── Interrupted           Ctrl-C; carries how to go on: exit 130
    TrainingDiverged          one training gave nothing: its arm has failed, and the run goes on
    PassingFailure            one call failed and may not fail again (network, rate limit, server): not told to a user,
                              its rows count as failed now, and a later start of the run asks them again
    MoneySpent                the cap on money or calls is reached: nothing more is sent, the run ends with what it has

A message has the place, the value, the rule and the next step. All problems found in one input
are reported at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneworth.core.text import Lang, Text


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where: ``train.jsonl:17`` or ``task.yaml:4 margin``."""

    where: str
    message: Text

    def to(self, lang: Lang) -> str:
        colon = "：" if lang == "zh" else ": "
        return f"{self.where}{colon}{self.message.to(lang)}" if self.where else self.message.to(lang)


class TuneworthError(Exception):
    """Base of every error that is meant to be read by a user."""

    exit_code = 1

    def __init__(self, problems: Problem | Sequence[Problem], next_step: Text | None = None):
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        self.next_step = next_step
        super().__init__(self.to("en"))

    def to(self, lang: Lang) -> str:
        """All problems, one a line, then the next step."""
        lines = [problem.to(lang) for problem in self.problems]
        if self.next_step is not None:
            lines.append(self.next_step.to(lang))
        return "\n".join(lines)


class InputError(TuneworthError):
    exit_code = 2


class NotEnoughData(InputError):
    pass


class EnvironmentProblem(TuneworthError):
    exit_code = 2


class Interrupted(TuneworthError):
    exit_code = 130


class TrainingDiverged(Exception):
    """Raised by a model's training whose loss is no number, so that no weights are worth keeping."""

    def __init__(self, why: Text):
        self.why = why
        super().__init__(why.en)


class PassingFailure(Exception):
    """Raised by a model or a solver. Any exception with a true ``may_pass`` is taken in the same way."""

    may_pass = True


class MoneySpent(Exception):
    """Raised by a ``Meter`` before a call is sent that a cap on money or calls does not allow. Rows that were not asked have no outcome.

    Attributes:
        may_free: calls under way may cost less than was set aside for them: asked again when one has ended, it may be allowed.
    """

    def __init__(self, may_free: bool = False):
        self.may_free = may_free
        super().__init__("the cap on money or calls is reached")
