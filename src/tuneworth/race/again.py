"""Finalists whose model may answer differently each time, asked the same rows again.

This comes last: with what all else has left of time and money, and where that does not reach there are fewer passes. Further
answers are kept in the store under keys of their own, so that a run that is taken up again pays for none twice.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tuneworth.core.outcome import Outcome, Stage
from tuneworth.core.record import Score
from tuneworth.core.run import AskedAgain
from tuneworth.core.task import Example
from tuneworth.costs.spend import spent_on
from tuneworth.data.sections import Repeats
from tuneworth.race.arms import Arm
from tuneworth.race.budget import Budget
from tuneworth.race.keys import digest
from tuneworth.race.runner import Entry, Runner
from tuneworth.race.together import ask_together
from tuneworth.stats.answers import changes, mean_scores
from tuneworth.stats.intervals import mean_interval
from tuneworth.words.say import say


def answers_differ(arm: Arm) -> bool:
    """Whether the arm's model may answer differently each time."""
    return arm.model is not None and not arm.model.capabilities.deterministic


def with_mean_scores(first: Sequence[Outcome], further: Sequence[Sequence[Outcome]]) -> list[Outcome]:
    """``first`` with the mean scores of all answers to a row. What the first answer was, and what was not scored, stays."""
    by_row = [{one.row_id: one.scores for one in outcomes if one.status == "scored"} for outcomes in further]
    return [
        one.model_copy(update={"scores": mean_scores(one.scores, [scores.get(one.row_id, {}) for scores in by_row])})
        for one in first
    ]


def _again(entry: Entry, number: int) -> Entry:
    """``entry`` with a key of its own for a further pass."""
    return replace(entry, arm=replace(entry.arm, key=digest([entry.arm.key, "asked again", number]), turn=number))


@dataclass(frozen=True)
class AskingAgain:
    """Asks rows again, of one run."""

    runner: Runner
    budget: Budget
    wanted: Repeats

    def ask(
        self, stage: Stage, rows: Sequence[Example], entries: Sequence[Entry], first: Mapping[str, Sequence[Outcome]]
    ) -> dict[str, list[list[Outcome]]]:
        """Arm id → outcomes of each further pass over the first of its rows.

        All arms get their second answers before one gets a third.

        Args:
            rows: in the run's order, which owes nothing to anybody's answers.
            first: arm id → outcomes of the first rows, asked once.
        """
        found = dict[str, list[list[Outcome]]]()
        self._ask_all(stage, rows, entries, first)
        for number in range(1, self.wanted.answers):
            for entry in entries:
                arm_id = entry.arm.arm_id
                asked = first[arm_id][: self.wanted.rows]
                if not asked or not answers_differ(entry.arm) or len(found.get(arm_id, ())) < number - 1:
                    continue
                again = self._pass(entry, number, stage, rows[: len(asked)], asked)
                if again is not None:
                    found.setdefault(arm_id, []).append(again)
        return found

    def _ask_all(
        self, stage: Stage, rows: Sequence[Example], entries: Sequence[Entry], first: Mapping[str, Sequence[Outcome]]
    ) -> None:
        """All passes of arms in batches at once, where the budget reaches for all."""
        asked = {entry.arm.arm_id: first[entry.arm.arm_id][: self.wanted.rows] for entry in entries}
        entries = [entry for entry in entries if entry.arm.is_batched and answers_differ(entry.arm)]
        passes = [(entry, number) for entry in entries for number in range(1, self.wanted.answers)]
        expected = spent_on([one for entry, _ in passes for one in asked[entry.arm.arm_id]])
        calls = self.runner.ledger.room().calls
        if self.budget.reaches(expected) and (calls is None or len(passes) * self.wanted.rows <= calls):
            again = [(_again(entry, number), rows[: len(asked[entry.arm.arm_id])]) for entry, number in passes]
            ask_together(self.runner, stage, again)

    def _pass(
        self, entry: Entry, number: int, stage: Stage, rows: Sequence[Example], before: Sequence[Outcome]
    ) -> list[Outcome] | None:
        """One more answer to each row; ``None`` where the budget does not reach for all."""
        arm, watcher = entry.arm, self.runner.watcher
        again = _again(entry, number)
        expected, ledger = spent_on(list(before)), self.runner.ledger
        calls = ledger.room().calls
        in_calls = calls is None or not arm.is_metered or len(rows) <= calls
        if not self.runner.has(again, stage, rows) and not (in_calls and self.budget.reaches(expected)):
            ledger.reached = ledger.reached or not (in_calls and expected.within(usd=self.budget.usd_left))
            return None
        watcher.start(say("run.asked_again", name=arm.title, number=number + 1))
        measured = self.runner.measure(again, stage, rows)
        watcher.finish()
        self.budget.count(measured.spent(before=True))
        self.budget.charge(measured.spent(before=False))
        return None if measured.stopped else measured.outcomes

    def told(
        self, rows: Sequence[Example], first: Sequence[Outcome], further: Sequence[Sequence[Outcome]]
    ) -> AskedAgain | None:
        """What changed from answer to answer, on the rows of which at least two answers were scored; ``None``: there is no such row."""
        metric = self.runner.metrics[0].id
        passes = [{one.row_id: one for one in outcomes if one.status == "scored"} for outcomes in (first, *further)]
        of_row = {row.id: [answers[row.id] for answers in passes if row.id in answers] for row in rows}
        several = {row_id: answers for row_id, answers in of_row.items() if len(answers) > 1}
        if not several:
            return None
        changed = changes([[one.answer or "" for one in answers] for answers in several.values()])
        scores = changes([[repr(one.scores.get(metric)) for one in answers] for answers in several.values()])
        in_all = [row_id for row_id, answers in several.items() if len(answers) == len(passes)]
        rng = np.random.default_rng([self.runner.seed, zlib.crc32(b"asked again")])
        interval = mean_interval(
            changed, binary=False, rng=rng, groups=[row.group for row in rows if row.id in several]
        )
        return AskedAgain(
            n_answers=len(passes),
            changed=Score(value=float(changed.mean()), interval=interval, n_rows=len(several)),
            score_changed=float(scores.mean()),
            scores=[float(np.mean([answers[row_id].scores[metric] for row_id in in_all])) for answers in passes]
            if in_all
            else [],
        )
