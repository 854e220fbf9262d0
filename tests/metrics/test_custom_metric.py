"""The user's own metric function: what it may do, and what is said when it fails."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest

from tuneworth.core.task import Example, Message, Query
from tuneworth.errors import InputError
from tuneworth.metrics import MetricError, score_row
from tuneworth.metrics._parts.catalog import check, default_metrics, load_metric
from tuneworth.testing.metrics import check_metric


@pytest.fixture
def metric_file(tmp_path):
    def write(body: str, name: str = "mine.py") -> Path:
        (tmp_path / name).write_text(textwrap.dedent(body), encoding="utf-8")
        return tmp_path

    return write


def example(number: int, output: str) -> Example:
    query = Query(id=f"row-{number}", messages=(Message("user", "question"),))
    return Example(query, output, source=f"train.jsonl:{number}")


ROWS = [example(1, "yes"), example(2, "no"), example(3, "退款")]


def test_a_function_is_a_metric_like_any_other(metric_file):
    folder = metric_file("""
        def prefix(answer, references):
            best = max(len(r.strip()) for r in references if answer.strip() == r.strip()) if answer.strip() in [
                r.strip() for r in references] else 0
            return 1 if best else 0.25
    """)
    metric = load_metric("mine.py:prefix", folder)
    assert metric.id == "mine.py:prefix"
    assert metric.title.en == "prefix"
    assert not metric.binary
    check_metric(metric)
    assert check(metric, "text", ROWS) == []
    assert metric.value(["a", "b"], [["a"], ["a"]]) == pytest.approx(0.625)


@pytest.mark.parametrize("annotation", ["bool", "'bool'"])
def test_a_function_that_returns_bool_is_right_or_wrong(metric_file, annotation):
    folder = metric_file(f"""
        def same(answer, references) -> {annotation}:
            return answer.strip() in [r.strip() for r in references]
    """)
    metric = load_metric("mine.py:same", folder)
    assert metric.binary
    check_metric(metric)


@pytest.mark.parametrize("returned", ["True", "1", "0.5", "numpy.float32(0.5)", "numpy.bool_(True)", "numpy.int64(1)"])
def test_numbers_of_many_types_are_numbers(metric_file, returned):
    folder = metric_file(f"import numpy\ndef f(answer, references): return {returned}")
    score = load_metric("mine.py:f", folder).score("a", ["a"])
    assert type(score) is float
    assert score in (0.5, 1.0)


@pytest.mark.parametrize("returned", ["None", "'1'", "1.5", "-0.1", "float('nan')", "[1]", "numpy.array([1.0])"])
def test_anything_else_names_row_value_and_rule(metric_file, returned):
    folder = metric_file(f"import numpy\ndef f(answer, references): return {returned}")
    with pytest.raises(
        MetricError, match=r"returned .*, must be from 0 to 1; answer '', references \['yes'\]"
    ) as caught:
        check(load_metric("mine.py:f", folder), "text", ROWS)
    message = str(caught.value)
    assert message.startswith("mine.py:f: at row train.jsonl:1: the metric function returned")
    assert "A metric is a function (answer: str, references: list[str])" in message
    assert "在数据行 train.jsonl:1 上，指标函数返回了" in caught.value.to("zh")
    assert caught.value.exit_code == 2


def test_a_graded_number_from_a_bool_function_is_an_error(metric_file):
    folder = metric_file("def f(answer, references) -> bool: return 0.5")
    with pytest.raises(MetricError, match=r"returned 0\.5, must be True or False"):
        load_metric("mine.py:f", folder).score("a", ["a"])


def test_a_function_that_raises_is_told_with_its_line(metric_file):
    folder = metric_file("""
        def helper(answer):
            return 1 / len(answer)

        def f(answer, references):
            return helper(answer)
    """)
    metric = load_metric("mine.py:f", folder)
    assert score_row(metric, "x", ROWS[0]) == 1.0
    pattern = (
        r"^mine.py:f: at row train.jsonl:2: the metric function \(line 3\) raised ZeroDivisionError: division by zero"
    )
    with pytest.raises(MetricError, match=pattern) as caught:
        score_row(metric, "", ROWS[1])
    assert "指标函数（第 3 行）抛出了异常 ZeroDivisionError" in caught.value.to("zh")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_sys_exit_in_a_metric_does_not_end_the_program(metric_file):
    folder = metric_file("import sys\ndef f(answer, references): sys.exit(3)")
    with pytest.raises(MetricError, match="raised SystemExit: 3"):
        load_metric("mine.py:f", folder).score("a", ["a"])


def test_a_metric_cannot_change_the_references(metric_file):
    folder = metric_file("def f(answer, references): references.clear(); return 1")
    references = ["a"]
    load_metric("mine.py:f", folder).score("a", references)
    assert references == ["a"]


def test_what_it_prints_goes_to_stderr(metric_file, capsys):
    folder = metric_file("print('loading')\ndef f(answer, references): print('scoring'); return 1")
    load_metric("mine.py:f", folder).score("a", ["a"])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "loading\nscoring\n"


def test_a_neighbouring_file_and_a_dataclass_work(metric_file):
    metric_file("VALUE = 0.75", name="tuneworth_test_neighbour.py")
    folder = metric_file("""
        from __future__ import annotations
        from dataclasses import dataclass
        from tuneworth_test_neighbour import VALUE

        @dataclass
        class Grade:
            value: float

        def f(answer, references):
            return Grade(VALUE).value
    """)
    assert load_metric("mine.py:f", folder).score("a", ["a"]) == 0.75


def test_a_changed_file_changes_the_fingerprint(metric_file):
    first = load_metric("mine.py:f", metric_file("def f(a, r): return 1")).fingerprint
    again = load_metric("mine.py:f", metric_file("def f(a, r): return 1")).fingerprint
    other = load_metric("mine.py:f", metric_file("def f(a, r): return 0")).fingerprint
    assert first == again != other


def test_a_metric_must_be_deterministic(metric_file):
    folder = metric_file("""
        calls = []
        def f(answer, references):
            calls.append(answer)
            return len(calls) / 100
    """)
    with pytest.raises(InputError, match=r"two calls with one answer gave 0\.01 and 0\.02"):
        check(load_metric("mine.py:f", folder), "text", ROWS)


def test_a_metric_that_rejects_right_answers_is_noticed(metric_file):
    folder = metric_file("def f(answer, references): return 0")
    [warning] = check(load_metric("mine.py:f", folder), "text", ROWS)
    assert "gives 0 to the right answers of the first 3 training rows" in warning.en


@pytest.mark.parametrize(
    ("spec", "body", "message"),
    [
        ("nowhere.py:f", "", "there is no Python file"),
        ("mine.txt:f", "", "there is no Python file"),
        ("mine.py:g", "def f(answer, references): return 1", "no function `g`; there are: f"),
        ("mine.py:f", "f = 3", "no function `f`"),
        ("mine.py:f", "def f(answer): return 1", "`f` cannot be called with two arguments: too many positional"),
        ("mine.py:f", "def f(:", r"mine.py cannot be run \(line 1\): SyntaxError"),
        ("mine.py:f", "import no_such_module_at_all", r"mine.py cannot be run \(line 1\): ModuleNotFoundError"),
        ("mine.py:f", "x = 1\n1 / 0", r"mine.py cannot be run \(line 2\): ZeroDivisionError"),
        ("mine.py", "", "name the function as well: mine.py:my_metric"),
        ("no_such_metric", "", "known: accuracy, chrf"),
    ],
)
def test_what_cannot_be_loaded(metric_file, spec, body, message):
    with pytest.raises(InputError, match=message) as caught:
        load_metric(spec, metric_file(body))
    assert caught.value.exit_code == 2


def test_a_metric_for_another_kind_is_refused():
    with pytest.raises(InputError, match="for outputs of kind json; the outputs of this task are of kind label"):
        check(load_metric("json_exact", Path()), "label", ROWS)


@pytest.mark.parametrize("kind", ["label", "choice", "json", "text"])
def test_default_metrics_are_for_their_kind(kind):
    metrics = [load_metric(name, Path()) for name in default_metrics(kind)]
    assert metrics
    assert all(kind in metric.kinds for metric in metrics)


def test_value_without_rows_is_an_error_and_resamples_repeat_rows():
    metric = load_metric("accuracy", Path())
    with pytest.raises(ValueError, match="accuracy: no rows"):
        metric.value([], [])
    value = metric.prepare(["a", "b"], [["a"], ["a"]])
    assert value(np.array([0, 0, 0, 1])) == 0.75
