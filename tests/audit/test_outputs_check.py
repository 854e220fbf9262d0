"""The check on outputs: findings, facts and patches; and strange rows through every check of this kind."""

from __future__ import annotations

import json

import pytest
from audit_rows import han_sentences, sentences, subject

from tuneworth.audit._run import GROUP, audit
from tuneworth.audit.outputs import PLUGIN
from tuneworth.core.registry import load_plugin, plugin_modules

CHECKS = ("label_noise", "outputs", "shift", "size", "style")


def facts_of(checked):
    return {fact.name: fact.value for fact in checked.facts}


def findings_of(checked):
    return {finding.id: finding for finding in checked.findings}


def test_near_miss_labels_are_replaced_only_where_sure():
    rows = [(text, "refund") for text in sentences(200)]
    rows += [("a", "Refund"), ("b", "refund "), ("c", "refumd"), ("d", "card")]
    checked = PLUGIN.run(subject(rows))
    made = {patch.before: (patch.after, patch.certain) for patch in checked.patches}
    assert made == {"Refund": ("refund", True), "refund ": ("refund", True), "refumd": ("refund", False)}
    assert facts_of(checked)["format_regularity"] == pytest.approx(202 / 204)
    assert findings_of(checked)["outputs.labels"].n_rows == 3


def test_clean_labels_have_no_finding():
    checked = PLUGIN.run(subject([(text, ("a", "b")[at % 2]) for at, text in enumerate(sentences(100))]))
    assert not checked.findings
    assert facts_of(checked) == {"output_kind": "label", "format_regularity": 1.0, "clear_structure": True}


def test_json_regularity_counts_violations():
    rows = [(f"q{at}", json.dumps({"a": at, "b": "x"})) for at in range(95)] + [("q", json.dumps({"a": "one"}))] * 1
    checked = PLUGIN.run(subject(rows, kind="json"))
    assert facts_of(checked)["format_regularity"] == pytest.approx(95 / 96)
    assert findings_of(checked)["outputs.format"].rows[0].source == "train.jsonl:96"


def test_text_faults_become_findings():
    rows = [(f"Summarise {text}.", text.capitalize() + ".") for text in sentences(300)]
    rows += [("Who are you?", "As an AI language model, I cannot say."), ("Please repeat this very sentence.",) * 2]
    rows += [("Anything to report?", "N/A"), ("Translate to Chinese", han_sentences(1)[0] + "。")]
    found = findings_of(PLUGIN.run(subject(rows, kind="text")))
    lines = {name: [row.source for row in finding.rows] for name, finding in found.items()}
    assert lines["outputs.refusals"] == ["train.jsonl:301"]
    assert lines["outputs.copies"] == ["train.jsonl:302"]
    assert lines["outputs.empty"] == ["train.jsonl:303"]
    assert lines["outputs.language"] == ["train.jsonl:304"]
    assert "outputs.truncated" not in lines


def test_plain_text_leaves_its_structure_to_be_asked():
    plain = PLUGIN.run(subject([("q", text) for text in sentences(50)], kind="text"))
    assert "clear_structure" not in facts_of(plain)
    letters = [f"Subject: {text}\nBody: {text}" for text in sentences(50)]
    assert facts_of(PLUGIN.run(subject([("q", text) for text in letters], kind="text")))["clear_structure"] is True


def test_a_mail_address_in_an_answer_is_not_shown():
    rows = [("q", text) for text in sentences(60)] + [("write to anna.meyer@example.org",) * 2]
    found = findings_of(PLUGIN.run(subject(rows, kind="text")))["outputs.copies"]
    assert "anna.meyer" not in found.rows[0].excerpt


STRANGE = {
    "one row": [("q", "a")],
    "one class": [(text, "a") for text in sentences(150)],
    "all rows equal": [("q", "a")] * 200,
    "spaces and signs": [(" ", "!"), ("\u200b", "—")] * 100,
    "right to left and emoji": [("مرحبا بالعالم", "👍"), ("שלום עולם", "👎🏽")] * 100,
    "a megabyte": [(text, ("a", "b")[at % 2]) for at, text in enumerate(sentences(150))] + [("x y " * 250_000, "b")],
    "broken encodings": [("cafÃ© ï¿½ \ufffd", "Ã©"), ("caf\u0065\u0301", "é")] * 80,
}


@pytest.mark.parametrize("kind", ["label", "choice", "text"])
@pytest.mark.parametrize("rows", STRANGE.values(), ids=STRANGE.keys())
def test_strange_rows_stop_nothing(rows, kind):
    answers = rows if kind != "text" else [(text, output * 30) for text, output in rows]
    audited = audit(subject(answers, answers[: len(answers) // 2], kind=kind), only=CHECKS)
    assert [run.check for run in audited.result.checks if run.skipped is None]
    for finding in audited.result.findings:
        assert finding.title.en
        assert finding.title.zh
        assert all(len(row.excerpt) <= 200 for row in finding.rows)


@pytest.mark.parametrize("value", [[], {}, {"a": None}, [[[[1]]]], {"": ""}])
def test_strange_json(value):
    assert PLUGIN.run(subject([("q", json.dumps(value))] * 60, kind="json")).n_looked_at == 60


def test_the_checks_are_plugins():
    assert set(CHECKS) <= set(plugin_modules(GROUP))
    assert all(load_plugin(GROUP, name).title.zh for name in CHECKS)
