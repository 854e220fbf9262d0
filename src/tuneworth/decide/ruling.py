"""The verdict and the arms to use, before any words.

T is the best tuned finalist that keeps the limits, U the best untuned one. "Tuned" means that the
weights of a language model were changed: logistic regression on embeddings is untuned. Rows from the top,
the first that holds decides:

| measured | verdict |
|---|---|
| no arm has a score on the test rows | ``cant_tell``, without a number of rows |
| no finalist keeps the limits, or each leaves too many rows unanswered | ``none_meets_limits`` |
| no finalist that keeps them is surely above every yardstick (`tuneworth.decide.worth`) | ``cant_tell``: nothing works yet, whatever the rows below say but ``not_yet`` |
| tuning was not measured, and U leaves less than the margin to gain | ``dont_fine_tune`` |
| tuning (or everything else) was not measured | ``cant_tell``, without a number of rows |
| T breaks a limit, U does not | ``dont_fine_tune``: more rows mend no limit |
| U breaks a limit, T does not | ``fine_tune`` |
| … in this row and below: T is not surely above a yardstick that may be used as it is | ``cant_tell`` instead of ``fine_tune``: it takes test rows |
| T is better than U, but time left out an untuned arm that may be ahead of U by as much | ``cant_tell``: it takes time |
| T is better than U | ``fine_tune``, also when T was trained on a part of the rows |
| … but T learned by heart what changes, and no test rows ask for new knowledge | ``cant_tell``: it takes such rows |
| T cannot be better than U by the margin, and U leaves less than the margin to gain | ``dont_fine_tune`` |
| T does not lead by the margin as seen, but time cut its training before it saw every row once | ``cant_tell``: train longer |
| T leads by the margin as seen, but not surely (or fewer than 20 test rows) | ``cant_tell``: it takes test rows, not training rows |
| a forecast that may decide (`tuneworth.decide.outlook`) says that T leads by the margin with more rows | ``not_yet`` |
| T was trained on a part of the rows, and its curve does not rule out the margin on all of them | ``cant_tell``: train on all |
| T cannot be better than U by the margin | ``dont_fine_tune``: simpler wins ties |
| none of these | ``cant_tell`` with the test rows that would settle it |

A weak forecast changes no verdict: a number of rows that is wrong sends people labelling for weeks. It is told
among what would change the verdict. A forecast that T does not overtake within a hundred times the data makes no
verdict of its own either; it is a reason for one. While a verdict is ``not_yet`` an untuned arm is recommended.

Nothing is recommended that does not work, and while a verdict is open nothing that is not surely above all yardsticks: then a
yardstick that may be used as it is stands in, if there is one that works, or nothing. Of a settled verdict it stands in for an
arm that is less than the margin ahead of it as seen: the simpler wins ties.

**Money** (`tuneworth.decide.pays`) has the last word among arms that work, where what they cost at the user's volume is known:

| measured | verdict |
|---|---|
| T gains nothing over U, or is not shown to, and no arm is shown to be better than it by the margin; it is surely cheaper than what would be recommended | ``fine_tune``, to save money |
| an error has a price, and T is surely better off than what would be recommended | the same, whatever the margin |
| an error has a price, T gains over U or may, and an arm without tuning is surely better off than every tuned one | ``dont_fine_tune`` |
| an error has a price, T gains over U, and none of them is surely better off | ``cant_tell`` |
| else | as above; of the arms on the side of the verdict that are not worse than the best by the margin (of all of them, where an error has a price), the simplest that no other is surely better off than |

Of a task whose documents change, T and U are the best whose scores last (`tuneworth.decide.knowledge`), if there are
any. A T that learned by heart is not worth labelling more rows for either: ``not_yet`` becomes ``cant_tell`` as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuneworth.core.run import ArmResult, Comparison, Verdict
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.knowledge import lasting_first, only_old
from tuneworth.decide.outlook import Outlook, cut_short, outlook_of
from tuneworth.decide.pays import better_off, simplest, simplest_that_pays, surely
from tuneworth.decide.worth import fallback, is_clear, nearest_yardstick, works
from tuneworth.stats.family import MIN_PAIRS, too_few

Case = Literal[
    "nothing_measured",
    "nothing_eligible",
    "nothing_works",
    "near_yardstick",
    "gain",
    "no_gain",
    "open",
    "not_yet",
    "not_grown",
    "training_cut",
    "rival_untested",
    "old_only",
    "only_tuned_eligible",
    "tuned_breaks_limits",
    "no_room",
    "tuned_not_measured",
    "untuned_not_measured",
    "pays",
    "not_worth_it",
    "worth_open",
]

VERDICTS: dict[Case, Verdict] = {
    "nothing_measured": "cant_tell",
    "nothing_eligible": "none_meets_limits",
    "nothing_works": "cant_tell",
    "near_yardstick": "cant_tell",
    "gain": "fine_tune",
    "no_gain": "dont_fine_tune",
    "open": "cant_tell",
    "not_yet": "not_yet",
    "not_grown": "cant_tell",
    "training_cut": "cant_tell",
    "rival_untested": "cant_tell",
    "old_only": "cant_tell",
    "only_tuned_eligible": "fine_tune",
    "tuned_breaks_limits": "dont_fine_tune",
    "no_room": "dont_fine_tune",
    "tuned_not_measured": "cant_tell",
    "untuned_not_measured": "cant_tell",
    "pays": "fine_tune",
    "not_worth_it": "dont_fine_tune",
    "worth_open": "cant_tell",
}
OPEN_TO_MONEY = ("gain", "no_gain", "open", "not_yet", "not_grown", "training_cut")
"""T and U both keep the limits, and what was measured of them is about now."""


@dataclass(frozen=True)
class Ruling:
    """What the evidence comes to.

    Attributes:
        tuned, untuned: T and U; where none keeps the limits, the best that was tested.
        pair: T against U, where both were tested.
        rows: how many more test rows would settle an open comparison, or training rows are forecast to be enough.
        instead_of: what would be recommended if money did not matter, where that is another arm.
        yardstick, below: where nothing works, or T is not above it: the yardstick, and the best arm against it.
        outlook: what is known of T with more training rows, where T and U keep the limits.
    """

    case: Case
    tuned: ArmResult | None
    untuned: ArmResult | None
    pair: Comparison | None
    recommended: ArmResult | None
    runner_up: ArmResult | None
    rows: int | None
    outlook: Outlook | None = None
    yardstick: ArmResult | None = None
    below: Comparison | None = None
    instead_of: ArmResult | None = None

    @property
    def verdict(self) -> Verdict:
        return VERDICTS[self.case]


def rule(evidence: Evidence) -> Ruling:
    """Apply the table above."""
    in_order = lasting_first(evidence)
    ordered = [*in_order, *evidence.finalists]
    tuned = next((arm for arm in ordered if arm.tuned), None)
    untuned = next((arm for arm in ordered if not arm.tuned), None)
    outlook = outlook_of(evidence, tuned, untuned) if tuned is not None and untuned is not None else None
    case = _case(evidence, tuned, untuned, outlook)
    by_heart = _ahead_by_heart(evidence, case, tuned, untuned)
    if by_heart is not None and untuned is not None:
        case, tuned, outlook = "old_only", by_heart, outlook_of(evidence, by_heart, untuned)
    plain = _best_arm(evidence, case)
    case, tuned, untuned, paying = _by_money(evidence, case, tuned, untuned, plain)
    case = _not_above_yardsticks(evidence, case, tuned, untuned, paying)
    pair = evidence.between(tuned, untuned) if tuned is not None and untuned is not None else None
    best = tuned if case == "near_yardstick" else next(iter(in_order), None)
    held = (
        nearest_yardstick(evidence, best) if best is not None and case in ("nothing_works", "near_yardstick") else None
    )
    rows = None
    if case == "not_yet" and outlook is not None and outlook.more is not None:
        rows = outlook.more.n
    elif case == "open" and pair is not None and pair.rows_needed is not None:
        rows = max(1, pair.rows_needed - pair.n_rows)
    elif held is not None and held[1].difference > 0 and held[1].rows_needed is not None:
        rows = max(1, held[1].rows_needed - held[1].n_rows)
    recommended = _recommended(evidence, case, paying)
    others = [arm for arm in in_order if arm is not recommended and works(evidence, arm)]
    return Ruling(
        case=case,
        tuned=tuned,
        untuned=untuned,
        pair=pair,
        recommended=recommended,
        runner_up=_next_best(evidence, recommended, others),
        rows=rows,
        outlook=outlook,
        yardstick=held[0] if held is not None else None,
        below=held[1] if held is not None else None,
        instead_of=plain if recommended is paying and paying is not plain else None,
    )


def _case(evidence: Evidence, tuned: ArmResult | None, untuned: ArmResult | None, outlook: Outlook | None) -> Case:
    """The rows of the table from the top, but for a lead on old knowledge only."""
    eligible = evidence.eligible
    if not eligible:
        return "nothing_eligible" if evidence.finalists else "nothing_measured"
    if untuned is None:
        return "untuned_not_measured"
    little_left = 1 - evidence.score(untuned).interval.low < evidence.task.margin
    if tuned is None or outlook is None:
        return "no_room" if little_left else "tuned_not_measured"
    if tuned not in eligible:
        return "tuned_breaks_limits"
    if untuned not in eligible:
        return "only_tuned_eligible"
    if evidence.shows_gain(tuned, untuned):
        return "gain" if evidence.rival_of(tuned, untuned) is None else "rival_untested"
    cannot_gain = evidence.rules_out_gain(tuned, untuned)
    if cannot_gain and little_left:
        return "no_gain"
    pair = evidence.between(tuned, untuned)
    leads_as_seen = pair.difference >= pair.margin
    if cut_short(tuned):
        return "open" if leads_as_seen else "training_cut"
    if not too_few(pair) and not leads_as_seen:  # would it lead with more rows, of those at hand or of new ones?
        if outlook.sure:
            return "not_yet"
        if not outlook.grown and not outlook.backed:
            return "not_grown"
    return "no_gain" if cannot_gain else "open"


def _ahead_by_heart(
    evidence: Evidence, case: Case, tuned: ArmResult | None, untuned: ArmResult | None
) -> ArmResult | None:
    """A tuned arm that leads on old knowledge only, where another answer would hide its lead or take it for a gain.

    T itself; or, where T gains nothing, one that was passed over as its score may not last.
    """
    if tuned is None or untuned is None or case not in ("gain", "not_yet", "no_gain"):
        return None
    if only_old(evidence, tuned):
        return tuned if case != "no_gain" else None
    if case != "no_gain":
        return None
    passed = (arm for arm in evidence.eligible if arm.tuned and only_old(evidence, arm))
    return next((arm for arm in passed if evidence.shows_gain(arm, untuned)), None)


def _by_money(
    evidence: Evidence, case: Case, tuned: ArmResult | None, untuned: ArmResult | None, plain: ArmResult | None
) -> tuple[Case, ArmResult | None, ArmResult | None, ArmResult | None]:
    """The case, T, U and the arm to use after money had its say; ``plain`` is the arm to use without."""
    if plain is None or evidence.costs is None:
        return case, tuned, untuned, plain
    priced = evidence.usd_per_error is not None
    rivals = _rivals(evidence, plain)
    same_side = [arm for arm in rivals if arm.tuned == plain.tuned]
    if case not in OPEN_TO_MONEY or (case == "gain" and not priced):
        return case, tuned, untuned, simplest_that_pays(evidence, same_side)
    pick = simplest_that_pays(evidence, rivals)
    if pick.tuned and not plain.tuned:
        if surely(evidence, pick, plain):
            return "pays", pick, plain, pick
        pick = simplest_that_pays(evidence, same_side)
    trained = [arm for arm in rivals if arm.tuned]
    if priced and trained and not pick.tuned and case in ("gain", "open"):
        if all(surely(evidence, pick, arm) for arm in trained):
            return "not_worth_it", trained[0], pick, pick
        if case == "gain":
            return "worth_open", trained[0], pick, pick
    return case, tuned, untuned, pick


def _rivals(evidence: Evidence, plain: ArmResult) -> list[ArmResult]:
    """Arms among which money may choose, ``plain`` among them, best first: those that are not worse than the best, nor than it, by the
    margin; where an error has a price, all that are known to be better or worse off than ``plain``."""
    able = [arm for arm in lasting_first(evidence) if works(evidence, arm) and not only_old(evidence, arm)]
    able = [arm for arm in able if is_clear(evidence, arm) or not arm.tuned]
    if plain not in able:
        return [plain]

    def may_be_chosen(arm: ArmResult) -> bool:
        if evidence.usd_per_error is not None:
            return better_off(evidence, arm, plain) is not None
        return all(evidence.rules_out_gain(ahead, arm) for ahead in (able[0], plain) if ahead is not arm)

    return [arm for arm in able if arm is plain or may_be_chosen(arm)]


def _next_best(evidence: Evidence, recommended: ArmResult | None, others: list[ArmResult]) -> ArmResult | None:
    """The best by score; where an error has a price, the one that is worth most."""
    if evidence.usd_per_error is not None and recommended is not None and not recommended.yardstick:
        worth = [(gain.usd, arm) for arm in others if (gain := better_off(evidence, arm, recommended)) is not None]
        if worth:
            return max(worth, key=lambda one: one[0])[1]
    return next(iter(others), None)


def _not_above_yardsticks(
    evidence: Evidence, case: Case, tuned: ArmResult | None, untuned: ArmResult | None, paying: ArmResult | None
) -> Case:
    """The case, unless nothing works, or T gains over U what a yardstick has as well."""
    eligible = evidence.eligible
    if case in ("nothing_measured", "nothing_eligible", "not_yet") or not eligible:
        return case
    if not any(works(evidence, arm) for arm in eligible):
        few = evidence.score(eligible[0]).n_rows < MIN_PAIRS or any(map(too_few, evidence.against.values()))
        return case if few and VERDICTS[case] == "cant_tell" else "nothing_works"
    if VERDICTS[case] == "fine_tune" and tuned is not None and not is_clear(evidence, tuned):
        return "near_yardstick"
    if VERDICTS[case] == "dont_fine_tune" and _recommended(evidence, case, paying) is None:
        return "open" if tuned is not None and untuned is not None else "tuned_not_measured"
    return case


def _recommended(evidence: Evidence, case: Case, paying: ArmResult | None) -> ArmResult | None:
    """What to use: an arm that works, or a yardstick that stands in for it, or nothing."""
    chosen = paying if case not in ("nothing_works", "near_yardstick") else _best_arm(evidence, case)
    if VERDICTS[case] in ("fine_tune", "dont_fine_tune"):
        stand_in = fallback(evidence, chosen, within_margin=True) if VERDICTS[case] == "dont_fine_tune" else None
        return stand_in or chosen
    if chosen is not None and is_clear(evidence, chosen):
        return chosen
    return fallback(evidence, chosen)


def _best_arm(evidence: Evidence, case: Case) -> ArmResult | None:
    """The simplest arm that is good enough, on the side that the verdict names, of those that work.

    Good enough: the best eligible arm cannot be better by the margin. An arm whose score is shown for old knowledge
    only is left out, unless it is all there is on that side.

    While the verdict is open nobody is to tune for a lead that is not shown, nor to give up one of the margin to be simple:
    of the arms that cannot be told apart from the best, those without tuning if there are any; of these the simplest that
    is less than the margin behind the best of them, as seen.
    """
    eligible = [arm for arm in lasting_first(evidence) if works(evidence, arm)]
    if not eligible:
        return None
    best = eligible[0]
    sides = {"fine_tune": [True], "dont_fine_tune": [False], "not_yet": [False]}.get(VERDICTS[case], [True, False])
    on_side = [arm for arm in eligible if arm.tuned in sides]
    if VERDICTS[case] == "fine_tune":
        on_side = [arm for arm in on_side if is_clear(evidence, arm)]
    candidates = [arm for arm in on_side if not only_old(evidence, arm)] or on_side
    if not candidates:
        return None
    if case in ("open", "near_yardstick", "not_grown", "training_cut", "rival_untested", "old_only"):
        near = [arm for arm in candidates if arm is best or not evidence.shows_gain(best, arm)]
        first, *others = [arm for arm in near if not arm.tuned] or near
        close = [arm for arm in others if evidence.between(first, arm).difference < evidence.task.margin]
        return min([first, *close], key=simplest)
    good_enough = (arm for arm in candidates if arm is candidates[0] or evidence.rules_out_gain(best, arm))
    return min(good_enough, key=simplest)
