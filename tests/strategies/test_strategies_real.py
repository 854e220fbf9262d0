"""Prompt, few-shot, head and nearest row with the embedded models: what is claimed about real models."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from tuneworth.models.base import Encoder, Model
from tuneworth.strategies import Context, Strategy
from tuneworth.strategies.fewshot import FewShot, FewShotConfig
from tuneworth.strategies.head import Head, HeadConfig
from tuneworth.strategies.nearest import Nearest
from tuneworth.strategies.prompt import Prompt, PromptConfig
from tuneworth.testing.cases import CASES

pytestmark = pytest.mark.slow

CASE = next(case for case in CASES if case.task.name == "label-en")
JSON_CASE = next(case for case in CASES if case.task.name == "json")


@pytest.fixture(scope="module")
def model() -> Model:
    from tuneworth.models.catalog import open_model

    return open_model(os.environ.get("TUNEWORTH_TEST_MODEL", "smollm2-135m"))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    from tuneworth.models.catalog import open_encoder

    return open_encoder()


def no_encoder() -> Encoder:
    raise AssertionError("the encoder was loaded without need")


def answers_on_dev(strategy: Strategy, case, folder: Path, model: Model | None = None, encoder=no_encoder):
    context = Context(case.task, model, encoder, np.random.default_rng(0), 0, folder, max_new_tokens=24)
    solver = strategy.fit(case.train, case.dev, context)
    return solver.solve([row.query for row in case.dev])


def accuracy(answers, case) -> float:
    return float(np.mean([answer.text == row.output for answer, row in zip(answers, case.dev)]))


def test_a_constrained_prompt_answers_with_labels_and_shares_its_instruction(model: Model, tmp_path: Path) -> None:
    answers = answers_on_dev(Prompt(PromptConfig(constrained=True)), CASE, tmp_path, model)
    assert {answer.text for answer in answers} <= set(CASE.task.labels)
    assert all(0 < answer.usage.cached_tokens < answer.usage.prompt_tokens for answer in answers)


def test_nearest_demonstrations_help(model: Model, encoder: Encoder, tmp_path: Path) -> None:
    plain = answers_on_dev(Prompt(), CASE, tmp_path, model)
    shown = answers_on_dev(FewShot(FewShotConfig(k=4, selection="nearest")), CASE, tmp_path, model, lambda: encoder)
    assert accuracy(shown, CASE) >= max(0.9, accuracy(plain, CASE))


def test_fixed_demonstrations_are_read_once(model: Model, tmp_path: Path) -> None:
    answers = answers_on_dev(FewShot(FewShotConfig(k=16, selection="balanced")), CASE, tmp_path, model)
    own = [answer.usage.prompt_tokens - answer.usage.cached_tokens for answer in answers]
    assert max(own) < 60
    assert min(answer.usage.cached_tokens for answer in answers) > 300


def test_constrained_json_has_the_form_of_the_schema(model: Model, tmp_path: Path) -> None:
    from jsonschema import validate

    answers = answers_on_dev(FewShot(FewShotConfig(k=4)), JSON_CASE, tmp_path, model)
    assert len(answers) == len(JSON_CASE.dev)
    for answer in answers:
        validate(json.loads(answer.text or ""), JSON_CASE.task.json_schema)


def test_embeddings_tell_the_intents_apart(encoder: Encoder, tmp_path: Path) -> None:
    for strategy in (Head(HeadConfig(features="embedding")), Nearest()):
        answers = answers_on_dev(strategy, CASE, tmp_path, encoder=lambda: encoder)
        assert accuracy(answers, CASE) == 1.0
        assert all(0 < answer.latency_ms < 1000 for answer in answers)
