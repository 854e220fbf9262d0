"""``tuneworth ask`` with an arm whose model and encoder are services of the task file: keys, masks and clear errors."""

# pyright: reportOptionalMemberAccess=false

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from asking_made import Said, call

from embedding_server import embedding_server
from rows_made import label_rows, write_rows
from tuneworth.data.taskfile import task_file_for
from tuneworth.models.api.chat_model import ChatModel
from tuneworth.models.api.services import Endpoint
from tuneworth.pipeline import run
from tuneworth.race.folder import RunFolder, read_result
from tuneworth.race.watch import Silent
from tuneworth.testing.chat_server import Asked, ChatServer, Fault, always

QUESTION = "In which bay is the crate of quokka@corp-mail.com?"
PERSON = "quokka@corp-mail.com"


def reads_the_first(asked: Asked) -> str:
    """The first passage's sentence, and who the question is from."""
    found = re.search(r"^\[1\].*\n> (.*)$", asked.messages[-1].content, re.MULTILINE)
    who = re.search(r"crate of (\S+)\?", asked.messages[-1].content)
    return f"{found.group(1)} For {who.group(1) if who else 'nobody'}. [1]" if found else "shown nothing"


@dataclass
class Finished:
    folder: Path
    server: ChatServer
    vectors: list[dict[str, Any]]

    def ask(self, capsys: pytest.CaptureFixture[str], *more: object) -> Said:
        return call(capsys, ["ask", self.folder, QUESTION, *more])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """A run of a model that wants a key, with an effort, and of an encoder, both on this machine; they go on answering."""
    folder, vectors = tmp_path_factory.mktemp("served"), list[dict[str, Any]]()
    docs, rows = folder / "docs", list[dict[str, str]]()
    docs.mkdir()
    for number, made in enumerate(label_rows(60)):
        (docs / f"{number}.md").write_text(f"# Bay {number}\n\nThe {made['input']} belongs to bay {number}.\n")
        rows.append({"input": f"In which bay is the {made['input']}?", "output": f"bay {number}"})
    with (
        ChatServer(answer=reads_the_first, key="sk-corp") as server,
        embedding_server(vectors) as address,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setenv("CORP_KEY", "sk-corp")
        task_file = task_file_for(
            write_rows(folder / "rows.jsonl", rows),
            models=["corp/reader"],
            strategies=["prompt", "rag"],
            settings={"rag": {"reasoning": ["low"]}},
            documents={"source": str(docs), "encoder": "vec/bge"},
            services={"corp": {"address": server.address, "key_variable": "CORP_KEY"}, "vec": {"address": address}},
            max_calls=5000,
            rows={"dev": 20, "test": 20},
            repeats={"answers": 1},
        )
        result = run(task_file, RunFolder(folder / "run"), Silent())
        assert result is not None
        assert "rag" in (result.decision.recommended or "")
        yield Finished(folder / "run", server, vectors)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORP_KEY", "sk-corp")
    monkeypatch.setattr(ChatModel, "patience_seconds", 0.01)


def test_it_asks_as_the_run_did(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    said = finished.ask(capsys)
    assert said.code == 0, said.err
    assert f"For {PERSON}." in " ".join(said.out.split())
    asked = finished.server.asked[-1]
    assert (asked.key, asked.body["reasoning_effort"]) == ("sk-corp", "low")
    assert PERSON in asked.messages[-1].content, "it stays on this machine"
    assert QUESTION in finished.vectors[-1]["input"]


@pytest.mark.parametrize("value", [None, "sk-wrong"])
def test_a_key_that_is_gone_or_wrong_is_named(
    finished: Finished, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("CORP_KEY") if value is None else monkeypatch.setenv("CORP_KEY", value)
    said = finished.ask(capsys)
    assert said.code == 2
    assert "refuses the key; check CORP_KEY" in said.err


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("rate_limit", "Rate limit reached for requests); ask again later, or another arm with --arm"),
        ("empty", "an empty answer); ask again later"),
        ("refusal", "I can't help with that.); try another arm with --arm"),
        ("no_quota", "has no quota left for the key in CORP_KEY"),
    ],
)
def test_a_service_that_gives_no_answer_is_told_by_its_words(
    finished: Finished, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, fault: Fault, says: str
) -> None:
    monkeypatch.setattr(finished.server, "faults", always(fault))
    said = finished.ask(capsys)
    assert said.code == 2
    assert says in said.err


@pytest.mark.parametrize("personal", ["nothing was sent away", "none_found", "as_they_are"])
def test_what_a_question_holds_goes_elsewhere_masked_unless_it_was_said_that_it_may_go(
    finished: Finished,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    personal: str,
) -> None:
    """Where the service is elsewhere now: no row held anything, but the question does."""
    result = finished.folder / "result.json"
    stored = result.read_text(encoding="utf-8")
    if personal != "nothing was sent away":
        sent = {"destinations": [], "personal": personal, "n_rows": 60, "n_rows_personal": 0}
        result.write_text(json.dumps({**json.loads(stored), "sent": sent}), encoding="utf-8")
    monkeypatch.setattr(Endpoint, "is_here", property(lambda self: False))
    monkeypatch.setenv("TUNEWORTH_API_KEY", "sk-vec")
    try:
        assert read_result(result)
        said = finished.ask(capsys)
    finally:
        result.write_text(stored, encoding="utf-8")
    assert said.code == 0, said.err
    as_it_is = personal == "as_they_are"
    assert (PERSON in finished.server.asked[-1].messages[-1].content) == as_it_is
    assert (PERSON in str(finished.vectors[-1]["input"])) == as_it_is
    assert f"For {PERSON}." in " ".join(said.out.split()), "in the answer it stands again"
