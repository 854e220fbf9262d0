"""What the run says about retrieval alone against tuning with it: rows X3, N2, A2, A5, T3, and C6 for updates.

Retrieval alone (N2, A2) is overturned by any tuned finalist that beats the best untrained reader, and confirmed when none
of those measured can gain the margin over it. Tuning with retrieval (A5, T3) is confirmed when a trained reader beats the
best untrained one and no arm that learned by heart beats the trained reader. A score that is shown for old knowledge only
overturns nothing, and neither does a loss of an arm whose training is incomplete (`tuneworth.decide.outlook`).
"""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.core.run import ArmResult, SeedFinding
from tuneworth.core.text import Text
from tuneworth.decide.documents import (
    Diagnosis,
    best_closed_book,
    best_reader,
    diagnosis_of,
    learned_by_heart,
    only_old,
    update_of,
)
from tuneworth.decide.documents_words import part
from tuneworth.decide.enough import Finding
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.forecast_words import unfinished
from tuneworth.decide.outlook import incomplete
from tuneworth.decide.phrases import say
from tuneworth.words.names import listed
from tuneworth.words.numbers import duration, percent, signed_interval, signed_points

APART = 2.0
"""One timing says little: updates count as cheaper from half the time."""


@dataclass(frozen=True)
class _Contest:
    """A tuned finalist against the best untrained reader.

    Attributes:
        gained: whether tuning gained; ``None``: open.
    """

    gained: bool | None
    numbers: Text


def document_findings(evidence: Evidence) -> list[SeedFinding]:
    """Findings in the order N2, A2, A5, T3, X3, C6; none for a task without documents."""
    if evidence.documents is None:
        return []
    plain, trained, closed = (
        best_reader(evidence, tuned=False),
        best_reader(evidence, tuned=True),
        best_closed_book(evidence),
    )
    found = list[SeedFinding]()
    if plain is not None:
        with_it, by_heart = _contest(evidence, trained, plain), _contest(evidence, closed, plain)
        found += [*_alone(with_it, by_heart), *_together(evidence, with_it, trained, closed)]
        found.append(_x3(with_it, diagnosis_of(evidence, plain)))
    return [*found, *_update_cost(evidence)]


def _contest(evidence: Evidence, tuned: ArmResult | None, plain: ArmResult) -> _Contest | None:
    if tuned is None:
        return None
    pair = evidence.between(tuned, plain)
    ahead = evidence.shows_gain(tuned, plain)
    part_only = not ahead and incomplete(evidence, tuned)
    gained = None
    if ahead:
        gained = True if not only_old(evidence, tuned) else None
    elif evidence.rules_out_gain(tuned, plain) and not part_only:
        gained = False
    numbers = say(
        "{tuned} {a}, {plain} {b}, difference {difference} ({interval})",
        "{tuned} {a}，{plain} {b}，差异 {difference}（{interval}）",
        tuned=evidence.name(tuned),
        plain=evidence.name(plain),
        a=percent(evidence.value(tuned)),
        b=percent(evidence.value(plain)),
        difference=signed_points(pair.difference),
        interval=signed_interval(pair.interval),
    )
    return _Contest(gained, listed([numbers, unfinished(evidence, tuned)]) if part_only else numbers)


def _alone(with_it: _Contest | None, by_heart: _Contest | None) -> list[SeedFinding]:
    """N2 and A2: retrieval without tuning."""
    contests = [contest for contest in (with_it, by_heart) if contest is not None]
    if not contests:
        return []
    finding: Finding = "open"
    if any(contest.gained for contest in contests):
        finding = "overturned"
    elif all(contest.gained is False for contest in contests):
        finding = "confirmed"
    why = say(
        "Retrieval alone against tuning: {numbers}.{missing}",
        "只用检索与微调相比：{numbers}。{missing}",
        numbers=Text(en="; ".join(c.numbers.en for c in contests), zh="；".join(c.numbers.zh for c in contests)),
        missing=_not_measured(with_it, by_heart),
    )
    return [SeedFinding(row=row, finding=finding, why=why) for row in ("N2", "A2")]


def _not_measured(with_it: _Contest | None, by_heart: _Contest | None) -> Text:
    if with_it is None:
        return Text(en=" Tuning with retrieval was not measured.", zh="没有测到微调加检索。")
    if by_heart is None:
        return Text(en=" Tuning without retrieval was not measured.", zh="没有测到不带检索的微调。")
    return Text(en="", zh="")


def _together(
    evidence: Evidence, with_it: _Contest | None, trained: ArmResult | None, closed: ArmResult | None
) -> list[SeedFinding]:
    """A5 and T3: tuning with retrieval."""
    if with_it is None or trained is None:
        return []
    beaten = closed is not None and evidence.shows_gain(closed, trained)
    counts = closed is not None and not only_old(evidence, closed) and not incomplete(evidence, trained)
    finding: Finding = "open"
    if with_it.gained is False or (beaten and counts):
        finding = "overturned"
    elif with_it.gained and not beaten:
        finding = "confirmed"
    why = say(
        "Tuning with retrieval against retrieval alone: {numbers}.{beaten}",
        "微调加检索与只用检索相比：{numbers}。{beaten}",
        numbers=with_it.numbers,
        beaten=say(
            " {closed}, without retrieval, is ahead of it.",
            "不带检索的{closed}比它更好。",
            closed=evidence.name(closed),
        )
        if beaten and closed is not None
        else Text(en="", zh=""),
    )
    return [SeedFinding(row=row, finding=finding, why=why) for row in ("A5", "T3")]


def _x3(with_it: _Contest | None, diagnosis: Diagnosis | None) -> SeedFinding:
    """Settled when training the reader was measured to gain or not, or when there is nothing in reading to win."""
    numbers = say("{n}.", "{n}。", n=with_it.numbers) if with_it is not None else _NOT_TRAINED
    parts = {"loss": _loss(diagnosis), "numbers": numbers}
    if with_it is not None and with_it.gained is not None:
        side = {
            True: Text(
                en="Here training the reader earns its place beside retrieval.", zh="在这里，微调阅读模型加检索更好。"
            ),
            False: Text(en="Here retrieval alone is enough.", zh="在这里，只用检索就够了。"),
        }[with_it.gained]
        why = say("{loss}{numbers} {side}", "{loss}{numbers}{side}", side=side, **parts)
        return SeedFinding(row="X3", finding="confirmed", why=why)
    if with_it is None and diagnosis is not None and diagnosis.reader_is_fine:
        why = say(
            "{loss}Less than the margin is lost in reading, so training the reader has nothing to win there.",
            "{loss}阅读丢的分不到设定的界限，微调阅读模型没有可挽回的空间。",
            **parts,
        )
        return SeedFinding(row="X3", finding="confirmed", why=why)
    return SeedFinding(row="X3", finding="open", why=say("{loss}{numbers}", "{loss}{numbers}", **parts))


_NOT_TRAINED = Text(en="A trained reader was not measured.", zh="没有测到训练过的阅读模型。")


def _loss(diagnosis: Diagnosis | None) -> Text:
    if diagnosis is None:
        return Text(en="", zh="")
    if diagnosis.cause == "never_found":
        return Text(en="The right passage was never found. ", zh="正确段落一次也没有找到。")
    split = diagnosis.split
    sure: dict[str, Text] = {
        "unclear": Text(en="; which is larger is not settled", zh="，哪个更大还没有定论"),
        "both": Text(en="; both matter", zh="，两边都不可忽视"),
    }
    return say(
        "The untrained reader loses {reading} in reading and {retrieval} in retrieval{sure}. ",
        "没有训练过的阅读模型，阅读丢 {reading}，检索丢 {retrieval}{sure}。",
        reading=part(split.reading),
        retrieval=part(split.retrieval),
        sure=sure.get(diagnosis.cause, Text(en="", zh="")),
    )


def _update_cost(evidence: Evidence) -> list[SeedFinding]:
    """C6: what is not trained follows a change at once, what is trained must be trained again."""
    reader = best_reader(evidence)
    heart = next((arm for arm in evidence.finalists if learned_by_heart(evidence, arm)), None)
    timed = [_seconds(evidence, arm) for arm in (reader, heart)]
    indexing, training = timed
    if reader is None or heart is None or indexing is None:
        return []
    if training is None:
        return [_unpriced(evidence, reader, heart, indexing)]
    finding: Finding = "open"
    if training >= APART * indexing:
        finding = "confirmed"
    elif indexing >= APART * training:
        finding = "overturned"
    why = say(
        "New documents are indexed for {reader} in {indexing}; {heart} is trained again in {training} (one timing each).",
        "文档更新后，{reader}更新索引用了 {indexing}，{heart}重新训练要用 {training}（各计时一次）。",
        reader=evidence.name(reader),
        heart=evidence.name(heart),
        indexing=duration(indexing),
        training=duration(training),
    )
    return [SeedFinding(row="C6", finding=finding, why=why)]


def _unpriced(evidence: Evidence, reader: ArmResult, heart: ArmResult, indexing: float) -> SeedFinding:
    """What a whole training takes was not timed: there was none, or only a part of one."""
    why = say(
        "New documents are indexed for {reader} in {indexing}; how long training {heart} again takes is not known.",
        "文档更新后，{reader}更新索引用了 {indexing}，{heart}重新训练要用多久还不清楚。",
        reader=evidence.name(reader),
        heart=evidence.name(heart),
        indexing=duration(indexing),
    )
    return SeedFinding(row="C6", finding="open", why=why)


def _seconds(evidence: Evidence, arm: ArmResult | None) -> float | None:
    cost = update_of(evidence, arm) if arm is not None else None
    return cost.seconds if cost is not None else None
