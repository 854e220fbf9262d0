"""The conversation, without a terminal: which question comes next, what an answer changes, and the way back.

Only questions whose answers can change the advice are asked; which ones these are is found anew after every answer
(see ``missing.py``). Nothing is asked twice, and what rows or a run have to show is not asked at all.
"""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tuneworth.advisor.advise import advise
from tuneworth.advisor.facts import Situation
from tuneworth.advisor.meaning import check_facts
from tuneworth.advisor.questions import ASKABLE, Question

FIRST = "scenario"
"""The opening question, if it can change the advice: the others are easier to answer once the task is named."""
WORTH_ASKING = 0.03
"""Least ``MissingFact.weight`` of a question. Below it hardly any of the ways that the other open facts may turn out
would change the advice, which is not worth a person's time; the fact stays listed as missing."""


def open_questions(situation: Situation, skipped: Collection[str] = ()) -> list[Question]:
    """What is worth asking, the most telling first.

    Raises:
        InputError: facts of ``situation`` contradict one another.
    """
    missing = [item for item in advise(situation).missing if item.weight >= WORTH_ASKING]
    names = [item.name for item in missing if item.name in ASKABLE and item.name not in skipped]
    return [ASKABLE[name] for name in sorted(names, key=lambda name: name != FIRST)]


def next_question(situation: Situation, skipped: Collection[str] = ()) -> Question | None:
    """The question to ask now; ``None`` when no answer that a person could give is worth asking for."""
    return next(iter(open_questions(situation, skipped)), None)


@dataclass(frozen=True)
class Interview:
    """A conversation at one moment. Every step gives a new one; ``back`` gives the one before.

    Attributes:
        skipped: facts whose questions were passed over.
        before: the conversation before its last question was answered or skipped.
    """

    situation: Situation = Situation()
    skipped: Set[str] = frozenset()
    before: Interview | None = None

    @cached_property
    def questions(self) -> list[Question]:
        """What would be asked from here on as things stand; an answer may shorten or lengthen it."""
        return open_questions(self.situation, self.skipped)

    @property
    def question(self) -> Question | None:
        """The question to ask now; ``None`` at the end."""
        return next(iter(self.questions), None)

    def answer(self, value: Any) -> Interview:
        """Take ``value`` for the present question's fact.

        Raises:
            InputError: it contradicts what was said before (each contradiction).
            RuntimeError: there is no question.
        """
        situation = self.situation.with_facts("answered", {self._fact(): value})
        check_facts(situation)
        return replace(self, situation=situation, before=self)

    def skip(self) -> Interview:
        """Pass the present question over.

        Raises:
            RuntimeError: there is no question.
        """
        return replace(self, skipped=self.skipped | {self._fact()}, before=self)

    def back(self) -> Interview:
        """The conversation as it was before the last answer or skip; itself at the beginning."""
        return self.before or self

    def _fact(self) -> str:
        if self.question is None:
            raise RuntimeError("the interview is over: there is no question")
        return self.question.fact
