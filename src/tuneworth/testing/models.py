"""Conformance of models that can be trained or that decide, and a random one of a few thousand weights to train.

    from tuneworth.testing.models import check_deciding, check_trainable
    check_trainable(lambda: MyModel(), tmp_path)
    check_deciding(lambda: MyModel())

run every check on a small task; ``TRAINING_CHECKS`` and ``DECIDING_CHECKS`` let a test suite show them one by one. A check raises
``AssertionError`` with the model and what was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from tuneworth.core.task import Message
from tuneworth.errors import NotEnoughData
from tuneworth.models.base import (
    Constraint,
    Deciding,
    Request,
    Trainable,
    TrainConfig,
    TrainExample,
    is_deciding,
    is_trainable,
)
from tuneworth.testing.cases import CASES

CHAT_TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
N_TOKENS = 600
LESSONS = tuple(TrainExample((Message("user", row.query.text),), row.output) for row in CASES[0].train)
DEV_LESSONS = tuple(TrainExample((Message("user", row.query.text),), row.output) for row in CASES[0].dev)
QUICK = TrainConfig(rank=4, learning_rate=1e-2, epochs=2, checkpoint_seconds=0.0)


def make_tiny_llama(folder: Path, *, hidden_size: int = 32, context_tokens: int = 2048) -> Path:
    """Save a random Llama and its tokenizer in ``folder``; the same weights every time."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=N_TOKENS,
        hidden_size=hidden_size,
        intermediate_size=2 * hidden_size,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context_tokens,
        bos_token_id=0,
        eos_token_id=2,
        pad_token_id=0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(7)
        LlamaForCausalLM(config).save_pretrained(folder)
    _tokenizer([row.query.text for case in CASES for row in case.train]).save_pretrained(folder)
    return folder


def _tokenizer(texts: Sequence[str]) -> Any:
    """Byte-level BPE trained on ``texts``, with the turn markers of ChatML."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=N_TOKENS,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<|endoftext|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def answers(model: Trainable, adapter: Path | None = None) -> list[str]:
    """What ``model`` says to the questions of the lessons."""
    name = None if adapter is None else str(adapter)
    if name is not None:
        model.load_adapter(name, name)
    requests = [Request(lesson.messages, adapter=name) for lesson in LESSONS[:8]]
    return [done.text for done in model.generate(requests, max_new_tokens=8)]


def learns_and_answers_as_before_without_the_adapter(model: Trainable, folder: Path) -> None:
    assert is_trainable(model), f"{model.id}: trains, so its capabilities must say so"
    before, told = answers(model), list[tuple[int, int, str]]()
    result = model.train(LESSONS, DEV_LESSONS, QUICK, folder, progress=lambda *at: told.append(at))
    assert told[0][0] == 0, f"{model.id}: progress begins with {told[0]}"
    assert told[-1][:2] == (result.steps, result.steps), f"{model.id}: {result.steps} steps, progress ends {told[-1]}"
    assert len(result.dev_losses) > 1, f"{model.id}: dev was looked at {len(result.dev_losses)} times"
    assert min(loss for _, loss in result.dev_losses) < result.dev_losses[0][1], f"{model.id}: {result.dev_losses}"
    assert answers(model, Path(result.folder)) != before, f"{model.id}: the adapter changes no answer"
    assert answers(model) == before, f"{model.id}: without the adapter it answers in another way than before"


def a_finished_training_is_not_repeated(model: Trainable, folder: Path) -> None:
    first = model.train(LESSONS, DEV_LESSONS, QUICK, folder)
    steps: list[int] = []

    def again(lessons: Sequence[TrainExample], config: TrainConfig = QUICK) -> int:
        steps.clear()
        model.train(lessons, DEV_LESSONS, config, folder, progress=lambda done, total, unit: steps.append(done))
        return len(steps)

    assert asdict(model.train(LESSONS, DEV_LESSONS, QUICK, folder)) == asdict(first), f"{model.id}: another result"
    assert again(LESSONS) == 0, f"{model.id}: trained again, {len(steps)} steps"
    changed = [replace(LESSONS[0], completion="something else"), *LESSONS[1:]]
    assert again(changed) > 1, f"{model.id}: took a training on other rows for this one"
    assert again(changed, QUICK.model_copy(update={"seed": 1})) > 1, f"{model.id}: took another seed for this one"


def a_killed_training_goes_on(model: Trainable, folder: Path) -> None:
    class Killed(Exception):
        pass

    def die(done: int, total: int, unit: str) -> None:
        if done == total // 2:
            raise Killed

    whole, steps = model.train(LESSONS, DEV_LESSONS, QUICK, folder / "whole"), list[int]()
    try:
        model.train(LESSONS, DEV_LESSONS, QUICK, folder / "cut", progress=die)
    except Killed:
        pass
    else:
        raise AssertionError(f"{model.id}: an error of the progress callback was swallowed")
    resumed = model.train(
        LESSONS, DEV_LESSONS, QUICK, folder / "cut", progress=lambda done, total, unit: steps.append(done)
    )
    assert steps[0] > 0, f"{model.id}: began from the start"
    assert resumed.dev_losses == whole.dev_losses, f"{model.id}: {resumed.dev_losses}, undisturbed {whole.dev_losses}"
    same = answers(model, Path(resumed.folder)) == answers(model, Path(whole.folder))
    assert same, f"{model.id}: answers in another way than after an undisturbed training"


def without_time_it_still_gives_an_adapter(model: Trainable, folder: Path) -> None:
    result = model.train(LESSONS, DEV_LESSONS, QUICK, folder, seconds_left=0.0)
    assert result.stopped == "time", f"{model.id}: no time, but stopped because of {result.stopped}"
    answers(model, Path(result.folder))


def rows_that_are_too_long_are_left_out(model: Trainable, folder: Path) -> None:
    long = TrainExample((Message("user", "word " * 400),), "long")
    short = QUICK.model_copy(update={"max_length": 300})
    result = model.train([*LESSONS, long], DEV_LESSONS, short, folder / "some")
    assert result.details["rows_too_long"] == 1, f"{model.id}: {result.details}"
    try:
        model.train([long], DEV_LESSONS, short, folder / "all")
    except NotEnoughData:
        return
    raise AssertionError(f"{model.id}: trained on nothing")


TRAINING_CHECKS: tuple[Callable[[Trainable, Path], None], ...] = (
    learns_and_answers_as_before_without_the_adapter,
    a_finished_training_is_not_repeated,
    a_killed_training_goes_on,
    without_time_it_still_gives_an_adapter,
    rows_that_are_too_long_are_left_out,
)


def check_trainable(make_model: Callable[[], Trainable], folder: Path) -> None:
    """Every check, each on a model of its own; ``folder`` must be empty."""
    for check in TRAINING_CHECKS:
        check(make_model(), folder / check.__name__)


LABELS = tuple(dict.fromkeys(lesson.completion for lesson in LESSONS))
ROUNDING = 1e-3
"""Rows that meet others in a batch may differ by so much in a log-probability."""


def _asked(labels: Sequence[str] = LABELS) -> list[Request]:
    constraint = Constraint(labels=tuple(labels))
    return [Request(lesson.messages, constraint) for lesson in LESSONS[:6]]


def _told(model: Deciding, requests: Sequence[Request]) -> np.ndarray:
    decisions = model.decide(requests)
    assert len(decisions) == len(requests), f"{model.id}: {len(decisions)} decisions for {len(requests)} requests"
    for decision in decisions:
        assert decision.log_probabilities is not None, f"{model.id}: no decision, {decision.completion}"
    return np.array([decision.log_probabilities for decision in decisions])


def gives_probabilities_of_all_labels(model: Deciding) -> None:
    """One for each, summing to 1; the completion is the likeliest label, with what it took."""
    assert is_deciding(model), f"{model.id}: decides, so its capabilities must say so"
    found = _told(model, _asked())
    assert found.shape == (6, len(LABELS)), f"{model.id}: {found.shape}"
    sums = np.exp(found).sum(axis=1)
    assert np.allclose(sums, 1), f"{model.id}: probabilities sum to {sums}"
    for decision, row in zip(model.decide(_asked()), found, strict=True):
        done = decision.completion
        assert done.finish_reason == "stop", f"{model.id}: {done}"
        best = row[LABELS.index(done.text)]
        assert best >= row.max() - ROUNDING, f"{model.id}: says {done.text}, which is not the likeliest"
        assert done.usage.completion_tokens == 0, f"{model.id}: a decision writes nothing, {done.usage}"
    assert model.decide([]) == [], f"{model.id}: no request, no decision"


def decisions_do_not_hang_on_the_order(model: Deciding) -> None:
    """Neither of the requests nor of their labels (a service may be asked in another order, and may answer differently)."""
    found = _told(model, _asked())
    assert np.allclose(_told(model, _asked()[::-1])[::-1], found, atol=ROUNDING), (
        f"{model.id}: order of requests matters"
    )
    if model.capabilities.deterministic:
        turned = _told(model, _asked(LABELS[::-1]))[:, ::-1]
        assert np.allclose(turned, found, atol=ROUNDING), f"{model.id}: order of labels matters"


def decides_between_labels_only(model: Deciding) -> None:
    try:
        model.decide([Request(LESSONS[0].messages)])
    except ValueError:
        return
    raise AssertionError(f"{model.id}: decided between nothing")


DECIDING_CHECKS: tuple[Callable[[Deciding], None], ...] = (
    gives_probabilities_of_all_labels,
    decisions_do_not_hang_on_the_order,
    decides_between_labels_only,
)


def check_deciding(make_model: Callable[[], Deciding]) -> None:
    """Every check, each on a model of its own."""
    for check in DECIDING_CHECKS:
        check(make_model())
