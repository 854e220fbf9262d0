# pyright: reportOptionalMemberAccess=false
"""What leaves this machine in a whole run: nothing personal without a yes, nothing personal that was masked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from embedding_server import embedding_server
from rows_made import label_rows, write_rows
from tuneworth.core.run import RunResult
from tuneworth.data.taskfile import task_file_for
from tuneworth.errors import EnvironmentProblem, InputError
from tuneworth.models.api.services import Endpoint
from tuneworth.pipeline import run
from tuneworth.race import privacy
from tuneworth.race.folder import RunFolder
from tuneworth.race.library import index_documents
from tuneworth.race.watch import Silent
from tuneworth.report.html import render_html
from tuneworth.serve.answer import open_arm
from tuneworth.testing.chat_server import ChatServer

CANARY = "quokka"
"""Stands in every planted value, so that one that was cut or changed is seen too."""


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers of these tests are on this machine, and are taken for services elsewhere."""
    monkeypatch.setattr(Endpoint, "is_here", property(lambda self: False))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-test")


def planted(number: int) -> list[str]:
    """An address, a number and a key of one row."""
    email = f"{CANARY}{number}@corp-mail.com"
    phone = f"+1 415 555 {2000 + number:04d}"
    key = "ghp_" + f"{CANARY}{number:04d}Ab3dE".ljust(36, "x")
    return [email, phone, key]


def rows_with_people(n: int) -> list[dict[str, str]]:
    rows = label_rows(n)
    for number, row in enumerate(rows):
        if number % 3 == 0:
            email, phone, key = planted(number)
            row["input"] += f" — tell {email}, or call {phone}; key {key}"
    return rows


def leaked(sent: Any, n: int) -> list[str]:
    text = json.dumps(sent, ensure_ascii=False)
    values = [value for number in range(0, n, 3) for value in planted(number)]
    return [value for value in values if value in text] + ([CANARY] if CANARY in text else [])


def options(tmp_path: Path, server: ChatServer, n: int, **more: Any) -> dict[str, Any]:
    data = write_rows(tmp_path / "train.jsonl", rows_with_people(n))
    given = {
        "models": [f"{server.address}#quick"],
        "strategies": ["prompt", "fewshot", "majority"],
        "text_language": "other",
    }
    return {"data_path": data, "budget": "5m", "max_calls": 10_000, "rows": {"dev": 20, "test": 20}, **given, **more}


def done(tmp_path: Path, folder: str = "run", **given: Any) -> RunResult | None:
    return run(task_file_for(**given), RunFolder(tmp_path / folder), Silent())


@pytest.mark.slow
def test_masked_rows_hold_nothing_personal_and_the_local_arms_see_the_rows(tmp_path):
    n = 120
    with ChatServer() as server:
        result = done(tmp_path, **options(tmp_path, server, n, personal_data="mask", strategies=None))
        sent = [asked.body for asked in server.asked]
    assert result is not None
    assert len(sent) > 60
    assert leaked(sent, n) == []
    text = json.dumps(sent)
    assert all(f"[{kind}" in text for kind in ("EMAIL", "PHONE", "API_KEY")), "test and dev rows, and examples shown"
    assert (result.sent.personal, result.sent.n_rows_personal, result.sent.n_rows) == ("masked", 40, 120)
    assert [(one.host, one.gets) for one in result.sent.destinations] == [("127.0.0.1", "rows")]
    assert result.sent.kinds["email"] == 40
    said = render_html(result, lang="en")
    assert "were masked in 40 of 120 rows" in said
    assert CANARY not in said


@pytest.mark.slow
def test_test_rows_are_masked_as_well(tmp_path):
    """Only the test file holds anything: the audit of the training rows finds nothing there."""
    n = 90
    people = rows_with_people(n)
    for row in people:
        row["input"] = f"elsewhere, {row['input']}"
    test = write_rows(tmp_path / "test.jsonl", people)
    with ChatServer() as server:
        given = options(tmp_path, server, n, test=str(test))
        write_rows(tmp_path / "train.jsonl", label_rows(n))
        with pytest.raises(InputError, match="hold personal data or secrets"):
            done(tmp_path, **given)
        assert server.asked == []
        result = done(tmp_path, **given, personal_data="mask")
        sent = [asked.body for asked in server.asked]
    assert result.arms
    assert any("elsewhere" in json.dumps(body) for body in sent)
    assert leaked(sent, n) == []


@pytest.mark.parametrize("wish", [{}, {"personal_data": "ask"}])
def test_without_a_yes_nothing_is_sent(tmp_path, wish):
    with ChatServer() as server:
        with pytest.raises(InputError, match="40 of 120 rows") as refused:
            done(tmp_path, **options(tmp_path, server, 120, **wish))
        assert server.asked == []
    said = refused.value.to("en")
    assert "--send-personal-data" in said
    assert "--mask" in said
    assert "127.0.0.1" in said
    assert CANARY not in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("answer", ["mask", "send", None])
def test_a_person_is_asked_before_anything_is_sent(tmp_path, answer):
    with ChatServer() as server:
        told: list[str] = []

        def ask(found: privacy.Leaving) -> privacy.Treatment | None:
            assert server.asked == []
            told.append(found.what.en)
            return answer

        task_file = task_file_for(**options(tmp_path, server, 60))
        result = run(task_file, RunFolder(tmp_path / "run"), Silent(), ask_about_personal_data=ask)
        sent = [asked.body for asked in server.asked]
    assert len(told) == 1
    assert "e-mail addresses" in told[0]
    if answer is None:
        assert (result, sent) == (None, [])
    else:
        assert bool(leaked(sent, 60)) == (answer == "send")
        assert result.sent.personal == ("masked" if answer == "mask" else "as_they_are")


@pytest.mark.slow
def test_rows_that_one_start_sent_stay_sent_in_the_record(tmp_path):
    with ChatServer() as server:
        given = options(tmp_path, server, 60)
        answers: list[privacy.Treatment] = ["send", "mask"]
        for budget in ("1m", "5m"):  # a larger budget goes on with the run
            result = run(
                task_file_for(**{**given, "budget": budget}),
                RunFolder(tmp_path / "run"),
                Silent(),
                ask_about_personal_data=lambda found: answers.pop(0),
            )
    assert answers == []
    assert result.sent.personal == "as_they_are"


def test_rows_without_anything_personal_go_without_a_question(tmp_path):
    with ChatServer() as server:
        given = options(tmp_path, server, 60)
        write_rows(tmp_path / "train.jsonl", label_rows(60))
        result = done(tmp_path, **given)
        assert server.asked
    assert result.sent.personal == "none_found"
    assert "no personal data or secrets were found in 60 rows" in render_html(result, lang="en")


@pytest.mark.slow
def test_where_it_cannot_be_looked_for_nothing_is_sent_without_a_word(tmp_path, monkeypatch):
    monkeypatch.setattr(privacy, "missing_libraries", lambda: ("phonenumbers",))
    with ChatServer() as server:
        given = options(tmp_path, server, 60)
        for wish in ("ask", "mask"):
            with pytest.raises(EnvironmentProblem, match="cannot be looked for without phonenumbers"):
                done(tmp_path, **given, personal_data=wish)
        assert server.asked == []
        result = done(tmp_path, **given, personal_data="send")
        assert server.asked
    assert result.sent.personal == "not_looked_for"


def test_arms_that_are_masked_have_keys_of_their_own(tmp_path):
    with ChatServer() as server:
        given = options(tmp_path, server, 60, strategies=["prompt"])
        done(tmp_path, "one", **given, personal_data="send")
        done(tmp_path, "two", **given, personal_data="mask")
    folders = [{path.name for path in (tmp_path / run / "arms").iterdir()} for run in ("one", "two")]
    assert folders[0].isdisjoint(folders[1])


def test_nothing_is_asked_of_a_run_that_stays_here(tmp_path, monkeypatch):
    monkeypatch.setattr(Endpoint, "is_here", property(lambda self: True))
    with ChatServer() as server:
        result = done(tmp_path, **options(tmp_path, server, 60))
        assert leaked([asked.body for asked in server.asked], 60), "a model on this machine sees the rows as they are"
    assert result.sent is None


@pytest.mark.slow
def test_documents_questions_and_passages_are_masked_on_every_way(tmp_path):
    """Passages in prompts, passages and questions that are embedded; a document of which no row speaks."""
    n = 60
    folder = tmp_path / "docs"
    folder.mkdir()
    rows = []
    for number, described in enumerate(label_rows(n)):
        email, phone, key = planted(3 * number)
        thing = described["input"]
        (folder / f"{number}.md").write_text(
            f"# Bay {number}\n\nThe {thing} belongs to bay {number}. Its keeper is {email}. The key is {key}.\n",
            encoding="utf-8",
        )
        rows.append({"input": f"In which bay is the {thing}? I am {phone}.", "output": f"bay {number}"})
    data, vectors = write_rows(tmp_path / "train.jsonl", rows), []
    with ChatServer() as server, embedding_server(vectors) as address, pytest.MonkeyPatch.context() as patched:
        patched.setenv("OPENAI_BASE_URL", address)
        result = done(
            tmp_path,
            data_path=data,
            models=[f"{server.address}#quick"],
            strategies=["prompt", "rag", "oracle"],
            documents={"source": str(folder), "encoder": "openai/text-embedding-3-small"},
            budget="5m",
            max_calls=10_000,
            personal_data="mask",
        )
        before = len(server.asked)
        reader = next(arm for arm in result.arms if arm.strategy == "rag" and arm.state == "measured")
        open_arm(result, RunFolder(tmp_path / "run"), reader, Silent()).ask(
            f"In which bay is it? I am {planted(0)[1]}."
        )
        assert len(server.asked) > before
        documents = {"source": str(folder), "encoder": "openai/text-embedding-3-small"}
        index = task_file_for(data, documents=documents, strategies=["majority"])
        embedded = len(vectors)
        with pytest.raises(InputError, match="60 of 60 documents hold personal data"):
            index_documents(index, RunFolder(tmp_path / "index"), Silent())
        assert len(vectors) == embedded
        index_documents(index.model_copy(update={"personal_data": "mask"}), RunFolder(tmp_path / "index"), Silent())
        assert len(vectors) > embedded
        sent = [asked.body for asked in server.asked]
    assert any(arm.reads_documents and arm.state == "measured" for arm in result.arms)
    assert any("belongs to bay" in json.dumps(body) for body in sent)
    assert any("belongs to bay" in json.dumps(request["input"]) for request in vectors)
    assert any("In which bay" in json.dumps(request["input"]) for request in vectors)
    assert leaked(sent, 3 * n) == []
    assert leaked([request["input"] for request in vectors], 3 * n) == []
    assert {one.gets for one in result.sent.destinations} == {"rows", "documents_and_questions"}
    assert result.sent.n_documents_personal == n
