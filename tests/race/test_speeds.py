"""How fast a model is, from two calls of it."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from tuneworth.models.base import Capabilities
from tuneworth.models.scripted import ScriptedModel
from tuneworth.race.estimate import NEW_TOKENS, ROWS, TRAINING_COST, measure, speeds_of


class Paced(ScriptedModel):
    """Reads and writes at set speeds, in tokens a second."""

    def __init__(self, read, write, **options):
        super().__init__(lambda request: "one two three four five six seven eight nine ten eleven twelve", **options)
        self.read, self.write, self.calls = read, write, 0

    def generate(self, requests, *, max_new_tokens):
        self.calls += 1
        done = super().generate(requests, max_new_tokens=max_new_tokens)
        read = sum(one.usage.prompt_tokens - one.usage.cached_tokens for one in done)
        time.sleep(read / self.read + sum(one.usage.completion_tokens for one in done) / self.write)
        return done

    def describe(self):
        return {"id": self.id, "weights_sha256": "abc", "dtype": "float32"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEWORTH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_reading_and_writing_are_told_apart():
    speeds = measure(Paced(read=20_000.0, write=1_000.0))
    assert speeds.write == pytest.approx(1_000.0, rel=0.25)
    # A token written after each prompt is counted as reading: it is a share of what is timed there.
    assert 5_000.0 < speeds.read <= 20_000.0
    assert speeds.train == speeds.read / TRAINING_COST


def test_it_is_measured_once_a_machine(home):
    model = Paced(read=1e6, write=1e5)
    first = speeds_of(model)
    calls = model.calls
    assert speeds_of(model) == first
    assert model.calls == calls == 3
    [kept] = (home / "speeds").iterdir()
    assert json.loads(kept.read_text()) == {"read": first.read, "write": first.write}


def test_a_damaged_note_is_measured_anew(home):
    speeds_of(Paced(read=1e6, write=1e5))
    [kept] = (home / "speeds").iterdir()
    kept.write_text('{"read": 1')
    again = speeds_of(Paced(read=1e6, write=1e5))
    assert json.loads(kept.read_text()) == {"read": again.read, "write": again.write}


def test_a_model_without_known_weights_is_not_noted(home):
    assert speeds_of(ScriptedModel()) is not None
    assert not (home / "speeds").exists()


def test_a_model_elsewhere_is_not_asked():
    model = Paced(read=1e6, write=1e5)
    model.capabilities = replace(model.capabilities, local=False)
    assert isinstance(model.capabilities, Capabilities)
    assert speeds_of(model) is None
    assert model.calls == 0


@pytest.mark.parametrize("trouble", ["error", "over_context"])
def test_a_model_that_does_not_answer_has_no_speed(trouble):
    assert speeds_of(ScriptedModel(trouble={"Count": trouble})) is None


def test_a_broken_model_is_left_to_its_arms():
    class Broken(ScriptedModel):
        def generate(self, requests, *, max_new_tokens):
            raise RuntimeError("no weights")

    assert speeds_of(Broken()) is None


def test_answers_that_end_at_once_still_give_a_speed():
    speeds = measure(ScriptedModel(lambda request: "done"))
    assert speeds.write == speeds.read > 0


def test_the_questions_share_no_beginning():
    model = ScriptedModel()
    measure(model)
    asked = {request.messages for request in model.requests}
    assert len(asked) == ROWS
    assert len({messages[0].content for messages in asked}) == ROWS
    assert NEW_TOKENS > 1
