from documents_seen import INDEX, METRIC, arm, library, outcome, row, rows, seen, unanswerable

from tuneworth.core.knowledge import DocumentsResult
from tuneworth.core.text import Text
from tuneworth.findings.documents import findings
from tuneworth.testing.cases import HashEncoder

TRAIN = rows("r", [0, 1, 2])


def run(tmp_path, **fields):
    dev, test = rows("v", [3, 4, 5]), (*rows("t", [6, 7, 8]), unanswerable("x"))
    on_dev = {
        name: [outcome(one, one.output, [at], stage="dev") for at, one in zip((3, 4, 5), dev)]
        for name in ("rag", "lora")
    }
    on_test = {
        "rag": [
            outcome(test[0], "306 kilos", [6], ["d6#0"]),
            outcome(test[1], "no idea", [7]),
            outcome(test[2], "no idea", [1]),
            outcome(test[3], "a painter", [1]),
        ],
        "lora": [outcome(one, "300 kilos") for one in test],
    }
    arms = [arm("rag"), arm("lora", tuned=True, reads_documents=False)]
    return seen(library(tmp_path), train=TRAIN, dev=dev, test=test, arms=arms, on_dev=on_dev, on_test=on_test, **fields)


def test_everything_is_filled_and_stored(tmp_path):
    unread = Text(en="a.pdf is encrypted", zh="a.pdf 已加密")
    result = findings(run(tmp_path, problems=[unread], knowledge_every_days=30, encoder=HashEncoder))
    assert (result.index, result.problems, result.knowledge_every_days) == (INDEX, [unread], 30)
    assert len(result.recalls) == 6
    assert [loss.arm_id for loss in result.losses] == ["rag"]
    assert result.ages_by is not None
    assert "about new knowledge: 3; about old: 3." in result.ages_by.en
    assert {(each.arm_id, each.age): each.score.value for each in result.ages} == {
        ("rag", "old"): 1.0,
        ("rag", "new"): 1 / 3,
        ("lora", "old"): 1.0,
        ("lora", "new"): 0.0,
    }
    assert [each.absorbs for each in result.updates] == ["index", "retrain"]
    assert len(result.grounding) == 1
    assert result.injection == []
    assert [each.cause for each in result.examples] == ["not_read", "not_found", "right", None]
    assert DocumentsResult.model_validate_json(result.model_dump_json()) == result


def test_it_is_the_same_every_time(tmp_path):
    assert findings(run(tmp_path / "a", encoder=HashEncoder)) == findings(run(tmp_path / "b", encoder=HashEncoder))


def test_reading_and_retrieval_add_up_in_what_is_stored(tmp_path):
    result = run(tmp_path)
    [loss] = findings(result).losses
    known = [outcome for row_id, outcome in result.test["rag"].items() if row_id != "x"]
    mean = sum(outcome.scores[METRIC.id] for outcome in known) / len(known)
    assert abs(loss.reading.value + loss.retrieval.value - (1 - mean)) < 1e-12


def test_without_an_arm_that_looks_things_up_there_are_still_recalls(tmp_path):
    dev, test = rows("v", [3]), rows("t", [6])
    arms = [arm("prompt", reads_documents=False)]
    on_test = {"prompt": [outcome(test[0], "wrong")]}
    result = findings(seen(library(tmp_path), train=TRAIN, dev=dev, test=test, arms=arms, on_test=on_test))
    assert {each.stage for each in result.recalls} == {"dev", "test"}
    assert result.losses == result.grounding == result.injection == result.examples == []
    assert [each.absorbs for each in result.updates] == ["nothing"]


def test_only_one_age(tmp_path):
    dev = rows("v", [3, 4])
    on_dev = {"rag": [outcome(one, one.output, [3], stage="dev") for one in dev]}
    old = findings(seen(library(tmp_path), train=TRAIN, dev=dev, arms=[arm()], on_dev=on_dev))
    assert old.ages_by is None
    assert old.ages == []
    dev = rows("v", [7, 8])
    on_dev = {"rag": [outcome(one, one.output, [7], stage="dev") for one in dev]}
    new = findings(seen(library(tmp_path), train=TRAIN, dev=dev, arms=[arm()], on_dev=on_dev))
    assert new.ages_by is not None
    assert [each.age for each in new.ages] == ["new"]


def test_no_rows_at_all(tmp_path):
    result = findings(seen(library(tmp_path)))
    assert result == DocumentsResult(index=INDEX)


def test_rows_that_all_failed(tmp_path):
    test = rows("t", [0, 6])
    on_test = {"rag": [outcome(one, None) for one in test]}
    result = findings(seen(library(tmp_path), train=TRAIN, test=test, arms=[arm()], on_test=on_test))
    assert result.losses == result.ages == result.grounding == result.examples == []
    assert result.recalls != []
    assert result.ages_by is not None


def test_rows_without_gold(tmp_path):
    test = [row("t0", 0, gold=False), row("t1", 1, gold=False)]
    on_test = {"rag": [outcome(test[0], "300 kilos", [0]), outcome(test[1], "wrong", [0])]}
    result = findings(seen(library(tmp_path), train=TRAIN, test=test, arms=[arm()], on_test=on_test))
    assert {each.judge for each in result.recalls} == {"answer"}
    assert [(each.judge, each.n_found) for each in result.losses] == [("answer", 1)]
    assert [each.cause for each in result.examples] == ["not_found", "right"]
