"""How many rows can be learned from, once what is wrong with the others is taken off.

A training row counts unless a check would drop it (it repeats another row, it is empty, …) or another row
contradicts it. Wrong labels are not known row by row but as a rate, so they come off as a share of the rows
that are left. A row that contradicts another *and* is mislabelled comes off twice; the count is on the low
side then, by at most the number of contradictions times the noise rate.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuneworth.audit import Patch, Subject
from tuneworth.core.audit import AuditFact
from tuneworth.core.run import Interval
from tuneworth.core.text import Text

_NOT_ABOUT_QUALITY = ("leaks",)  # a leaked row is a good row on the wrong side


def row_facts(subject: Subject, patches: Sequence[Patch], facts: Sequence[AuditFact]) -> list[AuditFact]:
    """``total_rows`` and ``quality_rows`` of the training file.

    Args:
        patches: all that checks would change or look at.
        facts: those of the checks; ``noise_rate`` is used where there is one.
    """
    total = len(subject.train)
    left = total - len(_doubtful(subject, patches))
    return [_total(total), _quality(total, left, next((fact for fact in facts if fact.name == "noise_rate"), None))]


def _doubtful(subject: Subject, patches: Sequence[Patch]) -> set[str]:
    """Ids of training rows that a check would drop or that another row contradicts."""
    found = {
        patch.row_id
        for patch in patches
        if (patch.action == "drop" and patch.check not in _NOT_ABOUT_QUALITY)
        or (patch.action == "relabel" and patch.check == "conflicts")
    }
    return found & {row.id for row in subject.train}


def _total(total: int) -> AuditFact:
    why = Text(en="good rows of the training file", zh="训练文件中可用的行数")
    return AuditFact(name="total_rows", value=total, why=why)


def _quality(total: int, left: int, noise: AuditFact | None) -> AuditFact:
    gone = total - left
    en = f"{total:,} rows minus {gone:,} that repeat or contradict others or cannot be used"
    zh = f"共 {total:,} 行，减去 {gone:,} 行（重复、互相矛盾或无法使用）"
    if noise is None:
        return AuditFact(name="quality_rows", value=left, why=Text(en=en, zh=zh))
    rate = float(noise.value)
    why = Text(
        en=f"{en}, minus {rate:.1%} of the rest, the estimated share of wrong labels",
        zh=f"{zh}，其余再按估计的错标率扣除 {rate:.1%}",
    )
    return AuditFact(name="quality_rows", value=round(left * (1 - rate)), why=why, interval=_counts(left, noise))


def _counts(left: int, noise: AuditFact) -> Interval | None:
    """The noise rate's interval as rows that are left."""
    if noise.interval is None:
        return None
    low, high = noise.interval.low, noise.interval.high
    return Interval(low=round(left * (1 - high)), high=round(left * (1 - low)), level=noise.interval.level)
