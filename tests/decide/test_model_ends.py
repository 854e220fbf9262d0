"""A model that its service ends soon is warned of; names of arms tell several models apart."""

from datetime import date

import pytest
from decide_builders import METRIC, arm, compared, duel, task

from tuneworth.core.text import Text
from tuneworth.decide.decision import decide
from tuneworth.words.names import arm_names, model_names

RUN = date(2026, 12, 1)


def decided(ends: str | None, day: date | None = RUN):
    arms, rows = duel(10, 60, 150, 80, untuned_more={"model_ends": ends})
    return decide(task(), arms, compared(rows), primary_metric=METRIC, n_train=800, day=day)


@pytest.mark.parametrize(("ends", "left"), [("2026-12-01", 0), ("2027-01-14", 44), ("2027-12-01", 365)])
def test_a_recommended_model_that_ends_within_a_year_is_warned_of(ends, left):
    decision = decided(ends)
    assert decision.recommended == "fewshot"
    assert "reasons.caution.model_ends" in decision.codes
    [said] = [text for text in decision.reasons if ends in text.en]
    assert f"ends its model on {ends}, {left} days after this run" in said.en
    assert f"将于 {ends} 停止服务，距这次运行还有 {left} 天" in said.zh


@pytest.mark.parametrize("ends", [None, "2027-12-02", "2031-01-01", "", "soon", "2027-13-45"])
def test_nothing_is_said_of_one_that_lasts_or_of_which_nothing_is_known(ends):
    assert not [code for code in decided(ends).codes if "model_end" in code]


def test_nothing_is_said_where_the_day_of_the_run_is_not_known():
    assert not [code for code in decided("2027-01-14", day=None).codes if "model_end" in code]


def test_one_that_was_to_end_before_the_run():
    decision = decided("2026-11-30T00:00:00Z")
    assert "reasons.caution.model_ended" in decision.codes
    assert any("was to end its model on 2026-11-30, before this run" in text.en for text in decision.reasons)


def test_only_of_the_recommended_arm():
    arms, rows = duel(10, 60, 150, 80, tuned_more={"model_ends": "2027-01-14"})
    decision = decide(task(), arms, compared(rows), primary_metric=METRIC, n_train=800, day=RUN)
    assert not [code for code in decision.codes if "model_end" in code]


def test_with_several_models_every_arm_of_one_says_which():
    address = "http://127.0.0.1:45013/v1#qwen2.5-0.5b"
    arms = [
        arm("prompt", model="smollm2-135m"),
        arm("fewshot", model=address),
        arm("lora", model="smollm2-135m"),
        arm("head"),
    ]
    names = {arm_id: name.en for arm_id, name in arm_names(arms).items()}
    assert names == {
        "prompt": "PROMPT · smollm2-135m",
        "fewshot": "FEWSHOT · qwen2.5-0.5b",
        "lora": "LORA · smollm2-135m",
        "head": "HEAD",
    }
    assert {name.en for name in arm_names(arms[:1]).values()} == {"PROMPT"}, "one model goes without saying"


def test_names_stay_apart():
    same = [arm("prompt", arm_id=str(number), model="m", title=Text(en="P", zh="提")) for number in range(2)]
    other = arm("prompt", arm_id="2", model="a/m", title=Text(en="P", zh="提"))
    names = [name.en for name in arm_names([*same, other]).values()]
    assert len(set(names)) == 3


def test_what_models_are_called():
    assert model_names(["openai/gpt-6-luna", "/home/me/models/qwen", "http://127.0.0.1:1/v1#q"]) == {
        "openai/gpt-6-luna": "gpt-6-luna",
        "/home/me/models/qwen": "qwen",
        "http://127.0.0.1:1/v1#q": "q",
    }
    assert model_names(["openai/m", "groq/m"]) == {"openai/m": "openai/m", "groq/m": "groq/m"}
    assert model_names(["tiny", "tiny"]) == {"tiny": "tiny"}
