"""What a finished race says about its documents: from the index before the race to the findings after the finals."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tuneworth.core.knowledge import DocumentsResult, IndexFacts
from tuneworth.errors import InputError, MoneySpent, Problem
from tuneworth.findings.documents.ages import age_of, ages, updates
from tuneworth.findings.documents.grounding import groundings
from tuneworth.findings.documents.injection import injections
from tuneworth.findings.documents.losses import examples, losses
from tuneworth.findings.documents.recalls import recalls
from tuneworth.findings.documents.seen import Seen, referee_for
from tuneworth.race.budget import Budget
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.library import make_index
from tuneworth.race.prepare import Ready
from tuneworth.race.stages import Raced, Tested
from tuneworth.race.store import Store
from tuneworth.race.watch import Watcher
from tuneworth.retrieval.library import Library
from tuneworth.words.say import say


@dataclass(frozen=True)
class Session:
    """The documents of one run, indexed.

    Attributes:
        index: what making the index took when it was made first.
    """

    ready: Ready
    library: Library
    index: IndexFacts
    watcher: Watcher

    def findings(self, raced: Raced, tested: Tested, budget: Budget) -> DocumentsResult:
        """What the run found out about its documents. What can be left out is, when the budget is spent."""
        ready, task_file = self.ready, self.ready.task_file
        assert ready.shelf is not None
        self.watcher.start(say("findings.what_documents_gave"))
        readers = [arm_id for arm_id in tested.outcomes if raced.results[arm_id].reads_documents]
        found = findings(
            Seen(
                task=ready.task,
                split=ready.split,
                library=self.library,
                index=self.index,
                metric=ready.metrics[0],
                results=raced.results,
                dev={arm_id: {one.row_id: one for one in entry.dev} for arm_id, entry in raced.entries.items()},
                test=tested.outcomes,
                solvers={arm_id: raced.entries[arm_id].solver for arm_id in readers},
                problems=ready.shelf.problems(),
                machine_usd_per_hour=task_file.machine_usd_per_hour,
                knowledge_every_days=task_file.updates.knowledge_every_days,
                encoder=self.library.encoder,
                seed=task_file.seed,
                deadline=None if budget.left is None else time.monotonic() + budget.left,
                progress=self.watcher.progress,
            )
        )
        self.watcher.finish()
        return found


def open_session(ready: Ready, folder: Path, encoder: SharedEncoder, store: Store, watcher: Watcher) -> Session | None:
    """The documents of a run, indexed in its ``folder``; ``None`` for a task without."""
    if ready.shelf is None or ready.task.documents is None:
        return None
    split = ready.split
    library = ready.shelf.library(folder, encoder, watcher)
    library.know(ready.task.kind, split.train, [*split.dev, *split.test])
    if library.reranker is not None:
        library.opened_reranker()  # before anything is spent: a name that is wrong would end the run later
    told = age_of(split.train, [*split.dev, *split.test], library)
    is_new = told.is_new if told is not None else None
    try:
        index = make_index(library, ready.task.documents.digest, store, watcher, is_new)
    except MoneySpent as spent:
        raise InputError(Problem("--budget", say("run.documents.no_money"))) from spent
    return Session(ready, library, index, watcher)


def findings(seen: Seen) -> DocumentsResult:
    """What ``seen`` shows about documents. The same ``seen`` gives the same result, but for what time cuts short.

    Orders are planted first: the race has kept time for them. Called when the finalists have met the test rows: ways of
    searching are compared on those as well.

    Raises:
        TuneworthError: the index can no longer be read.
    """
    split = seen.split
    referee = referee_for(seen.library, [*split.dev, *split.test])
    told = age_of(split.train, [*split.dev, *split.test], seen.library)
    if told is not None and not told.any_new:
        told = None
    injection = injections(seen)
    return DocumentsResult(
        index=seen.index,
        problems=list(seen.problems),
        recalls=recalls(seen, referee),
        losses=losses(seen, referee),
        ages_by=told.words if told is not None else None,
        ages=ages(seen, told) if told is not None else [],
        updates=updates(seen),
        knowledge_every_days=seen.knowledge_every_days,
        grounding=groundings(seen),
        injection=injection,
        examples=examples(seen, referee),
    )
