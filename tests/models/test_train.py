"""The trainer: on a tiny random model for the mechanics, and a few steps on the embedded one."""

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tuneworth.core.task import Message
from tuneworth.errors import EnvironmentProblem, NotEnoughData, TrainingDiverged
from tuneworth.models.base import Request, TrainConfig, TrainExample
from tuneworth.models.local import train as trainer
from tuneworth.models.local.batches import Pack, encode, epoch_order, kin, packs_of, shared_prefix, split_batch
from tuneworth.models.local.loss import CompletionLoss
from tuneworth.models.local.train import CHECKPOINT
from tuneworth.models.local.weights import active_adapter
from tuneworth.testing.models import TRAINING_CHECKS

QUICK = TrainConfig(rank=4, alpha=8, learning_rate=1e-2, epochs=4, batch_rows=4, n_evals=4)


def make_examples(n: int, start: int = 0) -> list[TrainExample]:
    """Rows of different lengths; the answer is the first word."""
    words = ["card", "payment", "transfer", "refund", "exchange", "fee", "cash", "machine"]
    rows = []
    for i in range(start, start + n):
        word = words[i % len(words)]
        text = " ".join([word, *words[: i % 5], "你好" * (i % 3)])
        rows.append(TrainExample((Message("system", "the bank says"), Message("user", text)), f"{word} please"))
    return rows


def make_questions(n: int, *, each: int = 3) -> list[TrainExample]:
    """Rows about passages of some length, ``each`` about the same one, and not next to one another."""
    words = ["card", "payment", "transfer", "refund", "exchange", "fee", "cash", "machine"]
    n_passages = -(-n // each)
    rows = []
    for i in range(n):
        about = i % n_passages
        passage = " ".join(words[(about * k + about + k) % len(words)] for k in range(1, 40))
        asked = f"{passage} question {words[i % 8]} {words[i // 3 % 8]}"
        rows.append(
            TrainExample((Message("system", "the bank says"), Message("user", asked)), f"{words[about % 8]} please")
        )
    return rows


def alone(rows, n_prefix=0) -> list[Pack]:
    return [Pack((row,), n_prefix) for row in rows]


def weights_of(model) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.module.state_dict().items()}


def assert_same_weights(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    different = [name for name in a if not torch.equal(a[name], b[name])]
    assert different == []


def adapter(result) -> dict[str, torch.Tensor]:
    return load_file(Path(result.folder) / "adapter_model.safetensors")


def hf_loss(model, rows) -> float:
    """The loss of transformers itself: padded rows, an attention mask, labels of -100 on the prompt."""
    width = max(len(row.ids) for row in rows)
    ids = torch.tensor([[*row.ids, *[0] * (width - len(row.ids))] for row in rows])
    mask = torch.tensor([[1] * len(row.ids) + [0] * (width - len(row.ids)) for row in rows])
    labels = ids.clone()
    for i, row in enumerate(rows):
        labels[i, : row.n_prompt] = -100
        labels[i, len(row.ids) :] = -100
    return model.module(input_ids=ids, attention_mask=mask, labels=labels).loss


@pytest.mark.parametrize("with_prefix", [False, True])
def test_loss_and_gradient_equal_those_of_transformers(tiny, with_prefix):
    rows = encode(tiny, make_examples(7), 512)
    prefix = shared_prefix(rows) if with_prefix else ()
    ours = CompletionLoss(tiny.module, prefix, rows, autocast=None)
    assert ours.own_head
    assert ours.n_prefix == len(prefix)
    weight = tiny.module.model.layers[0].self_attn.k_proj.weight
    (expected,) = torch.autograd.grad(hf_loss(tiny, rows), weight)
    [part] = ours.parts(rows, 10_000, 10_000)
    loss = ours(part) / sum(row.n_completion for row in rows)
    (gradient,) = torch.autograd.grad(loss, weight)
    assert float(loss.detach()) == pytest.approx(float(hf_loss(tiny, rows).detach()), rel=1e-5)
    torch.testing.assert_close(gradient, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("with_prefix", [False, True])
def test_rows_that_begin_alike_are_computed_together_with_the_same_loss_and_gradient(
    tiny, monkeypatch, with_prefix, attention
):
    monkeypatch.setattr(tiny.module.config, "_attn_implementation", attention)
    rows = encode(tiny, make_questions(11), 512)
    prefix = shared_prefix(rows) if with_prefix else ()
    ours = CompletionLoss(tiny.module, prefix, rows, autocast=None)
    assert ours.packs
    parts = list(ours.parts(rows, 10_000, 10_000))
    assert sorted(len(pack.rows) for pack in parts[0]) == [2, 3, 3, 3]
    computed = sum(pack.n_tokens(ours.n_prefix) for pack in parts[0])
    assert computed < 0.6 * sum(len(row.ids) - ours.n_prefix for row in rows)
    weight = tiny.module.model.layers[0].self_attn.k_proj.weight
    (expected,) = torch.autograd.grad(hf_loss(tiny, rows), weight)
    loss = sum(ours(part) for part in parts) / sum(row.n_completion for row in rows)
    (gradient,) = torch.autograd.grad(loss, weight)
    assert float(loss.detach()) == pytest.approx(float(hf_loss(tiny, rows).detach()), rel=1e-5)
    torch.testing.assert_close(gradient, expected, rtol=1e-3, atol=1e-6)


def test_loss_does_without_packs_whose_mask_the_model_does_not_heed(tiny, monkeypatch):
    rows = encode(tiny, make_questions(6), 512)
    forward = tiny.module.model.forward
    monkeypatch.setattr(tiny.module.model, "forward", lambda **kw: forward(**{**kw, "attention_mask": None}))
    ours = CompletionLoss(tiny.module, shared_prefix(rows), rows, autocast=None)
    assert (ours.packs, ours.n_prefix > 0, ours.own_head) == (False, True, True)
    assert ours.relatives(rows) == []


def test_a_model_that_sees_its_last_tokens_only_packs_no_longer_rows(tiny, monkeypatch):
    rows = encode(tiny, make_questions(6), 512)
    for window, packs in ((10_000, True), (20, False)):
        monkeypatch.setattr(tiny.module.config, "sliding_window", window, raising=False)
        assert CompletionLoss(tiny.module, shared_prefix(rows), rows, autocast=None).packs == packs


def test_kin_are_rows_that_share_much_more_than_all_do(tiny):
    rows = encode(tiny, make_questions(12), 512)
    n_prefix = len(shared_prefix(rows))
    groups = kin(rows, n_prefix)
    assert sorted(index for members, _ in groups for index in members) == list(range(12))
    assert sorted(sorted(index % 4 for index in members) for members, _ in groups) == [[i] * 3 for i in range(4)]
    for members, n_shared in groups:
        assert len({rows[index].ids[:n_shared] for index in members}) == 1
        assert all(n_shared < rows[index].n_prompt for index in members)
    unlike = encode(tiny, make_examples(12), 512)
    assert all(len(members) == 1 for members, _ in kin(unlike, len(shared_prefix(unlike))))


def test_a_pack_keeps_within_the_limit(tiny):
    rows = encode(tiny, make_questions(8, each=8), 512)
    [whole] = packs_of(rows, 0, 10_000)
    limit = whole.n_tokens(0) // 2
    assert limit > len(rows[0].ids), "a row alone fits"
    packs = packs_of(rows, 0, limit)
    assert sorted(row.ids for pack in packs for row in pack.rows) == sorted(row.ids for row in rows)
    assert len(packs) > 1
    assert all(pack.n_tokens(0) <= limit for pack in packs)
    assert [len(pack.rows) for pack in packs_of(rows, 0, 1)] == [1] * 8


def test_relatives_come_in_one_batch_half_of_it_at_most():
    relatives = [[i, i + 50, i + 100, i + 150, i + 200, i + 250] for i in range(50)]
    batches = epoch_order([10] * 300, 8, 3, 0, relatives)
    assert sorted(i for batch in batches for i in batch) == list(range(300))
    assert {len(batch) for batch in batches[:-1]} <= {8, 4}
    kinds = [len({i % 50 for i in batch}) for batch in batches]
    assert min(kinds) >= 2
    assert sum(kinds) / len(kinds) < 4
    assert batches != epoch_order([10] * 300, 8, 3, 1, relatives)
    assert epoch_order([10] * 300, 8, 3, 0, [[i] for i in range(300)]) == epoch_order([10] * 300, 8, 3, 0)


def test_a_step_sees_several_passages_also_where_there_are_few_and_rows_of_one_are_of_like_length():
    relatives = [[i for i in range(320) if i % 10 == passage] for passage in range(10)]
    lengths = [100 + 20 * (i % 10) + i % 3 for i in range(320)]
    batches = epoch_order(lengths, 8, 3, 0, relatives)
    assert sorted(i for batch in batches for i in batch) == list(range(320))
    assert {len(batch) for batch in batches} == {8}
    alone = [batch for batch in batches if len({i % 10 for i in batch}) == 1]
    assert len(alone) <= 2, "the last rows of a bucket may be of one passage, and there are two buckets"
    padding = sum(max(lengths[i] for i in b) * len(b) - sum(lengths[i] for i in b) for b in batches)
    assert padding < 0.15 * sum(lengths)


def test_loss_does_without_a_prefix_that_the_model_does_not_support(tiny, monkeypatch):
    rows = encode(tiny, make_examples(4), 512)
    # As a model whose positions cannot be given would: the rows behind the prefix get wrong ones.
    forward = tiny.module.model.forward
    monkeypatch.setattr(
        tiny.module.model, "forward", lambda **kw: forward(**{**kw, "position_ids": None, "past_key_values": None})
    )
    ours = CompletionLoss(tiny.module, shared_prefix(rows), rows, autocast=None)
    assert (ours.n_prefix, ours.own_head) == (0, True)


def test_completion_ends_the_turn_and_prompt_is_the_generation_prompt(tiny):
    example = make_examples(1)[0]
    (row,) = encode(tiny, [example], 512)
    assert list(row.ids[: row.n_prompt]) == tiny.encode_chat(example.messages, add_generation_prompt=True)
    assert tiny.tokenizer.decode(row.ids[row.n_prompt :]) == "card please<|im_end|>"


def test_order_is_fixed_by_the_seed_and_batches_are_of_similar_length():
    lengths = [(i * 37) % 100 for i in range(400)]
    batches = epoch_order(lengths, 8, 3, 0)
    assert sorted(i for batch in batches for i in batch) == list(range(400))
    assert batches == epoch_order(lengths, 8, 3, 0)
    assert batches != epoch_order(lengths, 8, 4, 0)
    assert batches != epoch_order(lengths, 8, 3, 1)
    padding = sum(max(lengths[i] for i in b) * len(b) - sum(lengths[i] for i in b) for b in batches)
    assert padding < 0.1 * sum(lengths)
    firsts = [lengths[batch[0]] for batch in batches[:10]]
    assert firsts != sorted(firsts)


def test_split_batch_keeps_every_row_within_the_limits(tiny):
    rows = encode(tiny, make_examples(20), 512)
    parts = list(split_batch(alone(rows, 5), 5, max_tokens=120, max_targets=30))
    assert len(parts) > 1
    assert sorted(row.ids for part in parts for pack in part for row in pack.rows) == sorted(row.ids for row in rows)
    for part in parts:
        assert len(part) == 1 or max(pack.n_tokens(5) for pack in part) * len(part) <= 120
        assert len(part) == 1 or sum(pack.n_completion for pack in part) <= 30


def test_training_learns_saves_and_leaves_the_model_alone(tiny, tmp_path):
    before, layers = weights_of(tiny), [type(part) for part in tiny.module.modules()]
    seen: list[tuple[int, int, str]] = []
    result = tiny.train(make_examples(24), make_examples(8, 100), QUICK, tmp_path, progress=lambda *a: seen.append(a))
    assert_same_weights(before, weights_of(tiny))
    assert [type(part) for part in tiny.module.modules()] == layers
    assert all(weight.requires_grad for weight in tiny.module.parameters())
    assert not hasattr(tiny.module, "peft_config")
    losses = dict(result.dev_losses)
    assert result.stopped == "epochs"
    assert result.steps == 24
    assert result.epochs == 4
    assert losses[result.best_step] == min(losses.values()) < 0.5 * losses[0]
    assert seen[0] == (0, 24, "steps")
    assert seen[-1] == (24, 24, "steps")
    assert not (tmp_path / CHECKPOINT).exists()


def test_the_saved_adapter_is_the_best_one_and_loads_into_the_engine(tiny, tmp_path):
    dev = make_examples(8, 100)
    result = tiny.train(make_examples(24), dev, QUICK, tmp_path)
    rows = encode(tiny, dev, 512)
    tiny.load_adapter("trained", result.folder)
    with torch.no_grad(), active_adapter(tiny.module, "trained"):
        again = float(hf_loss(tiny, rows))
    assert again == pytest.approx(dict(result.dev_losses)[result.best_step], rel=1e-4)


def test_training_beside_a_loaded_adapter(tiny, tmp_path):
    first = tiny.train(make_examples(24), make_examples(8, 100), QUICK, tmp_path / "a")
    tiny.load_adapter("first", first.folder)
    request = Request(make_examples(1)[0].messages, adapter="first")
    answer = tiny.generate([request], max_new_tokens=6)[0].text
    second = tiny.train(make_examples(24), make_examples(8, 100), QUICK, tmp_path / "b")
    assert_same_weights(adapter(first), adapter(second))
    assert tiny.generate([request], max_new_tokens=6)[0].text == answer


def test_same_seed_same_adapter_and_other_seed_another(tiny, tmp_path):
    rows = make_examples(12)
    config = QUICK.model_copy(update={"epochs": 1, "dropout": 0.1})
    a, b = (tiny.train(rows, [], config, tmp_path / name) for name in "ab")
    c = tiny.train(rows, [], config.model_copy(update={"seed": 1}), tmp_path / "c")
    assert_same_weights(adapter(a), adapter(b))
    assert any(not torch.equal(value, adapter(c)[name]) for name, value in adapter(a).items())
    assert a.dev_losses == ()
    assert a.best_step == a.steps == 3


def test_global_random_state_is_not_touched(tiny, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    tiny.train(make_examples(4), [], QUICK.model_copy(update={"epochs": 1, "dropout": 0.5}), tmp_path)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("stop_at", [0, 1, 7, 23])
def test_ctrl_c_leaves_a_checkpoint_and_a_clean_model(tiny, tmp_path, stop_at):
    rows, dev = make_examples(24), make_examples(8, 100)
    config = QUICK.model_copy(update={"dropout": 0.1})
    whole = tiny.train(rows, dev, config, tmp_path / "whole")
    before = weights_of(tiny)

    def interrupt(done: int, total: int, unit: str) -> None:
        if done == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tiny.train(rows, dev, config, tmp_path / "cut", progress=interrupt)
    assert_same_weights(before, weights_of(tiny))
    first_steps: list[int] = []
    resumed = tiny.train(
        rows, dev, config, tmp_path / "cut", progress=lambda done, total, unit: first_steps.append(done)
    )
    assert first_steps[0] == stop_at
    assert_same_weights(adapter(whole), adapter(resumed))
    assert resumed.dev_losses == whole.dev_losses
    assert resumed.train_tokens == whole.train_tokens


@pytest.mark.parametrize("nth_look", [0, 1, 2])
def test_ctrl_c_while_dev_is_looked_at(tiny, tmp_path, monkeypatch, nth_look):
    rows, dev = make_examples(24), make_examples(8, 100)
    whole = tiny.train(rows, dev, QUICK, tmp_path / "whole")
    looks = 0

    class Interrupting(CompletionLoss):
        def __call__(self, rows):
            nonlocal looks
            looks += not torch.is_grad_enabled() and len(rows) == 8
            if looks == nth_look + 1:
                raise KeyboardInterrupt
            return super().__call__(rows)

    with monkeypatch.context() as patch:
        patch.setattr("tuneworth.models.local.train.CompletionLoss", Interrupting)
        with pytest.raises(KeyboardInterrupt):
            tiny.train(rows, dev, QUICK, tmp_path / "cut")
    resumed = tiny.train(rows, dev, QUICK, tmp_path / "cut")
    assert resumed.dev_losses == whole.dev_losses
    assert_same_weights(adapter(whole), adapter(resumed))


@pytest.mark.parametrize("check", TRAINING_CHECKS, ids=lambda check: check.__name__)
def test_conformance(check, tiny, tmp_path):
    check(tiny, tmp_path)


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from tiny_models import open_exact
from test_train import QUICK, make_examples
def slow(done, total, unit):
    print(done, flush=True)
    time.sleep(0.05)
open_exact({model!r}).train(make_examples(24), make_examples(8, 100), QUICK, Path({folder!r}), progress=slow)
"""


@pytest.mark.slow
def test_killed_training_goes_on_and_ends_with_the_same_adapter(tiny, tiny_folder, tmp_path):
    whole = tiny.train(make_examples(24), make_examples(8, 100), QUICK, tmp_path / "whole")
    code = KILLED.format(tests=str(Path(__file__).parent), model=str(tiny_folder), folder=str(tmp_path / "cut"))
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    for last in ("4", "13"):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == last:
                process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert process.returncode == -signal.SIGKILL
    steps: list[int] = []
    resumed = tiny.train(
        make_examples(24), make_examples(8, 100), QUICK, tmp_path / "cut",
        progress=lambda done, total, unit: steps.append(done),
    )  # fmt: skip
    assert 6 <= steps[0] <= 13  # went on from the checkpoint of the second process
    assert_same_weights(adapter(whole), adapter(resumed))
    assert resumed.dev_losses == whole.dev_losses


def test_a_finished_training_is_not_done_again(tiny, tmp_path):
    first = tiny.train(make_examples(12), make_examples(4, 100), QUICK, tmp_path)
    again = tiny.train(
        make_examples(12),
        make_examples(4, 100),
        QUICK,
        tmp_path,
        progress=lambda *a: pytest.fail("trained again"),
    )
    assert again == first


def test_a_checkpoint_of_other_rows_or_a_damaged_one_is_not_continued(tiny, tmp_path):
    def interrupt(done: int, total: int, unit: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    rows = make_examples(12)
    with pytest.raises(KeyboardInterrupt):
        tiny.train(rows, [], QUICK, tmp_path, progress=interrupt)
    for other in (make_examples(12, 1), rows):
        steps: list[int] = []
        if other is rows:
            (tmp_path / CHECKPOINT).write_bytes(b"half a file")
        tiny.train(other, [], QUICK, tmp_path, progress=lambda done, total, unit, steps=steps: steps.append(done))
        assert steps[0] == 0


def test_early_stop_keeps_the_best(tiny, tmp_path):
    # Dev answers contradict the training answers, so dev only gets worse.
    dev = [TrainExample(row.messages, "失败 失败 失败") for row in make_examples(8)]
    config = QUICK.model_copy(update={"epochs": 12, "patience": 2, "n_evals": 9, "learning_rate": 5e-2})
    result = tiny.train(make_examples(24), dev, config, tmp_path)
    assert result.stopped == "early"
    assert result.steps < 72
    losses = dict(result.dev_losses)
    assert losses[result.best_step] == min(losses.values())
    assert sum(step > result.best_step for step in losses) == 2


def test_the_steps_are_planned_to_end_in_time(tiny, tmp_path):
    config = QUICK.model_copy(update={"epochs": 2000, "patience": 1000, "learning_rate": 1e-3})
    started = time.perf_counter()
    result = tiny.train(make_examples(24), make_examples(4, 100), config, tmp_path, seconds_left=4.0)
    assert time.perf_counter() - started < 8.0
    assert result.stopped == "time"
    assert 10 < result.steps < 12000
    assert result.dev_losses[-1][0] == result.steps


def test_a_plan_that_has_come_to_its_end_is_not_made_longer(tiny, tmp_path, monkeypatch):
    asked, fit_time = [], trainer.Plan.fit_time

    def told(plan, step, seconds_left, seconds_per_step, seconds_per_eval):
        asked.append(step < plan.n_steps)
        return fit_time(plan, step, 3 * seconds_left, seconds_per_step, seconds_per_eval)  # always time left over

    monkeypatch.setattr(trainer.Plan, "fit_time", told)
    config = QUICK.model_copy(update={"epochs": 200, "patience": 1000, "learning_rate": 1e-3})
    tiny.train(make_examples(24), make_examples(4, 100), config, tmp_path, seconds_left=1.0)
    assert asked
    assert all(asked)


def test_a_look_at_dev_is_expected_to_cost_what_its_tokens_do(tiny, tmp_path, monkeypatch):
    """Training rows are about the same passages, dev rows are not: a dev row takes more than a training row."""
    expected = []

    class Watched(trainer.Trainer):
        def _fit_dev(self, deadline):
            super()._fit_dev(deadline)
            if not self.dev_losses and self._step_seconds:
                timed = self._step_seconds[1:] or self._step_seconds
                a_row = sum(timed) / len(timed) / self.config.batch_rows
                expected.append(self._eval_seconds / len(self.dev_rows) / (trainer.LOOK_COST * a_row))

    monkeypatch.setattr("tuneworth.models.local.train.Trainer", Watched)
    config = QUICK.model_copy(update={"batch_rows": 8})
    tiny.train(make_questions(48, each=8), make_questions(8, each=1), config, tmp_path, seconds_left=60.0)
    assert expected[0] > 1.5


def test_a_short_time_is_not_spent_on_looking_at_dev(tiny, tmp_path, monkeypatch):
    looked_at = []

    class Watched(trainer.CompletionLoss):
        def __call__(self, rows):
            if not torch.is_grad_enabled():
                looked_at.append(len(rows))
            return super().__call__(rows)

    monkeypatch.setattr(trainer, "CompletionLoss", Watched)
    config = QUICK.model_copy(update={"epochs": 50, "patience": 1000, "max_dev_rows": 300})
    result = tiny.train(make_examples(24), make_examples(300, 100), config, tmp_path, seconds_left=0.3)
    assert result.dev_losses[0][0] > 0
    assert result.dev_losses[-1][0] == result.steps
    assert sum(looked_at) / len(result.dev_losses) < 100  # without a limit, 225


def test_rows_that_are_too_long_are_left_out_and_counted(tiny, tmp_path):
    long = TrainExample((Message("user", "card " * 600),), "x")
    result = tiny.train([*make_examples(4), long], [], QUICK, tmp_path / "a")
    assert result.details["rows_too_long"] == 1
    with pytest.raises(NotEnoughData, match="none of the 1 training rows fits into 512 tokens"):
        tiny.train([long], [], QUICK, tmp_path / "b")


def test_a_folder_that_cannot_be_written(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        tiny.train(make_examples(4), [], QUICK, tmp_path / "file" / "run")


def test_full_mode_saves_a_model_and_leaves_the_first_alone(tiny, tmp_path):
    from tiny_models import open_exact

    before = weights_of(tiny)
    config = QUICK.model_copy(update={"mode": "full", "learning_rate": 3e-3})
    dev = make_examples(8, 100)
    result = tiny.train(make_examples(24), dev, config, tmp_path)
    assert_same_weights(before, weights_of(tiny))
    losses = dict(result.dev_losses)
    assert losses[result.best_step] < 0.5 * losses[0]
    trained = open_exact(Path(result.folder))
    rows = encode(trained, dev, 512)
    with torch.no_grad():
        again = float(hf_loss(trained, rows))
    assert again == pytest.approx(losses[result.best_step], rel=1e-4)


def test_bf16_base_trains_float32_adapter(tiny_folder, tmp_path):
    from tuneworth.models.local.load import open_local

    model = open_local(tiny_folder, device="cpu", dtype=torch.bfloat16, attention="eager")
    result = model.train(make_examples(24), make_examples(8, 100), QUICK, tmp_path)
    assert result.details["autocast"] == "bfloat16"
    assert {value.dtype for value in adapter(result).values()} == {torch.float32}
    losses = dict(result.dev_losses)
    assert losses[result.best_step] < 0.5 * losses[0]


@pytest.mark.slow
def test_the_embedded_model_learns_and_is_unchanged(real, tmp_path):
    before = weights_of(real)
    config = TrainConfig(epochs=3, batch_rows=4, n_evals=2)
    result = real.train(make_examples(12), make_examples(8, 100), config, tmp_path)
    assert_same_weights(before, weights_of(real))
    losses = dict(result.dev_losses)
    assert losses[result.best_step] < 0.7 * losses[0]


@pytest.mark.parametrize("with_dev", [True, False])
def test_a_training_that_diverges_says_so_and_says_it_again_when_it_is_taken_up(tiny, tmp_path, monkeypatch, with_dev):
    steps: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(CompletionLoss, "__call__", _not_a_number(CompletionLoss.__call__))
        for _ in range(2):
            with pytest.raises(TrainingDiverged, match="diverged") as caught:
                tiny.train(
                    make_examples(8),
                    make_examples(4, 100) if with_dev else [],
                    QUICK,
                    tmp_path,
                    progress=lambda done, total, unit: steps.append(done),
                )
            assert "发散" in caught.value.why.zh
    assert not (tmp_path / "adapter").exists()
    assert steps.count(1) == 1  # the second start took no step
    assert all(torch.isfinite(weight).all() for weight in weights_of(tiny).values())


def _not_a_number(loss):
    return lambda self, part: loss(self, part) * float("nan")


def test_trying_a_training_takes_as_long_a_row_as_training_and_leaves_nothing_behind(tiny, tmp_path, monkeypatch):
    before, there = weights_of(tiny), set(Path.cwd().iterdir())
    clock = iter(range(0, 10_000, 2))
    monkeypatch.setattr(trainer.time, "perf_counter", lambda: next(clock))
    alike = [TrainExample(one.messages, one.completion) for one in make_examples(1) * 16]
    assert tiny.row_seconds(alike, QUICK) == pytest.approx(2 / QUICK.batch_rows)
    assert_same_weights(before, weights_of(tiny))
    assert set(Path.cwd().iterdir()) == there
    with pytest.raises(NotEnoughData):
        tiny.row_seconds(alike, QUICK.model_copy(update={"max_length": 8}))
