"""Personal data in rows: counted, located, never shown."""

import json

from tuneworth.audit import Subject
from tuneworth.audit.personal import PLUGIN
from tuneworth.core.task import Example, Message, Query, Task

PHONE, EMAIL = "13812345678", "anna.k@example.org"


def row(number, text, output="yes", side="train"):
    return Example(Query(f"{side}-{number}", (Message("user", text),)), output, (), f"{side}.jsonl:{number}")


def subject(rows, kind="label", test=()):
    return Subject(Task(name="t", kind=kind, metric="accuracy"), tuple(rows), test=tuple(test))


def test_rows_and_values_are_counted_by_kind():
    rows = [row(1, f"call {PHONE} or 13912345678"), row(2, "nothing here"), row(3, f"call {PHONE}, mail {EMAIL}")]
    checked = PLUGIN.run(subject(rows, test=[row(1, f"mail {EMAIL}", side="test")]))
    by_id = {finding.id: finding for finding in checked.findings}
    assert set(by_id) == {"personal.phone", "personal.email"}
    assert by_id["personal.phone"].title.en == "2 of 4 rows hold telephone numbers: 3 in all"
    assert by_id["personal.phone"].n_rows == 2
    assert [mention.source for mention in by_id["personal.email"].rows] == ["train.jsonl:3", "test.jsonl:1"]
    assert [mention.side for mention in by_id["personal.email"].rows] == ["train", "test"]
    assert [(patch.row_id, patch.action) for patch in checked.patches] == [
        ("train-1", "mask"),
        ("train-3", "mask"),
        ("test-1", "mask"),
    ]


def test_nothing_found_is_shown_whole_anywhere():
    rows = [row(number, "x " * number + f"ring {PHONE}, mail {EMAIL}, password: hunter2!x") for number in range(120)]
    checked = PLUGIN.run(subject(rows))
    said = json.dumps([finding.model_dump() for finding in checked.findings], default=str) + str(checked.patches)
    for value in (PHONE, EMAIL, "hunter2"):
        assert value not in said
    assert all(len(mention.excerpt) <= 200 for finding in checked.findings for mention in finding.rows)
    assert "[phone 13***78]" in said


def test_secrets_are_serious():
    checked = PLUGIN.run(subject([row(1, "key AKIA" + "Q7RT" * 4), row(2, "from 185.23.17.201")]))
    assert {finding.id: finding.severity for finding in checked.findings} == {
        "personal.api_key": "serious",
        "personal.ip": "note",
    }


def test_free_outputs_are_looked_at_and_labels_are_not():
    labels = [row(1, "text", PHONE), row(2, "text", "no")]
    assert PLUGIN.run(subject(labels)).findings == []
    assert [finding.n_rows for finding in PLUGIN.run(subject(labels, kind="text")).findings] == [1]


def test_progress_ends_at_the_number_of_rows():
    seen = []
    PLUGIN.run(subject([row(number, "a") for number in range(1_200)]), lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 1_200)
    assert seen[-1] == (1_200, 1_200)
    assert len(seen) > 2


def test_odd_texts_are_read():
    odd = ["", "\u202eabc\u202c 13812345678", "👩‍👩‍👧 🙂", "שלום עולם", "a\x00b", "１２３" * 50_000]
    assert [finding.n_rows for finding in PLUGIN.run(subject(row(n, text) for n, text in enumerate(odd))).findings] == [
        1
    ]


def test_missing_libraries_are_named(monkeypatch):
    from tuneworth.audit import personal

    monkeypatch.setattr(personal, "missing_libraries", lambda: ("phonenumbers", "detect-secrets"))
    why = PLUGIN.skip(subject([row(1, "a")]))
    assert why is not None
    assert why.en == "needs phonenumbers, detect-secrets: pip install 'tuneworth[local]'"
