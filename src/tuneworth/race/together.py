"""Arms in batches asked side by side: their calls become one job of the service, where each would else wait its own hours."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

from tuneworth.core.outcome import Stage
from tuneworth.core.task import Example
from tuneworth.race.keys import row_key
from tuneworth.race.runner import Entry, Runner

TICK_S = 0.25


def ask_together(runner: Runner, stage: Stage, asked: Sequence[tuple[Entry, Sequence[Example]]]) -> None:
    """Put into the store what is asked for next anyway, a thread an arm.

    What stops an arm (money, a service) is found again by whoever asks it. Arms that read documents are left out: what they look
    these up with is not made for threads.
    """
    work = list[tuple[Entry, dict[str, Example]]]()
    for entry, rows in asked:
        known = runner.store.outcomes(entry.arm.key, stage)
        missing = {key: row for row in rows if (key := row_key(row)) not in known}
        if missing and entry.arm.is_batched and not entry.arm.strategy.reads_documents:
            work.append((entry, missing))
    if len(work) < 2:
        return

    def answer(entry: Entry, rows: dict[str, Example]) -> None:
        with suppress(Exception):
            runner.asked_ahead.update((entry.arm.key, stage, key) for key in runner.answers(entry, stage, rows))

    threads = [threading.Thread(target=answer, args=each, daemon=True) for each in work]
    with runner.ledger.waiting_together() as tick:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(TICK_S)
                tick()
