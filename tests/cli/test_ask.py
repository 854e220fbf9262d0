"""``tuneworth ask``: the right arm answers, as it was measured, and says what it read."""

# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from asking_made import CONTEXT_TOKENS, call, engine, reads_the_first, write_task

from tuneworth.cli.answered import MAX_LINES, answer_lines
from tuneworth.core.run import ArmResult, RunResult, Score
from tuneworth.core.task import Message, Query
from tuneworth.core.text import Text
from tuneworth.data.taskfile import load_task_file
from tuneworth.errors import InputError
from tuneworth.models.scripted import ScriptedModel
from tuneworth.pipeline import run
from tuneworth.race.folder import RunFolder, read_result
from tuneworth.race.watch import Silent
from tuneworth.serve.answer import choose_arm, open_arm
from tuneworth.testing.cases import DOCUMENT_CASES
from tuneworth.testing.models import make_tiny_llama

MANUALS = DOCUMENT_CASES[0]
QUESTION = "How long is the warranty of the Borvik radio?"
FIVE = "rag/scripted/k=5,constrained=False"
PROMPT = "prompt/scripted/constrained=False"
ORACLE = "oracle/scripted/constrained=False"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a task and, in ``run``, what a run on it left."""
    folder = tmp_path_factory.mktemp("asked")
    with engine():
        assert run(load_task_file(write_task(folder, MANUALS)), RunFolder(folder / "run"), Silent()) is not None
    return folder


@pytest.fixture
def mine(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may change."""
    return shutil.copytree(finished / "run", tmp_path / "run")


def change(folder: Path, **fields: object) -> RunResult:
    """Rewrite the result with other fields."""
    result = read_result(folder / "result.json").model_copy(update=fields)
    (folder / "result.json").write_text(result.model_dump_json(), encoding="utf-8")
    return result


def recommending(result: RunResult, arm_id: str | None) -> RunResult:
    return result.model_copy(update={"decision": result.decision.model_copy(update={"recommended": arm_id})})


def test_it_answers_and_shows_what_it_read(finished, capsys):
    with engine():
        said = call(capsys, ["ask", finished / "run", QUESTION, "--arm", FIVE])
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == "The Borvik radio has a warranty of 15 months. [1]"
    assert "[1] Borvik radio > Warranty  ← cited" in lines
    assert "    borvik-radio.md#0" in lines
    assert sum(line.startswith("[") for line in lines) == 5
    assert said.out.count("← cited") == 1
    assert FIVE in said.err


def test_it_speaks_chinese(finished, capsys):
    with engine():
        said = call(capsys, ["ask", finished / "run", QUESTION], lang="zh")
    assert "参考段落：" in said.out
    assert "← 已引用" in said.out


def test_json_is_one_object_with_whole_passages(finished, capsys):
    with engine():
        said = call(capsys, ["ask", finished / "run", QUESTION, "--json", "--arm", FIVE])
    told = json.loads(said.out)
    assert told["answer"] == "The Borvik radio has a warranty of 15 months."
    assert told["citations"] == ["borvik-radio.md#0"]
    assert [passage["cited"] for passage in told["passages"]] == [True, False, False, False, False]
    assert told["passages"][0]["headings"] == ["Warranty"]
    assert told["arm_id"] == FIVE


def test_only_the_documents_named_are_read(finished, capsys):
    with engine():
        said = call(
            capsys, ["ask", finished / "run", QUESTION, "--json", "--arm", FIVE, "--document", "borvik-kettle.md"]
        )
    told = json.loads(said.out)
    assert told["passages"]
    assert {passage["document_id"] for passage in told["passages"]} == {"borvik-kettle.md"}


@pytest.mark.parametrize(
    "only",
    [["--document", "nowhere.md"], ["--doc-set", "nowhere"], ["--since", "2101-01-01"], ["--until", "1901-01-01"]],
)
def test_a_filter_that_leaves_nothing_is_said(finished, capsys, only):
    with engine():
        said = call(capsys, ["ask", finished / "run", QUESTION, "--arm", FIVE, *only])
    assert said.code == 0, said.err
    assert "No passage was found among those that may be read" in said.out


def test_a_day_is_a_date(finished, capsys):
    said = call(capsys, ["ask", finished / "run", QUESTION, "--since", "yesterday"])
    assert said.code == 2
    assert "--since" in said.err


def test_it_answers_as_the_arm_that_was_measured(finished):
    """The opened arm gives a test row the answer and the passages that the run stored for it."""
    folder = RunFolder(finished / "run")
    result = read_result(folder.result)
    arms = {arm.arm_id: arm for arm in result.arms if not arm.yardstick}
    shown = [example for example in result.documents.examples if example.arm_id in arms] if result.documents else []
    assert len(shown) >= 3
    with engine():
        for example in shown[:3]:
            arm = arms[example.arm_id]
            again = open_arm(result, folder, arm, Silent()).ask(example.question)
            assert again.answer.text == example.answer
            assert [passage.id for passage in again.passages] == [passage.id for passage in example.passages]


def test_the_longest_answer_is_that_of_the_run(mine):
    result = change(mine, max_new_tokens=3)
    with engine(ScriptedModel(lambda request: "one two three four five six " * 9, context_tokens=CONTEXT_TOKENS)):
        opened = open_arm(result, RunFolder(mine), choose_arm(result, "run").arm, Silent())
        assert len((opened.ask(QUESTION).answer.text or "").split()) < 20


# -- which arm -------------------------------------------------------------------------------------------


def test_the_recommended_arm_answers_if_it_reads_documents(finished):
    result = recommending(read_result(finished / "run" / "result.json"), FIVE)
    chosen = choose_arm(result, "run")
    assert (chosen.arm.arm_id, chosen.note) == (FIVE, None)


@pytest.mark.parametrize("recommended", [None, PROMPT, ORACLE])
def test_else_the_best_measured_one_does_and_it_is_said(finished, recommended):
    result = recommending(read_result(finished / "run" / "result.json"), recommended)
    readers = [arm for arm in result.arms if arm.reads_documents and not arm.yardstick]
    best = with_score(readers[2], 0.9)
    worse = [with_score(arm, 0.8) for arm in readers if arm is not readers[2]]
    oracle = with_score(next(arm for arm in result.arms if arm.yardstick), 1.0)
    chosen = choose_arm(result.model_copy(update={"arms": [*worse, best, oracle]}), "run")
    assert chosen.arm.arm_id == best.arm_id
    assert chosen.note is not None
    assert best.arm_id in chosen.note.en
    assert best.arm_id in chosen.note.zh


def test_test_rows_outrank_dev_rows_and_the_simpler_of_equals_answers(finished):
    result = recommending(read_result(finished / "run" / "result.json"), None)
    lucky, tested, simpler = [arm for arm in result.arms if arm.reads_documents and not arm.yardstick][:3]
    score = score_of(0.5)
    tested = with_score(tested, 0.1).model_copy(update={"test": {result.primary_metric: score}, "effort": 5})
    simpler = with_score(simpler, 0.1).model_copy(update={"test": {result.primary_metric: score}, "effort": 2})
    lucky = with_score(lucky, 0.99).model_copy(update={"test": {}})
    assert choose_arm(result.model_copy(update={"arms": [lucky, tested, simpler]}), "run").arm.arm_id == simpler.arm_id


def score_of(value: float) -> Score:
    return Score.model_validate(
        {"value": value, "interval": {"low": max(0, value - 0.1), "high": min(1, value + 0.1)}, "n_rows": 30}
    )


def with_score(arm: ArmResult, value: float) -> ArmResult:
    return arm.model_copy(update={"dev": {"token_f1": score_of(value)}, "test": {}})


# -- what cannot be answered -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "  "], ["the question is empty"]),
        (["run"], ["no question"]),
        (["nowhere", QUESTION], ["nowhere", "no finished run"]),
        (["run", QUESTION, "--arm", "rag/scripted/k=5"], ["no such arm", "did you mean", FIVE]),
        (["run", QUESTION, "--arm", "x"], ["no such arm", "arms that can answer", FIVE]),
        (["run", QUESTION, "--arm", PROMPT], ["does not read documents", FIVE]),
        (["run", QUESTION, "--arm", ORACLE], ["yardstick", FIVE]),
        (["run", "word " * CONTEXT_TOKENS], ["longer than scripted can read", f"{CONTEXT_TOKENS:,} tokens of"]),
    ],
)
def test_what_cannot_be_answered_is_said(finished, capsys, monkeypatch, arguments, words):
    monkeypatch.chdir(finished)
    with engine():
        said = call(capsys, ["ask", *arguments])
        chinese = call(capsys, ["ask", *arguments], lang="zh")
    assert (said.code, chinese.code, said.out) == (2, 2, "")
    assert [word for word in words if word not in said.err] == []
    assert "错误：" in chinese.err


def test_a_run_without_documents_or_without_an_arm_for_them(finished):
    result = read_result(finished / "run" / "result.json")
    with pytest.raises(InputError, match="had no documents"):
        choose_arm(result.model_copy(update={"task": result.task.model_copy(update={"documents": None})}), "run")
    closed = [arm for arm in result.arms if not arm.reads_documents]
    with pytest.raises(InputError, match="name rag in it"):
        choose_arm(result.model_copy(update={"arms": closed}), "run")
    late = Text(en="the budget was used up", zh="预算已用完")
    skipped = [arm.model_copy(update={"state": "skipped", "why": late}) for arm in result.arms]
    with pytest.raises(InputError, match="was skipped: the budget was used up"):
        choose_arm(result.model_copy(update={"arms": skipped}), "run")


def test_what_a_prompt_has_no_room_for_is_said_too(finished, capsys):
    """The question alone fits, the instruction with it does not."""
    with engine():
        said = call(capsys, ["ask", finished / "run", "word " * (CONTEXT_TOKENS - 1)])
    assert said.code == 2
    assert "longer than scripted can read" in said.err


def test_a_model_that_fails_gives_no_answer(finished, capsys):
    with engine(ScriptedModel(reads_the_first, trouble={"Borvik": "error"}, context_tokens=CONTEXT_TOKENS)):
        said = call(capsys, ["ask", finished / "run", QUESTION])
    assert said.code == 2
    assert "gave no answer (scripted failure)" in said.err


def test_other_weights_under_the_same_name_do_not_answer(mine, capsys):
    result = read_result(mine / "result.json")
    known = result.provenance.model_copy(update={"models": {"scripted": {"weights_sha256": "a" * 64}}})
    change(mine, provenance=known)
    changed = ScriptedModel(reads_the_first, context_tokens=CONTEXT_TOKENS)
    changed.describe = lambda: {"weights_sha256": "b" * 64}
    with engine(changed):
        said = call(capsys, ["ask", mine, QUESTION])
    assert said.code == 2
    assert "other weights" in said.err


def test_a_private_question_is_not_sent_to_a_service_that_has_moved(mine, capsys, monkeypatch):
    """Its address is set outside the run: what embedded the documents here may be elsewhere by now."""
    task = read_result(mine / "result.json").task
    documents = task.documents.model_copy(update={"encoder": "ollama/bge-m3"})
    limits = task.limits.model_copy(update={"private": True})
    result = change(mine, task=task.model_copy(update={"documents": documents, "limits": limits}))
    arm = next(arm for arm in result.arms if arm.arm_id == FIVE)
    monkeypatch.setenv("OLLAMA_BASE_URL", "https://gpu.example.com/v1")
    with engine(), pytest.raises(InputError, match="private"):
        open_arm(result, RunFolder(mine), arm, Silent())


def test_a_solver_or_an_index_that_is_gone_or_broken(mine, capsys):
    result = read_result(mine / "result.json")
    arm = choose_arm(result, "run").arm
    saved = mine / (arm.solver_folder or "")
    with engine():
        (saved / "solver.json").write_text("{", encoding="utf-8")
        broken = call(capsys, ["ask", mine, QUESTION])
        shutil.rmtree(saved)
        gone = call(capsys, ["ask", mine, QUESTION])
        shutil.rmtree(mine / "index")
        unindexed = call(capsys, ["ask", mine, QUESTION, "--arm", FIVE])
    assert (broken.code, gone.code, unindexed.code) == (2, 2, 2)
    assert "cannot be read (JSONDecodeError" in broken.err
    assert "is not kept here" in gone.err
    assert "no finished index" in unindexed.err
    assert "tuneworth index" in unindexed.err


# -- how it is shown -------------------------------------------------------------------------------------


def test_passages_cannot_disturb_the_terminal_and_are_cut(finished):
    folder = RunFolder(finished / "run")
    result = read_result(folder.result)
    with engine():
        opened = open_arm(result, folder, choose_arm(result, "run", FIVE).arm, Silent())
        answered = opened.ask(QUESTION)
    evil = replace(answered.passages[0], title="\x1b[2Jtitle\n[9] forged", text="[red]x[/red] \x1b[31m" + "word " * 400)
    lines = [str(line) for line in answer_lines(answered._replace(passages=(evil,)), result.task.documents, "en", 60)]
    assert not any("\x1b" in line for line in lines)
    assert not any(line.startswith("[9]") for line in lines)
    text = lines[lines.index("    borvik-radio.md#0") + 1 :]
    assert len(text) == MAX_LINES
    assert text[0].startswith("    [red]x[/red]")
    assert text[-1].endswith("…")
    assert max(map(len, lines)) <= 60


def test_a_citation_of_what_was_not_shown_is_pointed_out(finished, capsys):
    with engine(ScriptedModel(lambda request: "15 months [1][7]", context_tokens=CONTEXT_TOKENS)):
        said = call(capsys, ["ask", finished / "run", QUESTION])
    assert said.out.splitlines()[0] == "15 months [1]"
    assert "also cites [7], which was not shown" in said.out


def test_nothing_near_enough(tmp_path, capsys):
    """Below ``min_similarity`` the answer is ``no_answer``, and the model is not asked."""
    task = write_task(tmp_path, MANUALS, min_similarity=0.95, no_answer="unknown here")
    with engine() as model:
        run(load_task_file(task), RunFolder(tmp_path / "run"), Silent())
        model.requests.clear()
        said = call(capsys, ["ask", tmp_path / "run", "zzzz qqqq"])
        assert model.requests == []
    assert said.out.splitlines() == ["unknown here", "No passage reaches the similarity 0.95; the model was not asked."]


def test_no_room_for_a_passage_is_not_called_nothing_found(finished):
    model = ScriptedModel(reads_the_first, context_tokens=CONTEXT_TOKENS)
    with engine(model):
        opened = open_arm(
            result := read_result(finished / "run" / "result.json"),
            RunFolder(finished / "run"),
            choose_arm(result, "run").arm,
            Silent(),
        )
        prompt = len(" ".join(turn.content for turn in model_turns(opened)).split())
        n_words = CONTEXT_TOKENS - prompt - opened.solver.reader.asker.max_new_tokens
        answered = opened.ask("warranty " * (n_words - 1))
    assert answered.passages == ()
    assert answered.none_because == "no_room"


def model_turns(opened) -> tuple[Message, ...]:
    """The prompt around a question of no words."""
    return opened.solver.reader.prompt.messages(Query("q", (Message("user", ""),)), ())


def test_questions_one_after_another(finished, capsys, monkeypatch):
    typed = iter(["  word " * CONTEXT_TOKENS, "The Borvik lamp weighs how much without its box?", QUESTION, ""])
    monkeypatch.setattr("builtins.input", lambda: next(typed))
    monkeypatch.setattr("tuneworth.cli.progress.interactive", lambda: True)
    with engine():
        said = call(capsys, ["ask", finished / "run"])
    assert said.code == 0
    assert "longer than scripted can read" in said.err
    answers = [line for line in said.out.splitlines() if line.endswith(" [1]")]
    assert answers == [
        "Without its box the Borvik lamp weighs 407 grams. [1]",
        "The Borvik radio has a warranty of 15 months. [1]",
    ]
    assert list(typed) == []


def test_ctrl_d_ends_the_questions(finished, capsys, monkeypatch):
    def closed() -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", closed)
    monkeypatch.setattr("tuneworth.cli.progress.interactive", lambda: True)
    with engine():
        said = call(capsys, ["ask", finished / "run"])
    assert (said.code, said.out) == (0, "")


@pytest.mark.slow
def test_a_trained_reader_answers_in_a_process_of_its_own(tmp_path, tuneworth):
    """Weights, adapter and index are found again from the run's folder alone; nothing of it is in memory."""
    make_tiny_llama(tmp_path / "tiny")
    task = json.loads(write_task(tmp_path, DOCUMENT_CASES[1]).read_text(encoding="utf-8"))
    task |= {"strategies": ["lora_rag"], "models": ["./tiny"], "rows": {"dev": 8, "test": 10}}
    (tmp_path / "task.yaml").write_text(json.dumps(task, ensure_ascii=False), encoding="utf-8")
    result = run(load_task_file(tmp_path / "task.yaml"), RunFolder(tmp_path / "run"), Silent())
    assert result is not None
    assert result.documents is not None
    example = next(each for each in result.documents.examples if each.answer is not None)
    shutil.rmtree(tmp_path / "docs")
    (tmp_path / "elsewhere").mkdir()

    done = tuneworth("ask", "../run", example.question, "--arm", example.arm_id, "--json", cwd=tmp_path / "elsewhere")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["answer"] == example.answer
    assert [passage["id"] for passage in told["passages"]] == [passage.id for passage in example.passages]
