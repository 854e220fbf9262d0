"""Do the outputs sound like one voice, and like another voice than the inputs?

Measured on features that do not depend on the topic (``style.voice``, where it also stands what
consistency means and what it does not). Kind ``text`` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuneworth.audit import Checked, Subject, Tick, no_tick
from tuneworth.audit._findings import measure, mentions
from tuneworth.audit._learned import Auc, auc, group_names, grouped_folds, held_out_scores, why_no_classifier
from tuneworth.audit.style.voice import (
    MAX_TOKENS,
    MIN_TOKENS,
    Consistency,
    consistency,
    function_word_share,
    halves_of,
    style_vector,
    tokens,
)
from tuneworth.core.audit import MAX_ROWS_SHOWN, AuditFact, Finding, Measure
from tuneworth.core.record import Interval
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.words.say import say

MIN_TEXTS = 100
MAX_TEXTS = 4_000
ONE_VOICE, TWO_VOICES = 0.55, 0.45
"""Twelve sets of one genre came out at 0.4 to 0.9, those by one team at 0.6 and more; mixtures of two at 0.3 to 0.5."""
_PROSE = 0.12
_N_FOLDS = 5


@dataclass(frozen=True)
class Measured:
    """The voice of the outputs.

    Attributes:
        rows: the texts judged.
        against_inputs: how well style alone tells outputs from inputs; ``None`` where inputs are no prose.
    """

    rows: tuple[Example, ...]
    voice: Consistency
    against_inputs: Auc | None


class Style:
    title = Text(en="One voice", zh="文风是否统一")

    def skip(self, subject: Subject) -> Text | None:
        if subject.task.kind != "text":
            return say("audit.style.skip.kind")
        n = sum(len(tokens(row.output[:2_000])) >= MIN_TOKENS for row in subject.train)
        if n < MIN_TEXTS:
            return say("audit.style.skip.few", min_texts=MIN_TEXTS, min_tokens=MIN_TOKENS, n=str(n))
        if not _is_prose(subject.train):
            return say("audit.style.skip.no_prose")
        return why_no_classifier()

    def run(self, subject: Subject, tick: Tick = no_tick) -> Checked:
        found = judge(subject, tick)
        return Checked([_finding(subject, found)], len(found.rows), [_fact(found)])


def judge(subject: Subject, tick: Tick = no_tick) -> Measured:
    """The voice of the outputs that are long enough, of at most ``MAX_TEXTS`` of them."""
    rng = subject.rng("style")
    candidates = [row for row in subject.train if len(tokens(row.output[:2_000])) >= MIN_TOKENS]
    rows = [candidates[at] for at in np.sort(rng.permutation(len(candidates))[:MAX_TEXTS])]
    voice = consistency(halves_of([row.output for row in rows]), rng)
    tick(1, 2)
    against = _against_inputs(rows, rng)
    tick(2, 2)
    return Measured(tuple(rows), voice, against)


def _is_prose(rows: Sequence[Example]) -> bool:
    """Whether half of the outputs have the function words that sentences have."""
    step = max(1, len(rows) // MAX_TEXTS)
    shares = [function_word_share(tokens(row.output[:2_000])) for row in rows[::step]]
    return float(np.median(shares)) >= _PROSE


def _against_inputs(rows: Sequence[Example], rng: np.random.Generator) -> Auc | None:
    """How well style alone tells an output from an input, on held-out rows."""
    both = [row for row in rows if len(tokens(row.query.text[:2_000])) >= MIN_TOKENS]
    if len(both) < MIN_TEXTS:
        return None
    texts = [row.output for row in both] + [row.query.text for row in both]
    x = np.array([style_vector(tokens(text[:2_000])[:MAX_TOKENS]) for text in texts])
    labels = np.repeat(np.array([1, 0], dtype=np.intp), len(both))
    folds = grouped_folds(group_names(both), np.zeros(len(both), dtype=np.intp), _N_FOLDS, rng)
    scores = held_out_scores(x, labels, 2, np.tile(folds, 2), rng=rng)
    margin = scores[:, 1] - scores[:, 0]
    return auc(margin[: len(both)], margin[len(both) :])


def _finding(subject: Subject, found: Measured) -> Finding:
    voice = found.voice
    low, high, value = voice.interval.low, voice.interval.high, voice.value
    odd = [row for row, group in zip(found.rows, voice.group) if group]
    mixed = high < ONE_VOICE
    verdict = _verdict(voice)
    return Finding(
        id="style",
        severity="warning" if high < TWO_VOICES else "note",
        title=say(
            "audit.style.found.title", value=f"{value:.2f}", low=f"{low:.2f}", high=f"{high:.2f}", verdict=verdict
        ),
        measures=_measures(found),
        why=say("audit.style.found.why"),
        seed_rows=["Y3", "A4", "T2", "P4"],
        fix=say("audit.style.found.fix" if mixed else "audit.nothing_to_do"),
        rows=mentions(subject, ((row, None) for row in odd[:MAX_ROWS_SHOWN])) if mixed else [],
        n_rows=len(odd) if mixed else 0,
    )


def _verdict(voice: Consistency) -> Text:
    if voice.interval.high < ONE_VOICE:
        share = min(voice.minority, 1 - voice.minority)
        return say("audit.style.verdict.two", share=f"{share:.0%}")
    if voice.interval.low > ONE_VOICE:
        return say("audit.style.verdict.one")
    return say("audit.style.verdict.unsure")


def _measures(found: Measured) -> list[Measure]:
    measures = [
        measure("consistency of voice", "文风一致度", found.voice.value, "score", found.voice.interval),
        measure("outputs long enough to judge", "足够长、可判断的输出", len(found.rows), "rows"),
    ]
    if found.against_inputs is not None:
        measures.append(
            measure(
                "style alone tells outputs from inputs (AUC; 0.5 is not at all)",
                "仅凭文风区分输出与输入的 AUC（0.5 表示分不出）",
                found.against_inputs.value,
                "score",
                found.against_inputs.interval,
            )
        )
    return measures


def _fact(found: Measured) -> AuditFact:
    interval: Interval = found.voice.interval
    return AuditFact(
        name="style_consistency",
        value=found.voice.value,
        why=say("audit.style.fact", n=len(found.rows)),
        interval=interval,
    )


PLUGIN = Style()
