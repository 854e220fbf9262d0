"""What the run says about the rules of thumb that the product started from (ids N1 … X6).

Only rules that this run's numbers speak to are mentioned. A rule is ``confirmed`` when what it predicts
was measured, ``overturned`` when the opposite was, ``open`` when the rows do not settle it. For the
contradictions between rules (X…), ``confirmed`` means that measuring settled the clash here; the
sentence says which side was right. One run speaks for one task and one model, not for all.

The arms are those of the verdict. What may not be used wins nothing, whatever it scores: an arm that breaks a limit, or whose
score is shown for old knowledge only. A loss of an arm whose training is incomplete leaves every rule open.

**How many rows are enough** (X4) a learning curve settles for one task and one pair of arms, when it can: by a number of
rows with its interval; by a gain that was measured, so that the rows at hand are enough; or by saying that no number within
reach is. A weak forecast leaves it open, and says what it saw.

**Documents.** Retrieval alone (N2, A2) is overturned by any tuned finalist that beats the best untrained reader, and
confirmed when none of those measured can gain the margin over it. Tuning with retrieval (A5, T3) is confirmed when a trained
reader beats the best untrained one and no arm that learned by heart beats the trained reader.
"""

from __future__ import annotations

from dataclasses import replace

from tuneworth.core.run import ArmResult, RuleState
from tuneworth.decide.duels import Duel, RuleFinding, Winner, among_usable, duel_of
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.knowledge import lasting_first, learned_by_heart, only_old, update_of
from tuneworth.decide.losses import Diagnosis, diagnosis_of
from tuneworth.decide.outlook import incomplete
from tuneworth.decide.reason import Reason, ReasonPart
from tuneworth.decide.ruling import Ruling
from tuneworth.decide.seed_costs import GENERATING, cost_rules, training_cost

FEW_ROWS = 100
"""N4 names 50 rows; up to twice as many are still "little data"."""
SOME_ROWS = 300
"""T4 names 200 rows."""
THOUSANDS = 1_000
MANY_ROWS = 5_000
MUCH_ROWS = 10_000
"""Y2 speaks of a wealth of data and names 100,000 pairs."""
APART = 2.0
"""One timing says little: updates count as cheaper from half the time."""


def seed_findings(evidence: Evidence, ruling: Ruling) -> list[RuleFinding]:
    """Findings in the order of the rules: format, data, latency, privacy, cost, and documents.

    A training that time cut, or that the race kept from the rows at hand, speaks to no rule. A lead on old knowledge,
    which may not last, speaks to none of those about tuning in general.
    """
    if ruling.case in ("training_cut", "not_grown"):
        return []
    about_tuning = [] if ruling.case == "old_only" else _about_tuning(evidence, ruling)
    return [*about_tuning, *_about_documents(evidence)]


def _about_tuning(evidence: Evidence, ruling: Ruling) -> list[RuleFinding]:
    tuned = ruling.tuned
    if tuned is None:
        return []
    ordered = {arm.arm_id: arm for arm in [*lasting_first(evidence), *evidence.finalists]}
    duels = [among_usable(evidence, duel_of(evidence, tuned, arm)) for arm in ordered.values() if not arm.tuned]
    rest = training_cost(evidence, ruling, tuned)
    if not duels:
        return rest
    return [
        *_format(evidence, duels),
        *_data(duels[0], tuned.n_train or evidence.n_train),
        _enough(evidence, ruling, duels[0]),
        *cost_rules(evidence, duels),
        *_private(evidence, duels[0]),
        *rest,
    ]


def _format(evidence: Evidence, duels: list[Duel]) -> list[RuleFinding]:
    """Structured output: is a prompt enough, once the format is guaranteed?"""
    asked = next((duel for duel in duels if duel.untuned.strategy in GENERATING), None)
    if evidence.task.kind != "json" or asked is None:
        return []
    held = asked.untuned.config.get("constrained") is True
    why = Reason("seed.format.held" if held else "seed.format.mixed", numbers=asked.numbers)
    # These rows promise that examples in the prompt are enough: a loss of the bare prompt does not refute them.
    promised = "open" if evidence.unmeasured and asked.winner == "tuned" else asked.finding("untuned")
    against = [RuleFinding(row, promised, why) for row in ("N3", "A3", "T1")]
    support = [RuleFinding(row, asked.finding("tuned"), why) for row in ("Y1", "P2")]
    clash = RuleFinding("X1", "open", why)
    if held and asked.winner != "open":
        clash = RuleFinding("X1", "confirmed", Reason(f"seed.format.settled.{asked.winner}", why=why))
    return [*against, *support, clash]


def _data(duel: Duel, n_train: int) -> list[RuleFinding]:
    """Rules that name an amount of data, held against the amount there was."""
    why = Reason("seed.data", n=n_train, numbers=duel.numbers)
    rules: list[tuple[str, bool, Winner]] = [
        ("N4", n_train <= FEW_ROWS, "untuned"),
        ("T4", n_train <= SOME_ROWS, "untuned"),
        # C1 says what tuning needs, not that it suffices: with thousands of rows only a gain speaks to it.
        ("C1", n_train < THOUSANDS or duel.winner == "tuned", "untuned" if n_train < THOUSANDS else "tuned"),
        ("Q1", True, "untuned" if n_train < MANY_ROWS else "tuned"),
        ("Y2", n_train >= MUCH_ROWS, "tuned"),
    ]
    return [RuleFinding(row, duel.finding(predicts), why) for row, applies, predicts in rules if applies]


def _enough(evidence: Evidence, ruling: Ruling, duel: Duel) -> RuleFinding:
    """X4: how many rows are enough? The rules of thumb name anything from 50 to 100,000."""
    outlook, margin = ruling.outlook, evidence.task.margin
    n_used = outlook.n_used if outlook is not None else evidence.n_train
    seen = Reason("seed.data", n=n_used, numbers=duel.numbers)
    met = outlook.crossing if outlook is not None else None
    if outlook is None or met is None:
        target = _other_target(evidence, ruling)
        one_point = Reason("seed.enough.one_point", seen=seen)
        why = Reason("seed.enough.another_curve", seen=seen, target=target) if target is not None else one_point
        return RuleFinding("X4", "open", why)
    if duel.winner == "tuned":  # the gain was measured; where it began, the curve may tell
        begins = met.n if met.n is not None and met.n <= n_used else None
        at_hand = Reason("seed.enough.at_hand", seen=seen)
        why = Reason("seed.enough.from", seen=seen, margin=margin, rows=begins) if begins is not None else at_hand
        return RuleFinding("X4", "confirmed", why)
    if outlook.sure:
        low = met.low if met.low is not None else met.n
        why = Reason(
            "seed.enough.so_many", seen=seen, rows=met.n, level=met.level, low=low, high=met.high, margin=margin
        )
        return RuleFinding("X4", "confirmed", why)
    if outlook.never and duel.winner == "untuned":
        why = Reason("seed.enough.no_number", seen=seen, reach=outlook.reach, margin=margin)
        return RuleFinding("X4", "confirmed", why)
    return RuleFinding("X4", "open", Reason("seed.enough.too_weak", seen=seen))


def _other_target(evidence: Evidence, ruling: Ruling) -> ArmResult | None:
    """What the tuned arm's learning curve was measured against, where that is not the untuned arm of the verdict."""
    tuned, untuned = ruling.tuned, ruling.untuned
    if tuned is None or untuned is None:
        return None
    drawn = [curve.target for curve in evidence.forecasts if (curve.arm_id, curve.axis) == (tuned.arm_id, "rows")]
    others = {arm.arm_id: arm for arm in evidence.arms if arm.arm_id != untuned.arm_id}
    return next((others[target] for target in drawn if target in others), None)


def _private(evidence: Evidence, duel: Duel) -> list[RuleFinding]:
    """Privacy as a reason to tune: does a local model need it to be good enough?"""
    allowed = not evidence.breaches[duel.tuned.arm_id] and not evidence.breaches[duel.untuned.arm_id]
    if not evidence.task.limits.private or not allowed:
        return []
    why = Reason("seed.private", numbers=duel.numbers)
    return [RuleFinding(row, duel.finding("tuned"), why) for row in ("Y5", "A6")]


# -- documents ---------------------------------------------------------------------------------------------


def _about_documents(evidence: Evidence) -> list[RuleFinding]:
    """Findings in the order N2, A2, A5, T3, X3, C6; none for a task without documents."""
    if evidence.documents is None:
        return []
    plain, trained = evidence.best_reader(tuned=False), evidence.best_reader(tuned=True)
    closed, found = evidence.best_closed_book(), list[RuleFinding]()
    if plain is not None:
        with_it, by_heart = _contest(evidence, trained, plain), _contest(evidence, closed, plain)
        found += [*_alone(with_it, by_heart), *_together(evidence, with_it, closed)]
        found.append(_x3(with_it, diagnosis_of(evidence, plain)))
    return [*found, *_update_cost(evidence)]


def _contest(evidence: Evidence, tuned: ArmResult | None, plain: ArmResult) -> Duel | None:
    """A tuned finalist against the best untrained reader; a score that is for old knowledge only wins nothing."""
    if tuned is None:
        return None
    duel = duel_of(evidence, tuned, plain)
    return replace(duel, winner="open") if duel.winner == "tuned" and only_old(evidence, tuned) else duel


def _alone(with_it: Duel | None, by_heart: Duel | None) -> list[RuleFinding]:
    """N2 and A2: retrieval without tuning."""
    contests = [contest for contest in (with_it, by_heart) if contest is not None]
    if not contests:
        return []
    finding: RuleState = "open"
    if any(contest.winner == "tuned" for contest in contests):
        finding = "overturned"
    elif all(contest.winner == "untuned" for contest in contests):
        finding = "confirmed"
    missing = None
    if with_it is None or by_heart is None:
        missing = Reason("seed.alone.no_reader" if with_it is None else "seed.alone.no_closed_book")
    numbers = [number for contest in contests for number in contest.numbers]
    why = Reason("seed.alone.why", numbers=numbers, missing=missing)
    return [RuleFinding(row, finding, why) for row in ("N2", "A2")]


def _together(evidence: Evidence, with_it: Duel | None, closed: ArmResult | None) -> list[RuleFinding]:
    """A5 and T3: tuning with retrieval."""
    if with_it is None:
        return []
    trained = with_it.tuned
    beaten = closed is not None and evidence.shows_gain(closed, trained)
    counts = closed is not None and not only_old(evidence, closed) and not incomplete(evidence, trained)
    finding: RuleState = "open"
    if with_it.winner == "untuned" or (beaten and counts):
        finding = "overturned"
    elif with_it.winner == "tuned" and not beaten:
        finding = "confirmed"
    ahead = Reason("seed.together.beaten", closed=closed) if beaten else None
    why = Reason("seed.together.why", numbers=with_it.numbers, beaten=ahead)
    return [RuleFinding(row, finding, why) for row in ("A5", "T3")]


def _x3(with_it: Duel | None, diagnosis: Diagnosis | None) -> RuleFinding:
    """Settled when training the reader was measured to gain or not, or when there is nothing in reading to win."""
    loss = Reason("seed.loss.never_found") if diagnosis is not None else None
    if diagnosis is not None and diagnosis.cause != "never_found":
        split, cause = diagnosis.split, diagnosis.cause
        sure = Reason(f"seed.loss.{cause}") if cause in ("unclear", "both") else None
        loss = Reason("seed.loss.split", reading=split.reading, retrieval=split.retrieval, sure=sure)
    if with_it is not None:
        why = Reason(f"seed.reader.{with_it.winner}", loss=loss, numbers=with_it.numbers)
        return RuleFinding("X3", "open" if with_it.winner == "open" else "confirmed", why)
    if diagnosis is not None and diagnosis.reader_is_fine:
        return RuleFinding("X3", "confirmed", Reason("seed.reader.nothing_to_win", loss=loss))
    return RuleFinding("X3", "open", Reason("seed.reader.not_trained", loss=loss))


def _update_cost(evidence: Evidence) -> list[RuleFinding]:
    """C6: what is not trained follows a change at once, what is trained must be trained again."""
    reader = evidence.best_reader()
    heart = next((arm for arm in evidence.finalists if learned_by_heart(evidence, arm)), None)
    index, again = update_of(evidence, reader), update_of(evidence, heart)
    if reader is None or heart is None or index is None or index.seconds is None:
        return []
    indexing, training = index.seconds, again.seconds if again is not None else None
    parts: dict[str, ReasonPart] = {"reader": reader, "heart": heart, "indexing": indexing}
    if training is None:  # there was none, or only a part of one
        return [RuleFinding("C6", "open", Reason("seed.update.not_timed", **parts))]
    finding: RuleState = "open"
    if training >= APART * indexing:
        finding = "confirmed"
    elif indexing >= APART * training:
        finding = "overturned"
    return [RuleFinding("C6", finding, Reason("seed.update.timed", training=training, **parts))]
