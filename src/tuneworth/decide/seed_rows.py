"""What the run says about the rules of thumb that the product started from (ids N1 … X6).

Only rules that this run's numbers speak to are mentioned. A rule is ``confirmed`` when what it predicts
was measured, ``overturned`` when the opposite was, ``open`` when the rows do not settle it. For the
contradictions between rules (X…), ``confirmed`` means that measuring settled the clash here; the
sentence says which side was right. One run speaks for one task and one model, not for all.

The arms are those of the verdict. What may not be used wins nothing, whatever it scores: an arm that breaks a limit, or whose
score is shown for old knowledge only. A loss of an arm whose training is incomplete leaves every rule open.
"""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.core.run import ArmResult, SeedFinding
from tuneworth.core.text import Text
from tuneworth.decide.documents import in_order, only_old
from tuneworth.decide.documents_rows import document_findings
from tuneworth.decide.enough import Finding, Winner, enough_rows
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.forecast_words import unfinished
from tuneworth.decide.outlook import incomplete
from tuneworth.decide.phrases import say
from tuneworth.decide.ruling import Ruling
from tuneworth.words.names import listed
from tuneworth.words.numbers import duration, milliseconds, percent, signed_interval, signed_points

GENERATING = ("prompt", "fewshot")
FEW_ROWS = 100
"""N4 names 50 rows; up to twice as many are still "little data"."""
SOME_ROWS = 300
"""T4 names 200 rows."""
THOUSANDS = 1_000
MANY_ROWS = 5_000
MUCH_ROWS = 10_000
"""Y2 speaks of a wealth of data and names 100,000 pairs."""
LOW_COST_SECONDS = 3_600.0


@dataclass(frozen=True)
class _Duel:
    """The tuned arm of the verdict against one that is not tuned."""

    tuned: ArmResult
    untuned: ArmResult
    winner: Winner
    equivalent: bool
    numbers: Text

    def finding(self, predicts: Winner) -> Finding:
        """How a rule that predicts this winner fared."""
        if self.winner == "open":
            return "open"
        return "confirmed" if self.winner == predicts else "overturned"


def seed_findings(evidence: Evidence, ruling: Ruling) -> list[SeedFinding]:
    """Findings in the order of the rules: format, data, latency, privacy, cost, and documents.

    A training that time cut, or that the race kept from the rows at hand, speaks to no rule. A lead on old knowledge,
    which may not last, speaks to none of those about tuning in general.
    """
    if ruling.case in ("training_cut", "not_grown"):
        return []
    about_tuning = [] if ruling.case == "old_only" else _about_tuning(evidence, ruling)
    return [*about_tuning, *document_findings(evidence)]


def _about_tuning(evidence: Evidence, ruling: Ruling) -> list[SeedFinding]:
    tuned = ruling.tuned
    if tuned is None:
        return []
    ordered = {arm.arm_id: arm for arm in [*in_order(evidence), *evidence.finalists]}
    untuned = [arm for arm in ordered.values() if not arm.tuned]
    rest = _training_cost(evidence, ruling, tuned)
    if not untuned:
        return rest
    duels = [_duel(evidence, tuned, arm) for arm in untuned]
    return [
        *_format(evidence, duels),
        *_data(duels[0], tuned.n_train or evidence.n_train),
        _found("X4", *enough_rows(evidence, ruling, duels[0].winner, duels[0].numbers)),
        *_latency(evidence, duels),
        *_private(evidence, duels[0]),
        *rest,
    ]


def _duel(evidence: Evidence, tuned: ArmResult, untuned: ArmResult) -> _Duel:
    pair = evidence.between(tuned, untuned)
    ahead = evidence.shows_gain(tuned, untuned)
    part_only = not ahead and incomplete(evidence, tuned)
    winner: Winner = "open"
    if ahead:
        winner = "tuned" if _usable(evidence, tuned) else "open"
    elif evidence.rules_out_gain(tuned, untuned) and not part_only:
        winner = "untuned" if _usable(evidence, untuned) else "open"
    numbers = say(
        "{tuned} {a}, {untuned} {b}, difference {difference} ({interval})",
        "{tuned} {a}，{untuned} {b}，差异 {difference}（{interval}）",
        tuned=evidence.name(tuned),
        untuned=evidence.name(untuned),
        a=percent(evidence.value(tuned)),
        b=percent(evidence.value(untuned)),
        difference=signed_points(pair.difference),
        interval=signed_interval(pair.interval),
    )
    said = [numbers, *([unfinished(evidence, tuned)] if part_only else [])]
    said += [_out(evidence, arm) for arm in (tuned, untuned) if not _usable(evidence, arm)]
    return _Duel(tuned, untuned, winner, pair.answer == "equivalent" and not part_only, listed(said))


def _usable(evidence: Evidence, arm: ArmResult) -> bool:
    return not evidence.breaches[arm.arm_id] and not only_old(evidence, arm)


def _out(evidence: Evidence, arm: ArmResult) -> Text:
    if evidence.breaches[arm.arm_id]:
        return say("{arm} may not be used here", "{arm}在这里不可用", arm=evidence.name(arm))
    return say("the score of {arm} is for old knowledge only", "{arm}的得分只对旧知识成立", arm=evidence.name(arm))


def _found(row: str, finding: Finding, why: Text) -> SeedFinding:
    return SeedFinding(row=row, finding=finding, why=why)


def _format(evidence: Evidence, duels: list[_Duel]) -> list[SeedFinding]:
    """Structured output: is a prompt enough, once the format is guaranteed?"""
    asked = next((duel for duel in duels if duel.untuned.strategy in GENERATING), None)
    if evidence.task.kind != "json" or asked is None:
        return []
    held = asked.untuned.config.get("constrained") is True
    why = say(
        "{held}, so this compares content: {numbers}." if held else "Format and content are mixed here: {numbers}.",
        "{held}，因此比较的是内容：{numbers}。" if held else "这里格式与内容混在一起：{numbers}。",
        held=Text(en="Constrained decoding gives the format for free", zh="约束解码已经保证了格式"),
        numbers=asked.numbers,
    )
    # These rows promise that examples in the prompt are enough: a loss of the bare prompt does not refute them.
    promised = "open" if evidence.unmeasured and asked.winner == "tuned" else asked.finding("untuned")
    against: list[SeedFinding] = [_found(row, promised, why) for row in ("N3", "A3", "T1")]
    support = [_found(row, asked.finding("tuned"), why) for row in ("Y1", "P2")]
    settled = held and asked.winner != "open"
    return [*against, *support, _found("X1", "confirmed" if settled else "open", _x1(asked, why, settled))]


def _x1(duel: _Duel, why: Text, settled: bool) -> Text:
    if not settled:
        return why
    side = {
        "tuned": Text(en="Tuning earns its place by content, not by format.", zh="微调的价值在内容，不在格式。"),
        "untuned": Text(en="Tuning adds no content that matters.", zh="微调没有带来值得在意的内容提升。"),
    }[duel.winner]
    return say("{why} {side}", "{why}{side}", why=why, side=side)


def _data(duel: _Duel, n_train: int) -> list[SeedFinding]:
    """Rules that name an amount of data, held against the amount there was."""
    why = say("{n} training rows: {numbers}.", "训练数据 {n} 条：{numbers}。", n=n_train, numbers=duel.numbers)
    rules: list[tuple[str, bool, Winner]] = [
        ("N4", n_train <= FEW_ROWS, "untuned"),
        ("T4", n_train <= SOME_ROWS, "untuned"),
        # C1 says what tuning needs, not that it suffices: with thousands of rows only a gain speaks to it.
        ("C1", n_train < THOUSANDS or duel.winner == "tuned", "untuned" if n_train < THOUSANDS else "tuned"),
        ("Q1", True, "untuned" if n_train < MANY_ROWS else "tuned"),
        ("Y2", n_train >= MUCH_ROWS, "tuned"),
    ]
    return [_found(row, duel.finding(predicts), why) for row, applies, predicts in rules if applies]


def _latency(evidence: Evidence, duels: list[_Duel]) -> list[SeedFinding]:
    """Does tuning buy speed? Only arms whose latency was measured count."""
    timed = [duel for duel in duels if duel.untuned.cost.latency_p50_ms and duel.tuned.cost.latency_p50_ms]
    if not timed:
        return []
    duel, finding = _speed(timed)
    why = say(
        "Median time for one row: {tuned} {a}, {untuned} {b}; quality: {numbers}.",
        "单条用时的中位数：{tuned} {a}，{untuned} {b}；质量：{numbers}。",
        tuned=evidence.name(duel.tuned),
        untuned=evidence.name(duel.untuned),
        a=milliseconds(duel.tuned.cost.latency_p50_ms or 0.0),
        b=milliseconds(duel.untuned.cost.latency_p50_ms or 0.0),
        numbers=duel.numbers,
    )
    opposite: dict[Finding, Finding] = {"confirmed": "overturned", "overturned": "confirmed", "open": "open"}
    half = say(
        "{why} The price of an API was not measured, so the break-even volume stays open.",
        "{why}这次没有测量 API 的价格，盈亏平衡的调用量仍属未知。",
        why=why,
    )
    return [
        _found("N5", opposite[finding], why),
        _found("Y4", finding, why),
        _found("T5", finding, why),
        _found("X2", "open", half),
    ]


def _speed(timed: list[_Duel]) -> tuple[_Duel, Finding]:
    """The telling duel, and how "tune for speed" fared in it.

    Overturned by an untuned arm that is at least as fast and gives away less than the margin; confirmed
    when every untuned arm is slower and tuning is better or as good; else open.
    """

    def p50(arm: ArmResult) -> float:
        return arm.cost.latency_p50_ms or 0.0

    for duel in timed:
        if p50(duel.untuned) <= p50(duel.tuned) and duel.winner == "untuned":
            return duel, "overturned"
    fastest = min(timed, key=lambda duel: (p50(duel.untuned), duel.untuned.arm_id))
    tuned_is_fastest = p50(fastest.tuned) < p50(fastest.untuned)
    as_good = all(duel.winner == "tuned" or duel.equivalent for duel in timed)
    return fastest, "confirmed" if tuned_is_fastest and as_good else "open"


def _private(evidence: Evidence, duel: _Duel) -> list[SeedFinding]:
    """Privacy as a reason to tune: does a local model need it to be good enough?"""
    allowed = not evidence.breaches[duel.tuned.arm_id] and not evidence.breaches[duel.untuned.arm_id]
    if not evidence.task.limits.private or not allowed:
        return []
    why = say(
        "The rows must stay on this machine, and among local arms: {numbers}.",
        "数据不能离开本机；就本地方案而言：{numbers}。",
        numbers=duel.numbers,
    )
    return [_found(row, duel.finding("tuned"), why) for row in ("Y5", "A6")]


def _training_cost(evidence: Evidence, ruling: Ruling, tuned: ArmResult) -> list[SeedFinding]:
    """A training on a part of the rows speaks to it where it was enough to win."""
    spent, enough = tuned.cost.fit_seconds, ruling.verdict == "fine_tune"
    if spent <= 0 or (incomplete(evidence, tuned) and not enough):
        return []
    why = say(
        "Training {tuned} took {time} on this machine.",
        "在这台机器上训练{tuned}用了 {time}。",
        tuned=evidence.name(tuned),
        time=duration(spent),
    )
    return [_found("C3", "confirmed" if spent <= LOW_COST_SECONDS else "overturned", why)]
