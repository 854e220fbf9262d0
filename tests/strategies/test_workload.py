"""Work counted beforehand, held against what a model was then really sent."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tuneworth.core.registry import load_plugin
from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.models.base import epochs_for
from tuneworth.models.scripted import ScriptedModel
from tuneworth.strategies import Context
from tuneworth.strategies._parts.workload import (
    SAMPLE_ROWS,
    TURN_TOKENS,
    Workload,
    encoded_chars,
    encoding_work,
    expected_completion,
    mean_tokens,
    sample,
)
from tuneworth.strategies.fewshot import FewShot, FewShotConfig
from tuneworth.strategies.head import Head, HeadConfig
from tuneworth.strategies.lora import Lora, LoraConfig
from tuneworth.strategies.nearest import Nearest
from tuneworth.strategies.prompt import Prompt, PromptConfig
from tuneworth.testing.cases import HashEncoder

LABELS = Task(
    name="t", kind="label", labels=("red", "blue"), metric="accuracy", instruction="Name the colour.", language="en"
)
TEXT = Task(name="t", kind="text", metric="rouge_l", instruction="Say it again.", language="en")


def rows(n: int, words: int = 6) -> list[Example]:
    """Rows of different texts, every one of ``words`` words."""
    texts = [" ".join([f"word{i}", *(f"w{j}" for j in range(words - 1))]) for i in range(n)]
    return [Example(Query(f"r{i}", (Message("user", text),)), ("red", "blue")[i % 2]) for i, text in enumerate(texts)]


def asked(strategy, task: Task, train, folder: Path) -> tuple[float, float]:
    """Mean tokens that the model was sent per row with the turns' own overhead, and those that all rows shared."""
    model = ScriptedModel()
    context = Context(task, model, lambda: HashEncoder(), np.random.default_rng(0), 0, folder, max_new_tokens=20)
    solver = strategy.fit(train, train[:4], context)
    solver.solve([row.query for row in rows(40)[-8:]])
    counted = [
        [model.count_tokens(message.content) + TURN_TOKENS for message in request.messages]
        for request in model.requests
    ]
    shared = [sum(counts[: request.n_shared]) for counts, request in zip(counted, model.requests, strict=True)]
    return sum(map(sum, counted)) / len(counted), sum(shared) / len(shared)


@pytest.mark.parametrize(
    "strategy",
    [
        Prompt(PromptConfig()),
        FewShot(FewShotConfig(k=4)),
        FewShot(FewShotConfig(k=16, selection="balanced")),
        FewShot(FewShotConfig(k=4, selection="nearest")),
    ],
    ids=["prompt", "4 random", "16 balanced", "4 nearest"],
)
def test_what_was_counted_is_what_is_sent(strategy, tmp_path: Path) -> None:
    train = rows(30)
    work = strategy.workload(LABELS, ScriptedModel(), train, 20)
    total, shared = asked(strategy, LABELS, train, tmp_path)
    assert work.prompt_tokens + work.shared_tokens == pytest.approx(total, rel=0.02)
    assert work.shared_tokens == pytest.approx(shared, rel=0.02)


def test_demonstrations_that_do_not_fit_the_context_are_not_counted() -> None:
    model = ScriptedModel(context_tokens=120)
    work = FewShot(FewShotConfig(k=16)).workload(LABELS, model, rows(30), 20)
    assert work.prompt_tokens + work.shared_tokens <= 100


def test_only_what_reads_texts_as_vectors_uses_the_encoder() -> None:
    train = rows(30)
    english = LABELS.model_copy(update={"sentence_encoder": "minilm"})
    chars = encoded_chars([row.query for row in train[:1]], english)
    assert Nearest().workload(english, None, train, 20).encoded_chars == pytest.approx(chars, rel=0.1)
    assert Head(HeadConfig()).workload(english, None, train, 20).encoded_chars == pytest.approx(chars, rel=0.1)
    assert Head(HeadConfig(features="tfidf")).workload(LABELS, None, train, 20).encoded_chars == 0
    assert Nearest().workload(LABELS, None, train, 20) == Workload()
    nearest = FewShot(FewShotConfig(selection="nearest"))
    assert nearest.workload(english, ScriptedModel(), train, 20).encoded_chars > 0
    assert nearest.workload(LABELS, ScriptedModel(), train, 20).encoded_chars == 0


def test_chinese_and_a_deeper_encoder_are_more_work() -> None:
    assert encoding_work(["abcd"], "minilm") == 4
    assert encoding_work(["abcd", "退款退款"], "multilingual-e5-small") == (4 + 12) / 2 * 2
    assert encoding_work(["x" * 5000], "minilm") == encoding_work(["x" * 1000], "minilm")
    assert encoding_work([], "minilm") == 0


def test_a_head_takes_more_with_more_labels() -> None:
    many = LABELS.model_copy(update={"labels": tuple(f"label{i}" for i in range(77))})
    train = rows(30)
    few, more = (Head(HeadConfig()).workload(task, None, train, 20).fit_operations for task in (LABELS, many))
    assert more == pytest.approx(77 / 2 * few)


def test_a_training_reads_prompt_and_answer_in_several_passes() -> None:
    work = Lora().workload(LABELS, ScriptedModel(), rows(60), 20)
    assert work.train_tokens > work.prompt_tokens
    passes = LoraConfig().passes
    assert work.passes(500) == passes(500)
    for n in (16, 100, 1000, 20_000):
        assert 0.9 * epochs_for(n) < passes(n) < 1.2 * epochs_for(n)
    assert 100 * passes(100) < 200 * passes(200) < 1000 * passes(1000)
    assert LoraConfig(epochs=2).passes(1000) < 0.6 * LoraConfig(epochs=4).passes(1000)


def test_who_was_not_shown_answers_may_write_to_the_limit() -> None:
    model, train = ScriptedModel(), rows(8)

    def tokens(task: Task, constrained: bool, shown: bool) -> float:
        return expected_completion(task, model, train, constrained=constrained, shown=shown, max_new_tokens=50)

    assert tokens(TEXT, False, False) == 50
    assert tokens(TEXT, False, True) == 2  # the answer of one word, and the end of the turn
    assert 1 < tokens(LABELS, True, False) < 2
    assert expected_completion(TEXT, model, train, constrained=False, shown=True, max_new_tokens=1) == 1


def test_a_choice_counts_the_options_of_its_rows() -> None:
    task = Task(name="t", kind="choice", metric="accuracy")
    options = tuple(f"option {i} of many long ones" for i in range(16))
    train = [Example(Query(f"q{i}", (Message("user", f"question {i}"),), options), options[0]) for i in range(5)]
    tokens = expected_completion(task, ScriptedModel(), train, constrained=True, shown=False, max_new_tokens=50)
    assert tokens == pytest.approx(2.0)


def test_the_sample_is_spread_over_all_rows() -> None:
    train = rows(1000)
    ids = [int(row.id[1:]) for row in sample(train)]
    assert len(ids) == SAMPLE_ROWS
    assert ids == sorted(set(ids))
    assert ids[-1] > 900
    assert sample(train[:3]) == train[:3]
    assert list(sample([])) == []
    assert mean_tokens(ScriptedModel(), []) == 0.0


def test_a_plug_in_that_says_nothing_has_a_usable_default() -> None:
    majority = load_plugin("tuneworth.strategies", "majority")()
    assert majority.workload(LABELS, None, rows(10), 20) == Workload()

    class Tuned(Lora):
        """A plug-in that trains and keeps the default."""

        workload = Lora.__mro__[1].workload

    work = Tuned().workload(TEXT, ScriptedModel(), rows(10), 20)
    assert work.prompt_tokens == 6 + TURN_TOKENS
    assert work.train_tokens == work.prompt_tokens + 2
    assert work.passes(1000) == 1.0
    assert math.isfinite(work.completion_tokens)
