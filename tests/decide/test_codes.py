# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportOptionalOperand=false
"""Findings are codes and raw numbers; sentences stand in the catalogue, and one module says them."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from decide_builders import arm, decided, duel, parts_of

import tuneworth.decide
from tuneworth.core.run import Decision, Interval, Score
from tuneworth.core.text import Text
from tuneworth.decide import decision as edge
from tuneworth.decide.reason import Apart, Reason
from tuneworth.words.say import CATALOGUE

FILES = sorted(Path(tuneworth.decide.__file__).parent.glob("*.py"))
PAGES = ("verdict", "pays", "reasons", "would_change", "seed", "limits", "forecast", "budget", "useless")
KEYS = {f"{page}.{place}" for page in PAGES for place in CATALOGUE.columns(page)}
CODE = re.compile(rf"(?:{'|'.join(PAGES)})\.[a-z_.0-9]+")


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def nodes(path, kind):
    return [node for node in ast.walk(tree(path)) if isinstance(node, kind)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_code_is_in_the_catalogue(path):
    begun = {node.values[0] for node in nodes(path, ast.JoinedStr)}
    for node in nodes(path, ast.Constant):
        if isinstance(node.value, str) and CODE.fullmatch(node.value):
            starts = any(key.startswith(node.value) for key in KEYS)
            assert starts if node in begun else node.value in KEYS, f"{path.name}:{node.lineno} {node.value}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_reason_has_exactly_the_parts_of_its_sentence(path):
    for call in nodes(path, ast.Call):
        if getattr(call.func, "id", "") != "Reason" or not isinstance(call.args[0], ast.Constant):
            continue
        given, rest = {word.arg for word in call.keywords}, {word.arg for word in call.keywords} - {None}
        asked = parts_of(call.args[0].value)
        assert rest <= asked if None in given else rest == asked, f"{path.name}:{call.lineno} {call.args[0].value}"


def test_only_the_edge_has_words():
    for path in FILES:
        modules = {node.module for node in nodes(path, ast.ImportFrom)}
        words = {module for module in modules if module and module.startswith("tuneworth.words")}
        assert not words or path.stem == "decision", path.name
        spoken = [node for node in nodes(path, ast.Constant) if re.search("[\u4e00-\u9fff]", str(node.value))]
        assert not spoken, path.name


def test_a_ruling_and_its_reasons_need_no_words():
    code = (
        "import sys\n"
        "import tuneworth.decide.headline, tuneworth.decide.would_change, tuneworth.decide.seed_rows\n"
        "print([name for name in sys.modules if name.startswith(('tuneworth.words', 'yaml'))])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_number_without_a_declared_form_is_an_error():
    with pytest.raises(KeyError, match="unheard_of"):
        edge.told(Reason("reasons.p", unheard_of=0.5), {})


def test_parts_are_shown_as_their_names_and_types_say():
    score = Score(value=0.7, interval=Interval(low=0.6, high=0.8), n_rows=1200)
    parts = {"arm": arm("lora"), "metric": Text(en="accuracy", zh="准确率"), "score": score, "n": 1200}
    said = edge.told(Reason("reasons.score", **parts), {"lora": Text(en="“L”", zh="“甲”")})
    assert said.en == "“L”: accuracy 70.0\u00a0% (60.0–80.0) on 1,200 test rows, never seen before."
    assert said.zh == "“甲”：在 1,200 条从未见过的测试数据上，准确率为 70.0%（60.0–80.0）。"
    small = Reason("would_change.small_gain", least=Apart(0.0196, 0.02), margin=Apart(0.02, 0.0196))
    assert "as small as 1.96 points, less than your margin of 2 points" in edge.told(small, {}).en


def test_a_decision_has_the_codes_of_its_headline_and_reasons():
    decision = decided(*duel(60, 5, 200, 35))
    assert decision.codes[0] == "verdict.gain"
    assert len(decision.codes) == 1 + len(decision.reasons)
    old = decision.model_dump()
    del old["codes"]
    assert Decision.model_validate(old).codes == []
