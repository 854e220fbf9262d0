"""Results that others measured: paired by row, grouped, scaled, and judged as one family."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tuneworth.compared import compared, scale_of
from tuneworth.compared.pairing import pair
from tuneworth.core.outcome import Usage
from tuneworth.data.logs.answered import Answered, Log
from tuneworth.errors import InputError
from tuneworth.stats.paired import compare


def log(name: str, rows: list[dict[str, Any]], **more: Any) -> Log:
    found = []
    for at, row in enumerate(rows, start=1):
        known = {"id": "", "text": "", "scores": {}, "fields": {}, **row}
        found.append(Answered(place=f"{name}.jsonl:{at}", **known))
    return Log(name, f"{name}.jsonl", "rows", found, **more)


def right(n: int, share: float, seed: int, **more: Any) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    return [{"id": f"q{at}", "scores": {"score": float(chance.random() < share)}, **more} for at in range(n)]


def judged(*logs: Log, **options: Any):
    return compared(logs, version="0", **options)


def test_rows_in_another_order_pair_by_id_and_the_numbers_are_those_of_the_paired_test():
    a, b = right(300, 0.6, 1), right(300, 0.7, 2)
    found = judged(log("a", a), log("b", b[::-1]))
    scores = [np.array([row["scores"]["score"] for row in rows]) for rows in (a, b)]
    alone = compare(*scores, binary=True, rng=np.random.default_rng(0))
    one = found.comparisons[0]
    assert (one.difference, one.interval, one.p_value) == (alone.difference, alone.interval, alone.p_value)
    assert [system.scores["score"].value for system in found.systems] == pytest.approx([each.mean() for each in scores])
    assert (found.paired_by, found.n_rows, found.group, found.primary_metric) == ("id", 300, None, "score")


def test_what_does_not_pair_is_listed_and_not_compared():
    found = judged(log("a", right(50, 0.5, 1)), log("b", right(60, 0.5, 2)[5:]), log("c", right(60, 0.5, 3)))
    assert [(system.n_rows, system.n_unpaired) for system in found.systems] == [(50, 5), (55, 10), (60, 15)]
    assert found.systems[0].unpaired == [f"a.jsonl:{at}" for at in range(1, 6)]
    assert [(one.a, one.b, one.n_rows) for one in found.comparisons] == [("a", "b", 45), ("a", "c", 50), ("b", "c", 55)]
    assert "5 of 50 rows are not in all other files (a.jsonl:1" in found.notes[1].en


def texts(order: list[int], ids: Any = None) -> list[dict[str, Any]]:
    return [
        {"id": ids(at) if ids else "", "text": f"what is\n {n}?", "scores": {"s": n % 2}} for at, n in enumerate(order)
    ]


@pytest.mark.parametrize("ids", [None, str, lambda at: f"{at}-made"], ids=["none", "row numbers", "of the run"])
def test_rows_pair_by_what_was_asked_where_ids_do_not_name_them(ids):
    first, second = texts(list(range(30))), texts(list(range(29, -1, -1)), ids)
    if ids is str:
        first = texts(list(range(30)), str)
    found = judged(log("a", first), log("b", second))
    assert (found.paired_by, found.n_rows, found.comparisons[0].ties) == ("text", 30, 30)


def test_an_id_under_which_another_text_stands_is_not_paired():
    a = texts(list(range(30)), str)
    b = [{**row, "text": "changed"} if row["id"] in ("3", "4") else row for row in texts(list(range(30)), str)]
    found = judged(log("a", a), log("b", b))
    assert (found.paired_by, found.n_rows) == ("id", 28)
    assert "2 ids have another text" in found.doubts[0].en


def asked(prompt: str, order: list[int], right: str = "ab") -> list[dict[str, Any]]:
    return [
        {"id": str(at), "text": f"{prompt} {n}", "references": (right[n % 2],), "scores": {"s": n % 2}}
        for at, n in enumerate(order)
    ]


def test_two_prompts_on_the_same_rows_pair_by_id():
    rows = list(range(40))
    found = judged(log("a", asked("Say", rows)), log("b", asked("Kindly say", rows)))
    assert (found.paired_by, found.n_rows, found.doubts) == ("id", 40, [])
    assert "40 of them are asked in other words in another file, with the same right answers" in found.notes[1].en
    unsure = judged(log("a", asked("Say", rows, "aa")), log("b", asked("Kindly say", rows, "aa")))
    assert "40 of the 40 paired ids are asked in other words" in unsure.doubts[0].en
    with pytest.raises(InputError, match="No row of one file is surely"):
        judged(log("a", asked("Say", rows)), log("b", asked("Kindly say", rows[1:])))  # every right answer differs


def test_rows_with_neither_pair_by_order_which_is_a_doubt_or_not_at_all():
    rows = [{"scores": {"s": float(at % 2)}} for at in range(30)]
    found = judged(log("a", rows), log("b", rows))
    assert (found.paired_by, found.n_rows) == ("order", 30)
    assert "paired by their order" in found.doubts[0].en
    with pytest.raises(InputError, match="No row of one file is surely a row of the others") as raised:
        judged(log("a", rows), log("b", rows[:-1]))
    assert [problem.where for problem in raised.value.problems] == ["a.jsonl", "b.jsonl"]


def test_answers_to_one_row_are_one_row_with_their_mean():
    rows = [{"id": str(at % 40), "scores": {"s": float(at < 60)}} for at in range(80)]
    found = judged(log("a", rows), log("b", rows[:40]))
    assert [(one.n_rows, one.n_answers) for one in found.systems] == [(40, 80), (40, 40)]
    assert found.systems[0].scores["s"].value == pytest.approx(0.75)
    assert found.comparisons[0].losses == 20
    assert "answered 80 times in all" in " ".join(note.en for note in found.notes)


def test_a_row_without_a_score_is_left_out_and_many_are_a_doubt():
    a = [{"id": str(at), "scores": {"s": 1.0} if at >= 10 else {}} for at in range(100)]
    found = judged(log("a", a), log("b", [{**row, "scores": {"s": 1.0}} for row in a]))
    assert (found.systems[0].n_unscored, found.systems[0].scores["s"].value) == (10, 1.0)
    assert found.comparisons[0].n_rows == 90
    assert "10.0" in found.doubts[0].en


def test_rows_of_a_group_are_not_independent():
    rows = [right(200, share, seed) for share, seed in ((0.6, 1), (0.7, 2))]
    for of in rows:
        for at, row in enumerate(of):
            row["fields"] = {"user_id": f"u{at // 10}", "kind": f"k{at // 100}"}
            row["scores"] = {"score": of[at - at % 10]["scores"]["score"]}
    logs = [log(name, of) for name, of in zip("ab", rows)]
    found = judged(*logs)
    one = found.comparisons[0]
    assert (found.group, found.n_groups, one.n_groups) == ("user_id", 20, 20)
    assert one.n_effective < 30
    assert found.systems[0].scores["score"].n_effective < 30
    assert judged(*logs, group="none").comparisons[0].n_groups is None
    few = judged(*logs, group="kind").comparisons[0]
    assert (few.n_groups, few.answer) == (2, "cant_tell")
    with pytest.raises(InputError, match="no row has this field; the fields are: user_id, kind"):
        judged(*logs, group="user")


def test_a_column_of_few_values_is_named_and_not_used():
    rows = right(60, 0.5, 1)
    for at, row in enumerate(rows):
        row["fields"] = {"customer": f"c{at % 4}"}
    found = judged(log("a", rows), log("b", right(60, 0.5, 2)))
    assert found.group is None
    assert "`customer` may say" in found.notes[1].en


def metrics(**values: Any) -> list[dict[str, Any]]:
    return [{"id": str(at), "scores": {name: of(at) for name, of in values.items()}} for at in range(40)]


def half(at: int) -> float:
    return float(at % 2)


def test_metrics_that_all_have_are_compared_once_each_in_one_family():
    a = metrics(score=half, same=half, ms=lambda at: 10.0 + at, own=half)
    b = metrics(score=lambda at: 1 - half(at), same=lambda at: 1 - half(at), ms=lambda at: 12.0 + at)
    found = judged(log("a", a), log("b", b))
    assert found.metrics == ["score"]
    said = " ".join(note.en for note in found.notes)
    assert "another metric says the same of every row: `same`" in said
    assert "scores of `ms` reach from 10 to 49" in said
    assert "not every file has it: own" in said
    both = judged(log("a", a), log("b", b), metrics=["same", "score"])
    assert (both.metrics, len(both.comparisons)) == (["same", "score"], 2)
    with pytest.raises(InputError, match=r"b\.jsonl: has no metric `own`; it has: score, same, ms"):
        judged(log("a", a), log("b", b), metrics=["score", "own"])


def test_a_name_may_hold_a_comma():
    rows = [metrics(**{"em,strict": half, "em,any": of, "f1": half}) for of in (half, lambda at: 1 - half(at))]
    logs = [log(name, of) for name, of in zip("ab", rows)]
    assert judged(*logs, metrics=["em", "any", "f1"]).metrics == ["em,any", "f1"]


def test_scores_of_another_range_need_a_scale_and_get_one():
    a, b = metrics(stars=lambda at: 1.0 + at % 5), metrics(stars=lambda at: 2.0 + at % 4)
    with pytest.raises(InputError, match="State the worst and the best value") as raised:
        judged(log("a", a), log("b", b))
    assert "from 1 to 5" in raised.value.problems[0].message.en
    found = judged(log("a", a), log("b", b), scale=(1, 5))
    assert found.systems[0].scores["stars"].value == pytest.approx(0.5)
    assert found.comparisons[0].difference < 0
    assert judged(log("a", a), log("b", b), scale=(5, 1)).comparisons[0].difference > 0
    mixed = [metrics(s=half), metrics(s=lambda at: 50.0 + at)]
    with pytest.raises(InputError, match="from 50 to 89") as raised:
        judged(*(log(name, of) for name, of in zip("ab", mixed)))
    assert len(raised.value.problems) == 2, "both ranges are told"
    with pytest.raises(InputError, match=r"has the metrics: –"):
        judged(log("a", metrics()), log("b", mixed[0]))


@pytest.mark.parametrize(
    ("given", "ends"), [("1:5", (1.0, 5.0)), ("100：0", (100.0, 0.0)), ((0, 10), (0.0, 10.0)), (None, None)]
)
def test_a_scale_is_two_numbers(given, ends):
    assert scale_of(given) == (ends, [])


@pytest.mark.parametrize("given", ["5", "1:1", "a:b", "0:inf", "1:2:3"])
def test_anything_else_is_refused(given):
    assert scale_of(given)[0] is None
    assert given in scale_of(given)[1][0].message.en


def test_answers_that_nobody_scored_are_scored_here():
    def rows(wrong: int) -> list[dict[str, Any]]:
        truth = ["yes" if at % 3 else "no" for at in range(60)]
        return [
            {"id": str(at), "text": f"q{at}", "references": (right,), "answer": "yes" if at < wrong else right}
            for at, right in enumerate(truth)
        ]

    logs = [log("a", rows(30)), log("b", rows(3))]
    found = judged(*logs)
    assert found.metrics == ["accuracy"]
    assert [one.scores["accuracy"].value for one in found.systems] == pytest.approx([50 / 60, 59 / 60])
    assert found.disagreements[0].answers == {"a": "yes", "b": "no"}
    two = judged(*logs, metrics=["macro_f1", "accuracy"])
    f1 = two.systems[0].scores["macro_f1"]
    assert 0 < f1.value < 50 / 60
    assert f1.interval.low < f1.value < f1.interval.high
    one = two.comparisons[0]
    assert one.difference == pytest.approx(f1.value - two.systems[1].scores["macro_f1"].value)


def test_a_metric_over_all_rows_reads_the_first_answer_that_can_be_read():
    def rows(wrong: int) -> list[dict[str, Any]]:
        made = [
            {"id": str(at), "answer": "ab"[(at < wrong) != at % 2], "references": ("ab"[at % 2],)} for at in range(60)
        ]
        return [{**made[3], "answer": None}, *made]

    found = judged(log("a", rows(20)), log("b", rows(5)), metrics=["macro_f1"])
    assert found.systems[0].scores["macro_f1"].value < found.systems[1].scores["macro_f1"].value


def test_cost_is_what_files_say_and_unknown_stays_unknown():
    usage = Usage(prompt_tokens=100, cached_tokens=40, completion_tokens=10)
    paid = [{**row, "usage": usage, "usd": 0.002, "seconds": 0.5} for row in right(30, 0.5, 1)]
    found = judged(log("a", paid), log("b", right(30, 0.5, 2), model="nobody/knows-it"))
    a, b = (system.cost for system in found.systems)
    assert (a.prompt_tokens_per_row, a.cached_tokens_per_row, a.completion_tokens_per_row) == (100, 40, 10)
    assert (a.usd_per_1k_rows, a.latency_p50_ms) == (pytest.approx(2.0), 500)
    assert (b.usd_per_1k_rows, b.prompt_tokens_per_row, b.latency_p50_ms) == (None, None, None)


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["one/x.json", "two/x.json", "y.json"], ["one", "two", "y"]),
        (["out/a/m/s_1.jsonl", "out/b/m/s_2.jsonl"], ["a", "b"]),
        (["a/s_1.jsonl", "a/s_2.jsonl", "b/s_2.jsonl"], ["a/s_1", "a/s_2", "b/s_2"]),
        (["x.json", "x.json"], ["m (1)", "m (2)"]),
    ],
)
def test_systems_of_one_name_are_told_apart_by_their_files(files, names):
    rows = right(30, 0.5, 1)
    logs = [Log("m", file, "rows", log("m", rows).rows) for file in files]
    assert [system.name for system in judged(*logs).systems] == names
    other = Log("other", "z", "rows", logs[0].rows)
    assert [system.name for system in judged(*logs, other).systems] == [*(f"m · {name}" for name in names), "other"]
    about = [replace(one, about=f"task {n}") for n, one in enumerate(logs)]
    assert judged(*about).systems[1].name == "task 1"


def test_one_id_with_two_texts_in_a_file_is_no_id():
    parts = [{"id": str(at % 10), "text": f"q{at}", "scores": {"s": half(at)}} for at in range(30)]
    assert pair({name: log(name, parts) for name in "ab"}).by == "text"
