"""What the keys of outcomes depend on."""

from __future__ import annotations

import importlib
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace

import pytest

import tuneworth
from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.models.api.chat_model import ChatModel
from tuneworth.models.api.openai_chat import OpenAIChat
from tuneworth.models.api.services import endpoint_of
from tuneworth.models.scripted import ScriptedModel
from tuneworth.race import keys
from tuneworth.race.arms import plan_arms
from tuneworth.strategies.fewshot import FewShot
from tuneworth.strategies.head import Head
from tuneworth.strategies.nearest import Nearest
from tuneworth.strategies.prompt import Prompt

TASK = Task(name="t", kind="label", labels=("a", "b"), metric="accuracy")


@pytest.fixture(autouse=True)
def uncached():
    keys.code_digest.cache_clear()
    yield
    keys.code_digest.cache_clear()


def prompt_key() -> str:
    keys.code_digest.cache_clear()
    return keys.arm_key(TASK, Prompt, Prompt.Config(), ScriptedModel(), "basis")


def served_key() -> str:
    """Of a model behind an API."""
    endpoint = endpoint_of("http://127.0.0.1:9/v1#m")
    keys.code_digest.cache_clear()
    return keys.arm_key(TASK, Prompt, Prompt.Config(), ChatModel(endpoint, OpenAIChat(endpoint)), "basis")


@pytest.mark.parametrize(
    ("module", "changes"),
    [
        ("tuneworth.models.api.chat_model", True),
        ("tuneworth.models.api.constrain", True),
        ("tuneworth.models.api.pace", False),
        ("tuneworth.models.api.failures", False),
        ("tuneworth.models.metering", False),
    ],
)
def test_how_calls_travel_is_no_reason_to_pay_for_them_again(monkeypatch, module, changes):
    assert keys.source_of(module) is not None
    assert (changed(monkeypatch, module, served_key) != served_key()) is changes


def test_another_address_is_another_arm(monkeypatch):
    names = ("http://127.0.0.1:9/v1#m", "http://127.0.0.1:8/v1#m")
    made = [ChatModel(endpoint, OpenAIChat(endpoint)) for endpoint in map(endpoint_of, names)]
    for model in made:
        model.endpoint = replace(model.endpoint, name="openai/m")
    assert len({keys.arm_key(TASK, Prompt, Prompt.Config(), model, "basis") for model in made}) == 2


def changed(monkeypatch, module: str, key: Callable[[], str] = prompt_key) -> str:
    """The key with a comment more in ``module``."""
    real = keys.source_of

    def source_of(name):
        source = real(name)
        return f"{source}\n# changed\n" if name == module else source

    with monkeypatch.context() as patch:
        patch.setattr(keys, "source_of", source_of)
        return key()


@pytest.mark.parametrize(
    "module",
    [
        "tuneworth.strategies.prompt",
        "tuneworth.strategies._parts.prompting",
        "tuneworth.models.scripted",
        "tuneworth.core.task",
    ],
)
def test_code_that_makes_the_prompt_changes_the_key(monkeypatch, module):
    assert keys.source_of(module) is not None
    assert changed(monkeypatch, module) != prompt_key()


@pytest.mark.parametrize(
    "module", ["tuneworth.report.html", "tuneworth.strategies.lora", "tuneworth.race.stages", "tuneworth.words.numbers"]
)
def test_other_code_does_not(monkeypatch, module):
    assert keys.source_of(module) is not None
    assert changed(monkeypatch, module) == prompt_key()


def test_the_version_alone_does_not(monkeypatch):
    before = prompt_key()
    monkeypatch.setattr(tuneworth, "__version__", "99.0")
    assert prompt_key() == before


def test_the_engine_that_runs_an_arm_counts():
    with_engine = keys.code_digest("tuneworth.strategies.prompt", "tuneworth.models.local.model")
    assert with_engine != keys.code_digest("tuneworth.strategies.prompt", "tuneworth.models.scripted")


def test_a_plugin_of_another_distribution_counts_with_its_own_package(tmp_path, monkeypatch):
    package = tmp_path / "house"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "mine.py").write_text("from . import words\nfrom .inner import line\nimport json\n")
    (package / "words.py").write_text("HELLO = 'hello'\n")
    (package / "inner.py").write_text("line = 1\n")
    (package / "other.py").write_text("OTHER = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("house.mine")
    digests = []
    for file, text in (("words", "HELLO = 'hello'\n"), ("words", "HELLO = 'hi'\n"), ("inner", "line = 2\n")):
        (package / f"{file}.py").write_text(text)
        keys.code_digest.cache_clear()
        digests.append(keys.code_digest("house.mine"))
    assert len(set(digests)) == 3
    (package / "other.py").write_text("OTHER = 2\n")
    keys.code_digest.cache_clear()
    assert keys.code_digest("house.mine") == digests[-1]
    for name in [name for name in sys.modules if name.partition(".")[0] == "house"]:
        del sys.modules[name]


def test_arms_of_a_plan_have_keys_of_their_own():
    plan = plan_arms(TASK, [], [ScriptedModel()], ["prompt"], "basis")
    assert len({arm.key for arm in plan.arms}) == len(plan.arms) > 0


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A plug-in package that can be imported; what it holds is written by the test."""
    package = tmp_path / "house"
    package.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == "house"]:
        del sys.modules[name]


def test_a_plugin_that_is_a_package_counts_with_what_it_imports_from_beside_it(house):
    (house / "__init__.py").write_text("from .words import HELLO\nfrom . import lines\n")
    (house / "lines.py").write_text("")
    (house / "words.py").write_text("HELLO = 'hello'\n")
    importlib.import_module("house")
    before = keys.code_digest("house")
    digests = {before}
    for file in ("words", "lines"):
        (house / f"{file}.py").write_text("HELLO = 'hi'\n")
        keys.code_digest.cache_clear()
        digests.add(keys.code_digest("house"))
    assert len(digests) == 3


def test_a_plugin_that_knows_the_old_paths_counts_with_the_code_that_is_there_now(house, monkeypatch):
    (house / "__init__.py").write_text("")
    (house / "mine.py").write_text("def fit():\n    from tuneworth.strategies.prompting import Prompting\n")
    importlib.import_module("house.mine")
    before, real = keys.code_digest("house.mine"), keys.source_of
    moved = "tuneworth.strategies._parts.prompting"
    monkeypatch.setattr(keys, "source_of", lambda name: f"{real(name)}\n# changed" if name == moved else real(name))
    keys.code_digest.cache_clear()
    assert keys.code_digest("house.mine") != before


def test_a_zipped_plugin_counts(tmp_path):
    digests = set()
    for hello in ("hello", "hi"):
        path = tmp_path / f"{hello}.zip"
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("packed/__init__.py", "")
            packed.writestr("packed/mine.py", "from packed.words import HELLO\n")
            packed.writestr("packed/words.py", f"HELLO = {hello!r}\n")
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(path))
            importlib.import_module("packed.mine")
            keys.code_digest.cache_clear()
            digests.add(keys.code_digest("packed.mine"))
        for name in ("packed", "packed.mine", "packed.words"):
            del sys.modules[name]
    assert len(digests) == 2


def test_what_an_arm_draws_follows_from_what_it_is_and_not_from_its_key():
    arm, *_ = plan_arms(TASK, [], [ScriptedModel()], ["prompt"], "basis").arms
    assert replace(arm, key="0" * 64).lot == arm.lot, "other code, another model or number format"
    assert len({arm.lot, arm.fitted_on(16).lot, arm.fitted_on(None, 1).lot, arm.fitted_on(16, 1).lot}) == 4


@pytest.mark.parametrize(("strategy", "counts"), [(Head, True), (FewShot, True), (Nearest, True), (Prompt, False)])
def test_the_code_of_the_sentence_encoder_counts_for_arms_that_ask_for_it(monkeypatch, strategy, counts):
    def key():
        keys.code_digest.cache_clear()
        return keys.arm_key(TASK, strategy, strategy.Config(), ScriptedModel(), "basis")

    before, real = key(), keys.source_of
    monkeypatch.setattr(
        keys, "source_of", lambda name: f"{real(name)}# x" if name.endswith("local.encoder") else real(name)
    )
    assert (key() != before) == counts


def test_the_weights_of_the_encoder_count_for_arms_that_compare_texts():
    rows = [Example(Query(str(i), (Message("user", f"text {i}"),)), "ab"[i % 2]) for i in range(8)]

    def keys_with(encoder, weights):
        task = TASK.model_copy(update={"sentence_encoder": encoder})
        plan = plan_arms(task, rows, [ScriptedModel()], ["prompt", "fewshot", "nearest"], "b", encoder_sha256=weights)
        return {arm.arm_id: arm.key for arm in plan.arms}

    one, again, others = keys_with("minilm", "1"), keys_with("minilm", "1"), keys_with("minilm", "2")
    assert one == again
    changed = {name for name in one if one[name] != others[name]}
    assert changed == {name for name in one if "nearest" in name}
    assert changed == {name for name in one if one[name] != keys_with("multilingual-e5-small", "1")[name]}
