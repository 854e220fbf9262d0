"""task.yaml: every problem at once with its line, options on top, and the file that init writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneworth.core.registry import load_plugin, plugin_modules
from tuneworth.data.initfile import write_task_file
from tuneworth.data.load import load
from tuneworth.data.sections import Settings
from tuneworth.data.taskfile import TaskFile, load_task_file, task_file_for, with_options
from tuneworth.errors import EnvironmentProblem, InputError
from tuneworth.findings import stated_by


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "task.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_task_file(path)
    assert all("：" in problem.to("zh") for problem in error.value.problems)
    return [problem.to("en") for problem in error.value.problems]


def test_paths_are_relative_to_the_file_and_the_rest_has_defaults(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text("train: data/rows.jsonl\nmetric: ../score.py:mine\ntest: hf://o/n/test\n")
    task = load_task_file(tmp_path / "task.yaml")
    assert task.train == str(tmp_path / "data" / "rows.jsonl")
    assert task.metric == f"{tmp_path.parent / 'score.py'}:mine"
    assert task.test == "hf://o/n/test"
    assert (task.margin, task.models, task.strategies, task.seed) == (0.02, ["smollm2-135m"], None, 0)


def test_a_full_file(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(
        "name: n\ndescription: d\ninstruction: i\ntrain: a.jsonl\ntest: b.csv\n"
        "fields: {input: [t, b], output: y, id: k, references: r, choices: c, group: g}\n"
        "output: {kind: label, labels: [x, y]}\nmetric: macro_f1\nmargin: 0.05\nmodels: [a, b]\n"
        "strategies: [prompt]\nlimits: {private: true, p95_ms: 100, max_usd_per_1k: 1.5, min_quality: 0.5}\n"
        "budget: 1h30m\nseed: 3\nrows: {train: 100, dev: 20, test: 30}\nmachine_usd_per_hour: 1\n"
        "lang: zh\ntext_language: en\n"
    )
    task = load_task_file(tmp_path / "task.yaml")
    assert (task.budget_seconds, task.budget_usd, task.usd_per_label) == (5400, None, None)
    assert task.fields.input_names == ("t", "b")
    assert task.limits.private
    assert task.output.labels == ["x", "y"]


def test_all_problems_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    text = """\
train: 5
tset: x.jsonl
limits:
  p95_ms: -1
  privat: true
private: true
margin: 2
budget: 10
models: smollm2
fields: {input: [a, 1], output: c}
output:
  kind: lable
  labels: [yes, no]
rows: {train: "5"}
seed: 1.5
metric: a.py
strategies: []
"""
    assert problems(tmp_path, text) == [
        'task.yaml:1 train: is 5, must be text; YAML reads 5 as something else, so put it in quotes: "5"',
        "task.yaml:2 tset: is not a known key; did you mean `test`?",
        "task.yaml:4 limits.p95_ms: is -1, must be over 0",
        "task.yaml:5 limits.privat: is not a known key; did you mean `private`?",
        "task.yaml:6 private: is not known here; it belongs at `limits.private`",
        "task.yaml:7 margin: is 2, must be under 1",
        "task.yaml:8 budget: is 10, must be a time with its unit, such as 90s, 10m or 1h30m, an amount of money, such as $2, "
        "or both: 20m,$2",
        "task.yaml:9 models: is smollm2, must be a list, such as [a, b]",
        'task.yaml:10 fields.input[1]: is 1, must be text; YAML reads 1 as something else, so put it in quotes: "1"',
        "task.yaml:12 output.kind: is lable, must be one of 'label', 'choice', 'multilabel', 'number', "
        "'json' or 'text'",
        "task.yaml:13 output.labels[0]: is yes, must be text; "
        'YAML reads yes as something else, so put it in quotes: "yes"',
        "task.yaml:13 output.labels[1]: is no, must be text; "
        'YAML reads no as something else, so put it in quotes: "no"',
        "task.yaml:14 rows.train: is 5, must be a whole number",
        "task.yaml:15 seed: is 1.5, must be a whole number",
        "task.yaml:16 metric: is a.py, must be the id of a metric or file.py:function",
        "task.yaml:17 strategies: is [], must not be empty",
    ]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('train: !!python/object/apply:os.system ["true"]', "asks to build an object"),
        ("train: !mine x", "the tag !mine"),
        ("train: x\ntrain: y", "task.yaml:2 train: is given twice, first on line 1"),
        ("limits:\n  private: true\n  private: false", "task.yaml:3 limits.private: is given twice"),
        ("a: &x [1]\nb: *x", "aliases"),
        ("- a", "must be `key: value` lines"),
        ("name: x", "task.yaml:1 train: is missing"),
        ("train: [", "is not valid YAML"),
        ("train: x\n? [a]\n: 1", "a key must be a plain word"),
        ("{" * 3_000, "cannot be read as YAML"),
        ("train: 2020-99-99", "cannot be read as YAML"),
        ("train: x\nfields: {input: a}", "name both `input` and `output`"),
        ("train: x\noutput: {kind: text, labels: [a, b]}", "labels need kind: label or kind: multilabel, not text"),
        ("train: x\noutput: {labels: [a, a]}", "at least two different labels"),
        ("train: x\noutput: {schema: {type: thing}}", "is not a valid JSON schema"),
        ("train: x\nlimits: 5", "must be a mapping"),
        ("train: x\nmargin: .nan", "margin: is .nan"),
        ("train: x\nbudget: 0m", "task.yaml:2 budget: is 0m, must be over 0"),
        ("train: x\nmax_calls: 0", "task.yaml:2 max_calls: is 0, must be at least 1"),
        ("train: x\nusd_per_label: -1", "task.yaml:2 usd_per_label: is -1, must be at least 0"),
        ("train: x\nusd_per_label: .inf", "usd_per_label: is .inf"),
        ("train: x\nusd_per_error: abc", "task.yaml:2 usd_per_error: is abc, which is no number"),
        (
            "train: x\ntraffic: {peak: 0.5, calls_per_month: [9, 2]}",
            "task.yaml:2 traffic.peak: is 0.5, must be at least 1",
        ),
        ("train: x\ntraffic: {peak: 0.5, calls_per_month: [9, 2]}", "traffic.calls_per_month: goes from 9 to 2"),
        ("train: x\ntraffic: {calls: 5}", "traffic.calls: is not a known key"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, match: str) -> None:
    assert any(match in line for line in problems(tmp_path, text))


def test_a_yaml_that_runs_code_does_not(tmp_path: Path) -> None:
    target = tmp_path / "made"
    problems(tmp_path, f'train: !!python/object/apply:os.mkdir ["{target}"]')
    assert not target.exists()


def test_options_are_checked_like_keys(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        task_file_for("x.jsonl", margin=0.0, budget="10", machine_usd_per_hour=-1.0, modles=["a"])
    assert [problem.to("en") for problem in error.value.problems] == [
        "--margin: is 0.0, must be over 0",
        "--machine-usd-per-hour: is -1.0, must be at least 0",
        "--budget: is 10, must be a time with its unit, such as 90s, 10m or 1h30m, an amount of money, such as $2, "
        "or both: 20m,$2",
        "--modles: is not a known key; did you mean `models`?",
    ]


def test_options_go_on_top_and_those_not_given_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    task = task_file_for(
        Path("x.jsonl"), models=("a", "b"), limits={"p95_ms": 5.0}, output={"schema": {"type": "object"}}
    )
    assert task.train == str(tmp_path / "x.jsonl")
    changed = with_options(task, test="t.jsonl", limits={"private": True}, models=None, seed=4)
    assert changed.models == ["a", "b"]
    assert changed.limits.p95_ms == 5.0
    assert changed.limits.private
    assert changed.output == task.output
    assert (changed.test, changed.seed) == (str(tmp_path / "t.jsonl"), 4)


def made_rows(folder: Path) -> Path:
    path = folder / "rows.jsonl"
    words = ["card", "refund", "transfer", "password", "cheque", "limit"]
    rows = [
        {
            "text": f"{words[at % 6]} question about {words[at // 6]} number {chr(97 + at % 26) * 4}",
            "label": ["yes", "no: not"][at % 2],
        }
        for at in range(36)
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_init_writes_a_file_that_reads_back_as_what_was_inferred(tmp_path: Path, lang: str) -> None:
    data = made_rows(tmp_path)
    loaded = load(task_file_for(data))
    path = tmp_path / "tasks" / "task.yaml"
    write_task_file(path, data, loaded, lang="zh" if lang == "zh" else "en")
    text = path.read_text(encoding="utf-8")
    assert 'train: "../rows.jsonl"' in text
    assert ("任务文件" in text) == (lang == "zh")
    again = load(load_task_file(path))
    assert again.task == loaded.task.model_copy(update={"name": again.task.name})
    assert again.examples == loaded.examples
    for key in TaskFile.model_fields:
        assert key in text or key in {"description", "text_language"}
    for line in text.splitlines():  # what is commented out must be right once it is not
        if line.strip().startswith("# ") and "  # " in line.strip():
            text = text.replace(line, line.replace("# ", "", 1))
    path.write_text(text.replace("limits:\n  private: false", "limits:\n  private: true"), encoding="utf-8")
    assert load_task_file(path).budget_seconds == 600


def test_init_writes_down_the_test_rows_and_documents_it_was_given(tmp_path: Path) -> None:
    data = made_rows(tmp_path)
    path = tmp_path / "tasks" / "task.yaml"
    for documents, written in ((["a"], str(tmp_path / "a")), (["a", "b"], [str(tmp_path / name) for name in "ab"])):
        sources = [str(tmp_path / name) for name in documents]
        write_task_file(path, data, load(task_file_for(data)), test=data, documents=sources, force=True)
        again = load_task_file(path)
        assert again.test == str(data)
        assert again.documents is not None
        assert again.documents.source == written


def test_init_never_overwrites_without_force(tmp_path: Path) -> None:
    data = made_rows(tmp_path)
    loaded = load(task_file_for(data))
    path = tmp_path / "task.yaml"
    path.write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        write_task_file(path, data, loaded)
    assert path.read_text() == "mine"
    write_task_file(path, data, loaded, force=True)
    assert load_task_file(path).train == str(data)


def test_init_into_a_place_that_is_no_folder(tmp_path: Path) -> None:
    data = made_rows(tmp_path)
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        write_task_file(data / "task.yaml", data, load(task_file_for(data)))


DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("suffix", [".md", ".zh.md"])
def test_the_documentation_names_every_key(suffix: str) -> None:
    text = (DOCS / f"task{suffix}").read_text(encoding="utf-8")
    advice = (DOCS / f"advice{suffix}").read_text(encoding="utf-8")
    for key, field in TaskFile.model_fields.items():
        assert f"`{key}`" in text, key
        inner = getattr(field.annotation, "model_fields", {})
        for sub, sub_field in inner.items():
            shown = f"`{sub}`" in advice if key == "situation" else f"`{key}.{sub_field.alias or sub}`" in text
            assert shown, f"{key}.{sub}"


@pytest.mark.parametrize("suffix", [".md", ".zh.md"])
def test_the_documentation_names_every_metric_with_its_kinds(suffix: str) -> None:
    text = (DOCS / f"task{suffix}").read_text(encoding="utf-8")
    for name in plugin_modules("tuneworth.metrics"):
        [row] = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert set(row.split("|")[2].strip().split(", ")) == load_plugin("tuneworth.metrics", name).kinds, name


@pytest.mark.parametrize("name", ["task.md", "task.zh.md"])
def test_the_example_of_the_documentation_is_valid(tmp_path: Path, name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    for number, block in enumerate(text.split("```yaml\n")[1:]):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block.split("```")[0], encoding="utf-8")
        assert load_task_file(path).train


class TestTraffic:
    def test_numbers_as_people_write_them(self, tmp_path: Path) -> None:
        path = tmp_path / "task.yaml"
        path.write_text(
            "train: t.jsonl\nusd_per_error: 0.5-2\ntraffic: {calls_per_month: 2000 per day, shape: office_hours, months: 6}\n"
        )
        task_file = load_task_file(path)
        assert (task_file.error_cost.low, task_file.error_cost.high) == (0.5, 2.0)
        traffic = stated_by(task_file).traffic
        assert (round(traffic.calls_per_month.middle), traffic.months) == (60_833, 6)
        assert traffic.peak.middle == pytest.approx(168 / 45)
        again = with_options(task_file, traffic={"calls_per_month": "5万"})
        assert (again.traffic.given["calls_per_month"], again.traffic.shape) == ("5万", "office_hours")

    def test_calls_a_day_of_the_situation_are_a_volume_too(self) -> None:
        task_file = task_file_for("t.jsonl", situation={"calls_per_day": 100}, traffic={"peak": 2})
        traffic = stated_by(task_file).traffic
        assert (round(traffic.calls_per_month.middle), traffic.peak.middle) == (3_042, 2.0)


class TestPrices:
    def test_a_price_is_stated_by_the_name_of_the_model(self, tmp_path: Path) -> None:
        path = tmp_path / "task.yaml"
        path.write_text("train: t.jsonl\nprices:\n  http://127.0.0.1:8000/v1#qwen: {input: 0.1, output: 5e-1}\n")
        [(name, rates)] = load_task_file(path).stated_rates.items()
        assert (name, rates.input, rates.output) == ("http://127.0.0.1:8000/v1#qwen", 0.1, 0.5)

    def test_what_is_wrong_is_told_with_its_line(self, tmp_path: Path) -> None:
        path = tmp_path / "task.yaml"
        path.write_text("train: t.jsonl\nprices:\n  openai/x: {input: -1, outptu: 2, cache_write: .inf}\n")
        with pytest.raises(InputError) as caught:
            load_task_file(path)
        assert caught.value.to("en").splitlines() == [
            "task.yaml:3 prices.openai/x.input: is -1, must be at least 0",
            "task.yaml:3 prices.openai/x.output: is missing; add it",
            "task.yaml:3 prices.openai/x.cache_write: is .inf, must be a finite number",
            "task.yaml:3 prices.openai/x.outptu: is not a known key; did you mean `output`?",
        ]


class TestSettings:
    def test_one_value_or_several(self, tmp_path: Path) -> None:
        path = tmp_path / "task.yaml"
        path.write_text("train: t.jsonl\nsettings:\n  lora: {rank: 8, learning_rate: [2e-4, 0.001]}\n")
        settings = load_task_file(path).settings
        assert settings.of("lora") == {"rank": [8], "learning_rate": [0.0002, 0.001]}
        assert settings.of("fewshot") == settings.of("a plug-in's") == {}
        path.write_text("train: t.jsonl\nsettings: {decision: {calibration: fitted}}\n")
        assert load_task_file(path).settings.of("decision") == {"calibration": ["fitted"]}

    def test_what_is_wrong_is_told_with_its_line(self, tmp_path: Path) -> None:
        path = tmp_path / "task.yaml"
        path.write_text(
            "train: t.jsonl\nsettings:\n  lora:\n    rank: [8, 0]\n    learning_rate: [3, fast, .nan]\n    rnk: 3\n"
            "  fewshot: {k: []}\n  head: {}\n"
        )
        with pytest.raises(InputError) as caught:
            load_task_file(path)
        assert caught.value.to("en").splitlines() == [
            "task.yaml:4 settings.lora.rank[1]: is 0, must be at least 1",
            "task.yaml:5 settings.lora.learning_rate[0]: is 3, must be under 1",
            "task.yaml:5 settings.lora.learning_rate[1]: is fast, must be a number",
            "task.yaml:5 settings.lora.learning_rate[2]: is .nan, must be over 0",
            "task.yaml:6 settings.lora.rnk: is not a known key; did you mean `rank`?",
            "task.yaml:7 settings.fewshot.k: is [], must not be empty",
            "task.yaml:8 settings.head: is not a known key; known here: prompt, decision, fewshot, lora, rag, oracle, lora_rag",
        ]

    def test_every_setting_is_one_that_its_strategy_has(self) -> None:
        for name, section in Settings.model_fields.items():
            config = load_plugin("tuneworth.strategies", name).Config
            assert section.annotation is not None
            assert set(getattr(section.annotation, "model_fields", ())) <= set(config.model_fields), name


def test_a_key_in_place_of_the_name_of_its_variable_is_refused_and_not_told(tmp_path: Path) -> None:
    text = "train: a.jsonl\nservices: {corp: {address: 'https://h/v1', key_variable: sk-hush-1}}\n"
    [told] = problems(tmp_path, text)
    assert "must name an environment variable" in told
    assert "hush" not in told
