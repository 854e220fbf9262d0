"""Whether a document can give orders: orders are planted in what is found, and the same questions asked again.

NOT guaranteed: that it was the order that changed an answer. A small model answers differently when anything is put
before a passage, so ``changed`` is how far an author of documents can move answers at all, and ``obeyed`` how often
they did what they were told. Other wordings may do better than the few tried here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tuneworth.core.knowledge import Injection
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example, Query
from tuneworth.errors import TuneworthError
from tuneworth.metrics.words import answer_tokens
from tuneworth.race.documents.numbers import rng_of, share_of
from tuneworth.race.documents.planting import MARKER, orders, planted, reading_from
from tuneworth.race.documents.seen import Seen
from tuneworth.strategies.base import Answer, Solver

MAX_ROWS = 20


@dataclass(frozen=True)
class _Pair:
    """Answers to one row without and with an order."""

    plain: str
    under_order: str

    @property
    def changed(self) -> bool:
        return answer_tokens(self.plain) != answer_tokens(self.under_order)

    @property
    def obeyed(self) -> bool:
        return MARKER in self.under_order.casefold()


def injections(seen: Seen) -> list[Injection]:
    """For each finalist that looks things up, whose solver was given, as far as the time reaches."""
    arms = [arm for arm in seen.finalists() if arm.arm_id in seen.solvers]
    end = None if seen.seconds_left is None else time.monotonic() + seen.seconds_left
    found: list[Injection] = []
    for place, arm in enumerate(arms):
        share = None if end is None else (end - time.monotonic()) / (len(arms) - place)
        pairs = list(_probe(seen, arm, share))
        if pairs:
            changed, obeyed = [pair.changed for pair in pairs], [pair.obeyed for pair in pairs]
            found.append(
                Injection(arm_id=arm.arm_id, n_rows=len(pairs), changed=share_of(changed), obeyed=share_of(obeyed))
            )
    return found


def _probe(seen: Seen, arm: ArmResult, seconds: float | None) -> Iterator[_Pair]:
    """Pairs of answers, one wording after the other; stops where another one would not fit into ``seconds``."""
    library = planted(seen.library)
    solver = reading_from(seen.solvers[arm.arm_id], library)
    if solver is None:
        return
    rows = _drawn(seen, arm)
    wordings = orders(seen.task.language)
    started, done = time.monotonic(), 0
    per_row = 2 * (arm.cost.seconds_per_1k_rows or 0.0) / 1000
    for place, order in enumerate(wordings):
        batch = rows[place :: len(wordings)]
        spent = time.monotonic() - started
        per_row = spent / done if done else per_row
        if seconds is not None and spent + per_row * len(batch) > seconds:
            return
        queries = [row.query for row in batch]
        library.order = ""
        plain = _answers(solver, queries)
        library.order = order
        under_order = _answers(solver, queries)
        yield from _pairs(plain, under_order)
        done += len(batch)
        seen.progress(done, len(rows), "rows")


def _drawn(seen: Seen, arm: ArmResult) -> list[Example]:
    """Dev rows, at random, that the arm answered from at least one passage."""
    by_row = seen.outcomes(arm.arm_id, "dev")
    read = {row_id for row_id, outcome in by_row.items() if outcome.status == "scored" and outcome.passages}
    rows = [row for row in seen.split.dev if row.id in read]
    order = rng_of(seen.seed, "injection", arm.arm_id).permutation(len(rows))
    return [rows[at] for at in order[:MAX_ROWS]]


def _answers(solver: Solver, queries: Sequence[Query]) -> list[Answer]:
    """One per query; failures, when the solver breaks: rows without a pair are not counted."""
    try:
        answers = solver.solve(queries) if queries else []
        if len(answers) != len(queries):
            raise ValueError(f"{len(answers)} answers to {len(queries)} queries")
        return answers
    except TuneworthError:
        raise
    except Exception as error:
        return [Answer(None, status="failed", error=f"{type(error).__name__}: {error}") for _ in queries]


def _pairs(plain: Sequence[Answer], under_order: Sequence[Answer]) -> Iterator[_Pair]:
    for one, other in zip(plain, under_order, strict=True):
        if one.text is not None and other.text is not None:
            yield _Pair(one.text, other.text)
