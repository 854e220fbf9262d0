"""What probabilities of a run are worth: from outcomes to the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tuneworth.core.outcome import Outcome
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example, Message, Query
from tuneworth.core.text import Text
from tuneworth.findings.calibration import with_calibration

LABELS = ("yes", "no")


def arm(arm_id: str = "decision") -> ArmResult:
    title = Text(en=arm_id, zh=arm_id)
    return ArmResult(arm_id=arm_id, strategy="decision", model=None, config={}, title=title, effort=1, state="measured")


def rows(side: str, n: int) -> list[Example]:
    return [Example(Query(f"{side}{at}", (Message("user", str(at)),)), "yes") for at in range(n)]


def outcomes(asked: Sequence[Example], sure: Sequence[float], right: Sequence[bool], **extra: Any) -> list[Outcome]:
    found: list[Outcome] = []
    for row, confidence, is_right in zip(asked, sure, right, strict=True):
        answer = "yes" if is_right else "no"
        chances = {label: confidence if label == answer else 1 - confidence for label in LABELS}
        fields: dict[str, Any] = {"arm_id": "decision", "row_id": row.id, "stage": "dev", "status": "scored"}
        found.append(Outcome(**fields | {"answer": answer, "probabilities": chances} | extra))
    return found


def drawn(side: str, n: int, seed: int, worse: float = 0.0) -> tuple[list[Example], list[Outcome]]:
    rng = np.random.default_rng(seed)
    asked, sure = rows(side, n), 0.5 + 0.5 * rng.random(n)
    return asked, outcomes(asked, sure.tolist(), (rng.random(n) < sure - worse).tolist())


def by_row(found: Sequence[Outcome]) -> dict[str, Outcome]:
    return {outcome.row_id: outcome for outcome in found}


def test_a_finalist_has_both_sides_and_a_share() -> None:
    (dev_rows, dev), (test_rows, test) = drawn("dev", 150, 1), drawn("test", 300, 2)
    given = {"decision": dev}, {"decision": by_row(test)}, [*dev_rows, *test_rows]
    [found] = with_calibration([arm()], *given, precision=0.8, seed=0)
    known = found.calibration
    assert known is not None
    assert known.dev is not None
    assert known.test is not None
    assert (known.dev.n_rows, known.test.n_rows) == (150, 300)
    assert known.test.error_interval.low == 0, "it is calibrated"
    right = [outcome.answer == "yes" for outcome in test]
    assert known.test.accuracy.value == pytest.approx(np.mean(right))
    by_hand = np.mean([sum((p - (label == "yes")) ** 2 for label, p in (o.probabilities or {}).items()) for o in test])
    assert known.test.brier.value == pytest.approx(by_hand)
    assert known.test.brier.interval.low < by_hand < known.test.brier.interval.high
    sure = known.sure
    assert sure is not None
    assert sure.threshold is not None
    assert sure.share is not None
    assert sure.right is not None
    alone = [max((o.probabilities or {}).values()) >= sure.threshold for o in test]
    assert sure.share.value == pytest.approx(np.mean(alone))
    assert sure.right.value == pytest.approx(np.mean([is_right for is_right, one in zip(right, alone) if one]))
    assert sure.right.n_rows == sum(alone)


def test_the_threshold_does_not_look_at_test_rows() -> None:
    (dev_rows, dev), (test_rows, test) = drawn("dev", 150, 1), drawn("test", 300, 2)
    _, worse = drawn("test", 300, 3, worse=0.4)
    found = [
        with_calibration(
            [arm()], {"decision": dev}, {"decision": by_row(some)}, [*dev_rows, *test_rows], precision=0.8, seed=0
        )[0]
        for some in (test, worse)
    ]
    one, other = (each.calibration.sure for each in found if each.calibration is not None)
    assert one is not None
    assert other is not None
    assert one.threshold == other.threshold
    assert one.right is not None
    assert other.right is not None
    assert other.right.value < one.right.value - 0.2, "and tell what it is worth there"


def test_an_arm_that_was_not_tested_has_its_dev_rows() -> None:
    dev_rows, dev = drawn("dev", 60, 1)
    [found] = with_calibration([arm()], {"decision": dev}, {}, dev_rows, precision=0.8, seed=0)
    assert found.calibration is not None
    assert found.calibration.dev is not None
    assert found.calibration.test is found.calibration.sure is None


def test_a_precision_that_dev_rows_do_not_show() -> None:
    (dev_rows, dev), (test_rows, test) = drawn("dev", 30, 1), drawn("test", 60, 2)
    [found] = with_calibration(
        [arm()], {"decision": dev}, {"decision": by_row(test)}, [*dev_rows, *test_rows], precision=0.99, seed=0
    )
    assert found.calibration is not None
    sure = found.calibration.sure
    assert sure is not None
    assert (sure.n_dev, sure.threshold, sure.share, sure.right) == (30, None, None, None)


def test_arms_without_probabilities_stay_as_they_are() -> None:
    dev_rows, dev = drawn("dev", 60, 1)
    plain = [outcome.model_copy(update={"probabilities": None}) for outcome in dev]
    [found] = with_calibration([arm()], {"decision": plain}, {}, dev_rows, precision=0.8, seed=0)
    assert found == arm()


def test_failed_rows_do_not_count_and_a_label_never_thought_of_costs_one() -> None:
    asked = rows("dev", 40)
    good = outcomes(asked[:20], [0.9] * 20, [True] * 20)
    failed = outcomes(asked[20:30], [0.9] * 10, [True] * 10, status="failed", answer=None, probabilities=None)
    strange = outcomes(asked[30:], [1.0] * 10, [False] * 10, probabilities={"no": 1.0})
    [found] = with_calibration([arm()], {"decision": [*good, *failed, *strange]}, {}, asked, precision=0.8, seed=0)
    assert found.calibration is not None
    assert found.calibration.dev is not None
    assert found.calibration.dev.n_rows == 30
    assert found.calibration.dev.brier.value == pytest.approx((20 * 0.02 + 10 * 2) / 30)


def test_rows_that_failed_are_among_those_that_an_arm_cannot_answer_alone() -> None:
    (dev_rows, dev), (test_rows, test) = drawn("dev", 150, 1), drawn("test", 300, 2)
    lost = {"status": "failed", "answer": None, "probabilities": None}
    failed = [one.model_copy(update=lost) if at % 3 == 0 else one for at, one in enumerate(test)]
    given = {"decision": dev}, {"decision": by_row(failed)}, [*dev_rows, *test_rows]
    [found] = with_calibration([arm()], *given, precision=0.8, seed=0)
    assert found.calibration is not None
    assert found.calibration.test is not None
    assert found.calibration.test.n_rows == 200
    sure = found.calibration.sure
    assert sure is not None
    assert sure.threshold is not None
    assert sure.share is not None
    assert sure.share.n_rows == 300
    alone = [one for one in failed if one.probabilities and max(one.probabilities.values()) >= sure.threshold]
    assert sure.share.value == pytest.approx(len(alone) / 300)
    assert sure.right is not None
    assert sure.right.n_rows == len(alone)
