import pytest
from documents_seen import INDEX, arm, library, rows, seen, task

from tuneworth.core.run import ArmCost
from tuneworth.findings.documents.ages import updates

ARMS = (
    arm("rag"),
    arm("lora_rag", tuned=True),
    arm("lora", reads_documents=False, tuned=True),
    arm("head", reads_documents=False, cost=ArmCost(fit_seconds=4.0)),
    arm("fewshot", reads_documents=False),
    arm("prompt", reads_documents=False),
    arm("from_elsewhere", reads_documents=False),
    arm("oracle", yardstick=True),
    arm("lora/skipped", state="skipped"),
)


def test_what_an_update_takes_each_arm(tmp_path):
    found = updates(seen(library(tmp_path), arms=ARMS, machine_usd_per_hour=3.0, knowledge_every_days=7))
    assert [(each.arm_id, each.absorbs, each.seconds) for each in found] == [
        ("rag", "index", 0.9),
        ("lora_rag", "index", 0.9),
        ("lora", "retrain", 120.0),
        ("head", "retrain", 4.0),
        ("fewshot", "nothing", None),
        ("prompt", "nothing", None),
        ("from_elsewhere", "nothing", None),
    ]
    rag, _, lora, *_, last = found
    assert rag.usd == pytest.approx(0.9 / 3600 * 3)
    assert lora.usd == pytest.approx(0.1)
    assert rag.runs_per_year == lora.runs_per_year == pytest.approx(52.18, abs=0.01)
    assert last.usd is None
    assert last.runs_per_year is None


def test_what_a_service_takes_for_embedding_is_not_known(tmp_path):
    books = task().documents.model_copy(update={"encoder": "openai/m", "encoder_elsewhere": True})
    run = seen(library(tmp_path), arms=ARMS[:3], machine_usd_per_hour=3.0, task=task(documents=books))
    assert [(each.absorbs, each.usd is None) for each in updates(run)] == [
        ("index", True),
        ("index", True),
        ("retrain", False),
    ]


@pytest.mark.parametrize("partly", [{"n_train": 1}, {"fit_details": {"stopped": "time"}}])
def test_a_fit_in_part_does_not_tell_what_a_whole_one_takes(tmp_path, partly):
    lora = arm("lora", reads_documents=False, tuned=True, **partly)
    [found] = updates(seen(library(tmp_path), train=rows("r", [0, 1]), arms=[lora], machine_usd_per_hour=3.0))
    assert (found.absorbs, found.seconds, found.usd) == ("retrain", None, None)


def test_what_is_not_known_stays_unknown(tmp_path):
    index = INDEX.model_copy(update={"update_seconds": None})
    arms = [arm("rag"), arm("lora", reads_documents=False, tuned=True, cost=ArmCost())]
    for each in updates(seen(library(tmp_path), arms=arms, index=index)):
        assert (each.seconds, each.usd, each.runs_per_year) == (None, None, None)
