"""Everything a run has to say about its documents, on one screen."""

from __future__ import annotations

from tuneworth.core.knowledge import DocumentsResult
from tuneworth.findings.documents.ages import age_of, ages
from tuneworth.findings.documents.examples import examples
from tuneworth.findings.documents.grounding import groundings
from tuneworth.findings.documents.injection import injections
from tuneworth.findings.documents.losses import losses
from tuneworth.findings.documents.recalls import recalls
from tuneworth.findings.documents.referee import referee_for
from tuneworth.findings.documents.seen import Seen
from tuneworth.findings.documents.updates import updates


def findings(seen: Seen) -> DocumentsResult:
    """What ``seen`` shows about documents. The same ``seen`` gives the same result, but for what time cuts short.

    Orders are planted first: the race has kept time for them. Called when the finalists have met the test rows: ways of searching are compared on those as well.

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
