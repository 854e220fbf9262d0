"""``tuneworth advise`` as a user meets it: options, files, no terminal, charts; quick, and without the engine."""

import json
import os
import resource
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
import typer.main
from test_light import BLOCK, HEAVY

from rows_made import label_rows, write_rows
from tuneworth.advisor.questions import ASKABLE
from tuneworth.cli.facts import as_flags, flag, read_flags
from tuneworth.cli.main import app
from tuneworth.data.taskfile import load_task_file

SITUATION = ("--scenario", "knowledge_qa", "--quality-rows", "800", "--no-private", "--calls-per-day", "5k")


def assert_refused(done, *words):
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr, (word, done.stderr)


def facts_of(done):
    assert done.returncode == 0, done.stderr
    return {fact["name"]: (fact["value"], fact["origin"]) for fact in json.loads(done.stdout)["facts"]}


def test_every_askable_fact_has_its_option():
    command = typer.main.get_command(app).commands["advise"]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for name, question in ASKABLE.items():
        assert flag(name) in options
        assert (f"--no-{flag(name)[2:]}" in options) == (question.kind == "yes_no")


def test_options_say_again_what_was_said():
    facts = {"scenario": "style", "quality_rows": 800, "private": False, "local_deployment": True, "calls_per_day": 2.5}
    words = as_flags({**facts, "noise_rate": 0.1})
    assert words[:4] == ["--scenario", "style", "--quality-rows", "800"]
    assert "--no-private" in words
    assert "--local-deployment" in words
    said = {"scenario": "style", "quality_rows": "800", "private": False, "local_deployment": True}
    assert read_flags({**said, "calls_per_day": "2.5", "skills": None}) == (facts, [])


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", ["Advice", "Self-test", "Ranking", "Flow chart", "N2"]), ("zh", ["建议", "自测", "方案排名", "流程图"])],
)
def test_options_give_advice_in_either_language(tuneworth, lang, words):
    done = tuneworth("advise", *SITUATION, "--lang", lang)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for word in words:
        assert word in done.stdout


def test_json_is_one_object_with_every_fact_and_its_origin(tuneworth):
    facts = facts_of(tuneworth("advise", *SITUATION, "--json"))
    assert facts["quality_rows"] == (800, "answered")
    assert facts["private"] == (False, "answered")
    assert facts["calls_per_day"] == (5_000.0, "answered")
    assert facts["needs_documents"] == (True, "assumed")


def test_facts_of_a_file_and_options_over_them(tuneworth, tmp_path):
    (tmp_path / "facts.yaml").write_text(
        "scenario: style\nquality_rows: 300\nprivate: yes\nnoise_rate: 0.1\nskills: none\nhardware:\n", encoding="utf-8"
    )
    facts = facts_of(tuneworth("advise", "--facts", "facts.yaml", "--quality-rows", "6000", "--json"))
    assert facts["quality_rows"] == (6_000, "answered")
    assert facts["private"] == (True, "answered")
    assert facts["noise_rate"] == (0.1, "measured")
    assert facts["skills"] == ("none", "answered")
    assert "hardware" not in facts


def test_all_that_is_wrong_is_told_at_once(tuneworth, tmp_path):
    (tmp_path / "facts.yaml").write_text(
        "scenario: style\nquality_rows: many\ncolour: red\nscenari: style\ntotal_rows: 5\ncalls_per_day: -1\n",
        encoding="utf-8",
    )
    done = tuneworth(
        "advise", "--facts", "facts.yaml", "--quality-rows", "9", "--skills", "wizard", "--concurrency", "0"
    )
    assert_refused(done, "facts.yaml:2", "many", "facts.yaml:3", "colour", "facts.yaml:4", "`scenario`", "facts.yaml:6")
    assert_refused(done, "--skills", "wizard", "--concurrency", "at least 1", "cannot outnumber")


def test_contradictory_options(tuneworth):
    done = tuneworth("advise", "--total-rows", "0", "--quality-rows", "5000", "--json")
    assert_refused(done, "`total_rows` is 0 rows", "5,000 rows")
    [problem] = json.loads(done.stdout)["error"]["problems"]
    assert "quality_rows" in problem["where"]


def test_rows_that_contradict_an_option(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(60))
    assert_refused(tuneworth("advise", "--task", "rows.jsonl", "--quality-rows", "5000"), "quality_rows", "total_rows")


@pytest.mark.parametrize(
    "content",
    [
        "scenario: !!python/object/apply:os.system ['touch pwned']\n",
        "!!python/object/new:os.system ['touch pwned']\n",
        "- scenario\n",
        "scenario: [\n",
        "",
        "\0\0\0",
    ],
)
def test_a_facts_file_that_is_not_facts(tuneworth, tmp_path, content):
    (tmp_path / "facts.yaml").write_text(content, encoding="utf-8")
    assert_refused(tuneworth("advise", "--facts", "facts.yaml"), "facts.yaml")
    assert not (tmp_path / "pwned").exists()


def test_nothing_given_and_no_terminal(tuneworth):
    assert_refused(tuneworth("advise"), "--scenario", "--quality-rows", "no terminal")
    assert_refused(tuneworth("advise", "--lang", "zh"), "--scenario", "没有可以提问的终端")
    assert_refused(tuneworth("advise", "--ask", "--scenario", "style"), "--ask", "terminal")
    assert_refused(tuneworth("advise", "--facts", "missing.yaml"), "missing.yaml")


def test_something_given_and_no_terminal_lists_what_is_missing(tuneworth):
    done = tuneworth("advise", "--scenario", "style")
    assert done.returncode == 0, done.stderr
    assert "Not known, and could change the advice" in done.stdout


def test_the_chart_is_drawn(tuneworth, tmp_path):
    done = tuneworth("advise", *SITUATION, "--chart", "out.svg", "--lang", "zh", "--json")
    assert json.loads(done.stdout)["path"]
    text = (tmp_path / "out.svg").read_text(encoding="utf-8")
    assert ET.fromstring(text).tag.endswith("svg")
    assert "流程图" in text
    tuneworth("advise", *SITUATION, "--chart", "out.txt")
    assert "your way" in (tmp_path / "out.txt").read_text(encoding="utf-8")


def test_a_chart_that_cannot_be_drawn(tuneworth):
    assert_refused(tuneworth("advise", *SITUATION, "--chart", "out.pdf"), "--chart", ".svg")
    assert_refused(tuneworth("advise", *SITUATION, "--chart", "no/such/out.svg"), "--chart", "no folder")


def test_rows_fill_in_what_they_show(tuneworth, tmp_path):
    rows = label_rows(120)
    write_rows(tmp_path / "rows.jsonl", [*rows, *rows[:30]])
    done = tuneworth("advise", "--task", "rows.jsonl", "--json")
    facts = facts_of(done)
    assert facts["total_rows"] == (150, "data")
    assert facts["quality_rows"][0] <= 120
    assert facts["quality_rows"][1] == "data"
    assert facts["output_kind"] == ("label", "data")
    assert facts["format_regularity"] == (1.0, "data")
    assert f"train: {json.dumps(str(tmp_path / 'rows.jsonl'))}" in json.loads(done.stdout)["task_yaml"]


def test_a_task_file_gives_its_limits_and_its_situation(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(120))
    (tmp_path / "task.yaml").write_text(
        "train: rows.jsonl\nlimits:\n  private: true\n  p95_ms: 250\nsituation:\n  calls_per_day: 900\n",
        encoding="utf-8",
    )
    done = tuneworth("advise", "--task", "task.yaml", "--json")
    facts = facts_of(done)
    assert facts["private"] == (True, "answered")
    assert facts["p95_target_ms"] == (250.0, "answered")
    assert facts["calls_per_day"] == (900.0, "answered")
    (tmp_path / "advised.yaml").write_text(json.loads(done.stdout)["task_yaml"], encoding="utf-8")
    advised = load_task_file(tmp_path / "advised.yaml")
    assert (advised.train, advised.limits.private) == (str(tmp_path / "rows.jsonl"), True)


def test_the_documents_of_a_task_are_those_to_measure(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(120))
    (tmp_path / "docs").mkdir()
    (tmp_path / "task.yaml").write_text(
        "train: rows.jsonl\ndocuments: docs\nupdates: {knowledge_every_days: 6}\n", encoding="utf-8"
    )
    done = tuneworth("advise", "--task", "task.yaml", "--json")
    facts = facts_of(done)
    assert facts["needs_documents"] == (True, "answered")
    assert facts["knowledge_changes"] == ("weekly", "answered")
    assert f"documents: {json.dumps(str(tmp_path / 'docs'))}" in json.loads(done.stdout)["task_yaml"]


def test_the_name_of_a_task_changes_nothing(tuneworth, tmp_path):
    told = []
    for name in ("medical-legal-style", "企业知识问答", "xqzt-17"):
        folder = tmp_path / name
        folder.mkdir()
        write_rows(folder / f"{name}.jsonl", label_rows(120))
        (folder / "task.yaml").write_text(f"name: {name}\ntrain: {name}.jsonl\n", encoding="utf-8")
        advice = json.loads(tuneworth("advise", "--task", folder / "task.yaml", "--json").stdout)
        advice.pop("task_yaml")  # it names the file
        told.append(advice)
    assert told[0] == told[1] == told[2]


def test_too_few_rows_say_how_to_go_without(tuneworth, tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(5))
    assert_refused(tuneworth("advise", "--task", "rows.jsonl"), "rows.jsonl", "--quality-rows")


def test_advice_in_a_second_without_the_engine(tmp_path):
    """Seconds of the processor, the least of three: on a busy machine the clock measures the others.

    Nothing of the engine is even imported, nor numpy.
    """
    code = BLOCK + (
        f"sys.argv = ['tuneworth', 'advise', *{SITUATION!r}]\n"
        "from tuneworth.cli.main import main\n"
        "try:\n    main()\n"
        f"finally:\n    assert not set(sys.modules) & set({[*HEAVY, 'scipy', 'plotly', 'numpy']!r}), set(sys.modules)\n"
    )
    environment = {**os.environ, "TUNEWORTH_LANG": "en"}
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, cwd=tmp_path, env=environment, check=False, timeout=60
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.returncode == 0, done.stderr.decode()
        assert b"Self-test" in done.stdout
    assert min(seconds) < 1.0, seconds


@pytest.mark.parametrize("command", [["runs"], ["doctor"], ["advise", "--scenario", "style"], ["models", "list"]])
@pytest.mark.parametrize("spelling", [["--lang", "fr"], ["--lang=fr"]])
def test_a_language_that_is_not_spoken(tuneworth, command, spelling):
    assert_refused(tuneworth(*command, *spelling), "--lang", "'fr'", "en or zh")


def test_a_language_of_the_environment_that_is_not_spoken(tuneworth):
    assert_refused(tuneworth("runs", env={"TUNEWORTH_LANG": "fr"}), "TUNEWORTH_LANG", "'fr'")
    done = tuneworth("runs", env={"TUNEWORTH_LANG": "", "LC_ALL": "fr_FR.UTF-8"})
    assert done.returncode == 0
    assert "no runs" in done.stdout


@pytest.mark.parametrize(
    "command", [["runs"], ["runs", "--json"], ["--help"], ["advise", "--scenario", "style"], ["advise", "--help"]]
)
def test_a_reader_that_goes_away_is_no_error(tmp_path, command):
    for name in ("a", "b"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "store.sqlite").touch()
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tuneworth.cli.main", *command],
            stdout=writing,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writing)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
