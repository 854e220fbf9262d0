"""Personal data that would leave this machine: asked in a terminal, refused without one, decided by options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from asking_made import call

from rows_made import label_rows, write_rows
from tuneworth.cli import progress
from tuneworth.models.api.services import Endpoint
from tuneworth.testing.chat_server import ChatServer

EMAIL = "jane.roe@corp-mail.com"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Endpoint, "is_here", property(lambda self: False))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-test")
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "train.jsonl", [row | {"input": f"{row['input']} {EMAIL}"} for row in label_rows(60)])
    task = {
        "train": "train.jsonl",
        "strategies": ["prompt"],
        "max_calls": 1000,
        "text_language": "other",
        "rows": {"dev": 10, "test": 10},
    }
    with ChatServer() as server:
        (tmp_path / "task.yaml").write_text(json.dumps({**task, "models": [f"{server.address}#quick"]}))
        yield server


@pytest.mark.parametrize("more", [[], ["--yes"], ["--json"]])
def test_without_a_terminal_it_stops_and_names_the_options(served, capsys, more):
    said = call(capsys, ["run", "task.yaml", *more])
    assert said.code == 2
    assert "60 of 60 rows" in said.err
    assert "--mask" in said.err
    assert "--send-personal-data" in said.err
    assert EMAIL not in said.err
    assert served.asked == []


def test_in_chinese_too(served, capsys):
    said = call(capsys, ["run", "task.yaml"], lang="zh")
    assert (
        "60 条数据（训练、开发、测试集）中的 60 条含有个人信息或密钥（电子邮箱），并且会被发送到 127.0.0.1"
        in said.err.replace("\n", "")
    )


def test_both_options_at_once_are_refused(served, capsys):
    said = call(capsys, ["run", "task.yaml", "--mask", "--send-personal-data"])
    assert said.code == 2
    assert "exclude one another" in said.err


@pytest.mark.parametrize(("option", "masked"), [("--mask", True), ("--send-personal-data", False)])
def test_an_option_decides(served, capsys, option, masked):
    said = call(capsys, ["run", "task.yaml", option, "--json"])
    assert said.code == 0, said.err
    assert json.loads(said.out)["sent"]["personal"] == ("masked" if masked else "as_they_are")
    assert (EMAIL not in json.dumps([asked.body for asked in served.asked])) == masked


@pytest.mark.parametrize("answers", [["x", "M"], ["s"], ["n"], [""]])
def test_a_person_is_asked(served, capsys, monkeypatch, answers):
    monkeypatch.setattr(progress, "interactive", lambda: True)
    monkeypatch.setattr(typer, "confirm", lambda *args, **options: True)
    left, questions = list(answers), []

    def prompt(text, *, default, err):
        questions.append(text)
        assert served.asked == []
        return left.pop(0) or default

    monkeypatch.setattr(typer, "prompt", prompt)
    said = call(capsys, ["run", "task.yaml", "--no-watch"])
    assert said.code == 0, said.err
    assert "Mask them (m)" in questions[0]
    assert "e-mail addresses" in said.err
    sent = json.dumps([asked.body for asked in served.asked])
    if answers[-1].lower() in ("m", "s"):
        assert served.asked
        assert (EMAIL in sent) == (answers[-1] == "s")
    else:
        assert served.asked == []
