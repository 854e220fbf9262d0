"""Names of models: what they mean, and what is refused before any work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tuneworth.errors import InputError
from tuneworth.models.catalog import check_names, list_models, name_kind, open_model


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("smollm2-135m", "embedded"),
        ("minilm", "embedded"),
        ("multilingual-e5-small", "embedded"),
        ("Qwen/Qwen3-0.6B", "hub"),
        ("google/gemma-3-270m-it", "hub"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "hub"),
        ("openai/gpt-oss-20b", "hub"),
        ("openai/gpt-4o-mini", "api"),
        ("anthropic/claude-sonnet", "api"),
        ("openai:gpt-4o-mini", "api"),
        ("deepseek:deepseek-chat", "api"),
        ("https://api.example.com/v1", "api"),
        ("./my-model", "folder"),
        ("~/models/x", "folder"),
        ("modelscope://Qwen/Qwen3-0.6B", "modelscope"),
        ("modelscope://Qwen", "unknown"),
        ("modelscope://a/b/c", "unknown"),
        ("smollm", "unknown"),
        ("a/b/c", "unknown"),
        ("", "unknown"),
    ],
)
def test_name_kind(name, kind):
    assert name_kind(name) == kind


def test_a_folder_that_exists_is_a_folder_whatever_it_looks_like(tmp_path, monkeypatch):
    (tmp_path / "openai").mkdir()
    (tmp_path / "openai" / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    assert name_kind("openai/mine") == "folder"


def test_all_problems_of_all_names_at_once(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "config.json").write_text("{}")
    (tmp_path / "pickled" / "pytorch_model.bin").write_text("")
    names = [
        "smolm2-135m",
        "openai:gpt-4o",
        "multilingual-e5-small",
        "/no/such",
        str(tmp_path / "empty"),
        str(tmp_path / "pickled"),
    ]
    with pytest.raises(InputError) as caught:
        check_names([*names, "smollm2-135m", "Qwen/Qwen3-0.6B"])
    expected = [
        "did you mean smollm2-135m?",
        "did you mean openai/gpt-4o?",
        "sentence encoder",
        "no such folder",
        "has no config.json",
        "other weight formats can carry code",
    ]
    assert [problem.where for problem in caught.value.problems] == names
    for problem, text in zip(caught.value.problems, expected, strict=True):
        assert text in problem.message.en
        assert problem.message.zh != problem.message.en
    assert caught.value.exit_code == 2


def test_good_names_pass():
    check_names(["smollm2-135m", "Qwen/Qwen3-0.6B"], private=True)


@pytest.mark.parametrize("name", ["openai/gpt-4o", "deepseek:chat", "https://api.example.com/v1"])
def test_a_private_task_refuses_models_elsewhere(name):
    with pytest.raises(InputError, match="rows may not leave this machine"):
        open_model(name, private=True)


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(
        InputError,
        match=r"there is smollm2-135m, any local model folder, a hub id owner/name, or modelscope://owner/name$",
    ):
        open_model("xyzzy")


def test_list_models_says_what_is_cached(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEWORTH_HOME", str(tmp_path))
    infos = {info.id: info for info in list_models()}
    assert sorted(infos) == ["minilm", "multilingual-e5-small", "smollm2-135m"]
    assert not any(info.cached for info in infos.values())
    assert infos["minilm"].folder == tmp_path / "models" / "minilm"
    assert {info.licence for info in infos.values()} == {"Apache-2.0", "MIT"}


def test_open_model_from_a_folder(tiny_folder: Path):
    model = open_model(str(tiny_folder))
    assert model.id == str(tiny_folder)
    assert model.capabilities.can_train


def test_looking_at_names_loads_no_engine():
    code = (
        "import sys; from tuneworth.models.catalog import check_names, list_models\n"
        "check_names(['smollm2-135m', 'a/b']); list_models()\n"
        "heavy = {'torch', 'transformers', 'peft', 'huggingface_hub', 'sentence_transformers'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
