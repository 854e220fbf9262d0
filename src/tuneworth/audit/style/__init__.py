"""Do the outputs sound like one voice, and like another voice than the inputs?

Measured on features that do not depend on the topic (``voice.features``). What consistency means, and what it does
not, stands in ``voice.halves``. Kind ``text`` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuneworth.audit import Checked, Subject, Tick, no_tick
from tuneworth.audit._learned.auc import Auc, auc
from tuneworth.audit._learned.classify import held_out_scores
from tuneworth.audit._learned.folds import group_names, grouped_folds
from tuneworth.audit._learned.needs import why_no_classifier
from tuneworth.audit._mentions import mentions
from tuneworth.audit.style.features import function_word_share, style_vector, tokens
from tuneworth.audit.style.halves import MAX_TOKENS, MIN_TOKENS, Consistency, consistency, halves_of
from tuneworth.core.audit import MAX_ROWS_SHOWN, AuditFact, Finding, Measure
from tuneworth.core.run import Interval
from tuneworth.core.task import Example
from tuneworth.core.text import Text

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
            return Text(en="outputs are not free text", zh="输出不是自由文本")
        n = sum(len(tokens(row.output[:2_000])) >= MIN_TOKENS for row in subject.train)
        if n < MIN_TEXTS:
            return Text(
                en=f"needs {MIN_TEXTS} outputs of at least {MIN_TOKENS} words; there are {n}",
                zh=f"至少需要 {MIN_TEXTS} 条不少于 {MIN_TOKENS} 个词（字）的输出，目前只有 {n} 条",
            )
        if not _is_prose(subject.train):
            return Text(
                en="the outputs have hardly any function words: code, lists or names have no voice",
                zh="输出中几乎没有虚词：代码、列表、名称谈不上文风",
            )
        return why_no_classifier()

    def run(self, subject: Subject, tick: Tick = no_tick) -> Checked:
        found = measure(subject, tick)
        return Checked([_finding(subject, found)], len(found.rows), [_fact(found)])


def measure(subject: Subject, tick: Tick = no_tick) -> Measured:
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
        title=Text(
            en=f"Consistency of the outputs' voice: {value:.2f} ({low:.2f} to {high:.2f}); {verdict.en}",
            zh=f"输出文风的一致度为 {value:.2f}（{low:.2f} 至 {high:.2f}）：{verdict.zh}",
        ),
        measures=_measures(found),
        why=Text(
            en="A style can be imitated only if there is one. The value compares the two halves of each output: where a half "
            "says nothing about the other beyond what all outputs share, the voice is even. It does not say whether "
            "the voice is a special one.",
            zh="有统一的文风，才谈得上模仿。这里比较每条输出的前后两半：如果一半除了共性之外透露不出另一半的风格，"
            "说明文风均匀。它并不说明这种文风是否独特。",
        ),
        seed_rows=["Y3", "A4", "T2", "P4"],
        fix=Text(
            en="Read some outputs of the smaller group below. If they are of another voice than you want, leave them out."
            if mixed
            else "Nothing to do.",
            zh="读几条下面列出的少数派输出；如果不是想要的文风，就剔除它们。" if mixed else "无需处理。",
        ),
        rows=mentions(subject, ((row, None) for row in odd[:MAX_ROWS_SHOWN])) if mixed else [],
        n_rows=len(odd) if mixed else 0,
    )


def _verdict(voice: Consistency) -> Text:
    if voice.interval.high < ONE_VOICE:
        share = min(voice.minority, 1 - voice.minority)
        return Text(
            en=f"they fall into two voices or registers, the smaller with {share:.0%} of them",
            zh=f"可分为两种文风（或语体），较少的一种约占 {share:.0%}",
        )
    if voice.interval.low > ONE_VOICE:
        return Text(en="mostly one voice", zh="基本是同一种文风")
    return Text(en="one voice or two, the rows do not tell", zh="是一种还是两种文风，现有数据难以断定")


def _measures(found: Measured) -> list[Measure]:
    measures = [
        Measure(
            name=Text(en="consistency of voice", zh="文风一致度"),
            value=found.voice.value,
            unit="score",
            interval=found.voice.interval,
        ),
        Measure(
            name=Text(en="outputs long enough to judge", zh="足够长、可判断的输出"), value=len(found.rows), unit="rows"
        ),
    ]
    if found.against_inputs is not None:
        measures.append(
            Measure(
                name=Text(
                    en="style alone tells outputs from inputs (AUC; 0.5 is not at all)",
                    zh="仅凭文风区分输出与输入的 AUC（0.5 表示分不出）",
                ),
                value=found.against_inputs.value,
                unit="score",
                interval=found.against_inputs.interval,
            )
        )
    return measures


def _fact(found: Measured) -> AuditFact:
    interval: Interval = found.voice.interval
    return AuditFact(
        name="style_consistency",
        value=found.voice.value,
        why=Text(
            en=f"one minus the agreement in style of the two halves of {len(found.rows):,} outputs, beyond what all share",
            zh=f"1 减去 {len(found.rows):,} 条输出前后两半在文风上超出共性的一致程度",
        ),
        interval=interval,
    )


PLUGIN = Style()
