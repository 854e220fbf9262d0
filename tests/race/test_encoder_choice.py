"""Which sentence encoder a run uses, and what happens where it cannot be had."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tuneworth.core.text import Text
from tuneworth.data.taskfile import TaskFile
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.models import catalog
from tuneworth.race import prepare
from tuneworth.race.encoding import choose_encoder
from tuneworth.race.watch import Silent

ENGLISH = [f"Where is parcel number {i} that I have sent to you?" for i in range(40)]
CHINESE = [f"我的第 {i} 个包裹现在在什么地方？" for i in range(40)]


def test_language_and_script_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_encoder("en", ENGLISH) == "minilm"
    assert choose_encoder("zh", CHINESE) == "multilingual-e5-small"
    assert choose_encoder("en", [*ENGLISH, *CHINESE[:8]]) == "multilingual-e5-small"
    monkeypatch.setattr(catalog, "find_spec", lambda name: None)
    assert choose_encoder("zh", CHINESE) is None


def ready_on(texts: list[str], folder: Path) -> prepare.Ready:
    rows = [{"input": text, "output": "ab"[i % 2]} for i, text in enumerate(texts)]
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return prepare.ready(TaskFile(train=str(folder / "train.jsonl"), strategies=["head", "nearest"]), Silent())


def test_a_run_names_its_encoder_and_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "encoder_sha256", lambda name, progress=None: f"weights of {name}")
    ready = prepare.with_encoder(ready_on(CHINESE, tmp_path), Silent())
    assert ready.task.sentence_encoder == "multilingual-e5-small"
    assert ready.encoder_sha256 == "weights of multilingual-e5-small"
    assert [arm.make().describe().en for arm in ready.plan().arms if arm.strategy.id == "head"] == [
        "head on multilingual-e5 embeddings",
        "head on n-gram TF-IDF",
    ]
    other = replace(ready, encoder_sha256="other weights")
    by_id = {arm.arm_id: arm.key for arm in other.plan().arms}
    same = {arm.arm_id for arm in ready.plan().arms if arm.key == by_id[arm.arm_id]}
    assert same == {"head/features=tfidf"}


def test_without_the_encoder_a_run_goes_by_ngrams_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(name: str, progress: object = None) -> str:
        raise EnvironmentProblem(Problem(name, Text(en="no source answers", zh="没有来源响应")))

    monkeypatch.setattr(catalog, "encoder_sha256", silent)
    ready = prepare.with_encoder(ready_on(CHINESE, tmp_path), Silent())
    assert ready.task.sentence_encoder is None
    assert "no source answers" in ready.prepared.summary.warnings[-1].en
    assert [arm.arm_id for arm in ready.plan().arms if arm.strategy.id == "head"] == ["head/features=tfidf"]
