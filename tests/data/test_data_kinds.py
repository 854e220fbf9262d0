"""Numbers and sets of labels: found among outputs that look alike, written in one way, dealt to the sides."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tuneworth.core.labelsets import read_labels, written
from tuneworth.data.infer import Pair, guess_kind, guess_metric
from tuneworth.data.labelsets import find_label_sets
from tuneworth.data.load import Loaded, load
from tuneworth.data.split import make_split
from tuneworth.data.taskfile import task_file_for, task_file_of
from tuneworth.errors import InputError
from tuneworth.race.folder import settings_digest

NAMES = ("heating", "water", "lift", "roof", "door")
RNG = np.random.default_rng(11)
SETS = [sorted(RNG.choice(NAMES, size=RNG.integers(1, 4), replace=False).tolist(), key=str) for _ in range(90)]
WORDS = [
    "amber",
    "birch",
    "cedar",
    "dahlia",
    "elder",
    "fennel",
    "ginger",
    "hazel",
    "iris",
    "juniper",
    "kale",
    "laurel",
    "maple",
    "nettle",
    "oak",
    "poppy",
    "quince",
    "rose",
]
TEXTS = [" ".join(RNG.choice(WORDS, size=9).tolist()) for _ in range(400)]


def pairs(outputs: Sequence[str], texts: Sequence[str] = TEXTS) -> list[Pair]:
    return [Pair(text, output) for text, output in zip(texts, outputs)]


def loaded(folder: Path, outputs: Sequence[Any], **options: Any) -> Loaded:
    path = folder / "rows.jsonl"
    rows = [{"text": text, "label": output} for text, output in zip(TEXTS, outputs)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return load(task_file_for(path, **options))


@pytest.mark.parametrize("sign", [", ", ",", ";", " | ", "、", "，", "\n", "/", " / ", " and ", " & ", "+", "和", None])
def test_labels_that_are_combined_are_sets(tmp_path: Path, sign: str | None) -> None:
    result = loaded(tmp_path, [labels if sign is None else sign.join(labels) for labels in SETS])
    assert (result.task.kind, result.task.metric) == ("multilabel", "multilabel_f1")
    assert result.task.labels == tuple(sorted(NAMES))
    assert [row.output for row in result.examples] == [", ".join(sorted(labels)) for labels in SETS]


@pytest.mark.parametrize(
    ("yes", "no"), [(1, 0), (True, False), ("1", ""), (1.0, 0.0), ("Yes", "No"), ("x", ""), ("是", "否")]
)
def test_a_column_a_label_is_a_set_of_labels(tmp_path: Path, yes: Any, no: Any) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [
        {"id": at, "comment_text": text} | {name: yes if name in labels else no for name in NAMES}
        for at, (text, labels) in enumerate(zip(TEXTS, [[], *SETS]))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = load(task_file_for(path))
    assert (result.task.kind, result.task.labels) == ("multilabel", tuple(sorted(NAMES)))
    assert [row.output for row in result.examples[:2]] == ["none", ", ".join(sorted(SETS[0]))]
    assert "hold 1 or 0 in every row" in " ".join(text.en for text in result.inferred)


def test_a_column_a_class_is_a_label(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [
        {"text": text} | {name: int(name == NAMES[at % 5]) for name in NAMES[:5]} for at, text in enumerate(TEXTS[:80])
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert load(task_file_for(path)).task.labels == tuple(sorted(NAMES[:5]))


def test_a_test_file_without_a_label_s_column_is_refused(tmp_path: Path) -> None:
    rows = [
        {"text": text} | {name: int(name == NAMES[at % 5]) for name in NAMES} for at, text in enumerate(TEXTS[:120])
    ]
    for file, part in (
        ("train", rows[:80]),
        ("test", [{k: v for k, v in row.items() if k != "lift"} for row in rows[80:]]),
    ):
        (tmp_path / f"{file}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    with pytest.raises(InputError, match=r"test.jsonl: has no column `lift`"):
        load(task_file_for(tmp_path / "train.jsonl", test=str(tmp_path / "test.jsonl")))


def test_facts_beside_an_answer_are_no_labels(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [
        {"text": text, "label": NAMES[at % 4], "new": at % 2, "paid": at // 2 % 2, "long": at // 4 % 2}
        for at, text in enumerate(TEXTS[:80])
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert load(task_file_for(path)).task.labels == tuple(sorted(NAMES[:4]))


def test_the_last_label_may_come_behind_and(tmp_path: Path) -> None:
    result = loaded(
        tmp_path, [" and ".join([", ".join(labels[:-1]), labels[-1]]).removeprefix(" and ") for labels in SETS]
    )
    assert result.task.labels == tuple(sorted(NAMES))
    assert [row.output for row in result.examples] == [", ".join(sorted(labels)) for labels in SETS]


@pytest.mark.parametrize("sign", ["/", " and "])
def test_labels_with_slashes_keep_them(tmp_path: Path, sign: str) -> None:
    result = loaded(tmp_path, [[f"up{sign}down", "n/a", "roof"][at % 3] for at in range(60)])
    assert (result.task.kind, result.task.labels) == ("label", tuple(sorted({f"up{sign}down", "n/a", "roof"})))


def test_rows_without_a_label_are_kept(tmp_path: Path) -> None:
    result = loaded(tmp_path, [[], *SETS[:60], []])
    assert result.task.kind == "multilabel"
    assert [result.examples[at].output for at in (0, -1)] == ["none", "none"]


def test_labels_with_commas_keep_them(tmp_path: Path) -> None:
    sets = [[str({"door": "door, gate", "roof": "roof, attic"}.get(name, name)) for name in labels] for labels in SETS]
    result = loaded(tmp_path, sets)
    assert "door, gate" in result.task.labels
    assert result.examples[0].output == "; ".join(sorted(sets[0]))
    assert read_labels("roof, attic, door, gate", result.task.labels) == {"roof, attic", "door, gate"}
    assert all(read_labels(row.output, result.task.labels) == set(labels) for row, labels in zip(result.examples, sets))


@pytest.mark.parametrize(
    "outputs",
    [
        ["Paris, France", "Lyon, France", "Rome, Italy", "Bonn, Germany"] * 15,  # parts do not change partners
        ["Arts, Crafts & Sewing", "Clothing, Shoes & Jewelry", "Toys"] * 20,
        [f"{WORDS[at % 18]}, {WORDS[at * 7 % 18]}{at}" for at in range(60)],  # words that never come again
        ["yes, because the lamp of the second room is broken and needs to be repaired at once", "no"] * 30,
        json.dumps([["left", "left", "ahead"], ["ahead", "left"], ["right", "ahead", "ahead"]]) and
        [json.dumps(steps) for steps in [["left", "left", "ahead"], ["ahead", "left", "left"], ["right", "ahead"]] * 20],
    ],
)  # fmt: skip
def test_what_only_looks_like_a_set_is_none(outputs: list[str]) -> None:
    assert find_label_sets(outputs) is None


def test_known_labels_and_sets_of_them(tmp_path: Path) -> None:
    outputs = [", ".join(labels) for labels in SETS]
    assert loaded(tmp_path, outputs, output={"labels": list(NAMES)}).task.kind == "multilabel"
    result = loaded(tmp_path, [*outputs, "garage"], output={"kind": "multilabel", "labels": list(NAMES)})
    assert [row.line for row in result.rejected] == [len(outputs) + 1]


@pytest.mark.parametrize(
    ("answer", "labels"),
    [
        ("Roof; water", {"roof", "water"}),
        ("- roof\n- water", {"roof", "water"}),
        ('["roof", "lift"]', {"roof", "lift"}),
        ("“roof” | tower", {"roof", "tower"}),
        ("none", set()),
        ("", set()),
        ("[", {"["}),
        ("roof, " * 100_000, {"roof"}),
    ],
)
def test_reading_labels(answer: str, labels: set[str]) -> None:
    assert read_labels(answer, NAMES) == labels


def test_writing_labels() -> None:
    assert written({"roof", "door"}, NAMES) == "door, roof"
    assert written(set(), NAMES) == "none"
    assert written({"a, b", "c; d"}, ("a, b", "c; d")) == "a, b | c; d"


def numbers(rule: Any, n: int = 120) -> list[str]:
    return [str(rule(at)) for at in range(n)]


@pytest.mark.parametrize(
    ("outputs", "kind"),
    [
        (numbers(lambda at: 1 + (at * 37 % 401) / 100), "number"),  # ratings with two digits
        (numbers(lambda at: (1 + at % 9) / 2), "number"),  # half stars
        (numbers(lambda at: f"{200_000 + at * 977:,}"), "number"),  # prices
        (numbers(lambda at: f"{at * 7 % 50 + 0.5} kg"), "number"),
        (numbers(lambda at: at * 11 % 52 + 18), "number"),  # ages: not from 0 or 1
        (numbers(lambda at: -at * 31 % 300 - 100), "number"),
        (numbers(lambda at: 1 + at % 5), "label"),  # stars
        (numbers(lambda at: at % 2), "label"),
        (numbers(lambda at: at % 30), "label"),  # numbered classes
        (numbers(lambda at: [10, 20, 45][at % 3]), "label"),
        (numbers(lambda at: f"{at * 7919 % 100_000:05d}"), "text"),  # codes
        (numbers(lambda at: 1_000_000 + at * 7919), "text"),
        (numbers(lambda at: f"{at * 3} {['kg', 'g'][at % 2]}"), "text"),  # two units
        (numbers(lambda at: f"{1 + at % 5}/5"), "label"),  # marks out of five
        (numbers(lambda at: f"2024-0{1 + at % 9}-{10 + at % 19}"), "text"),
    ],
)
def test_numbers_and_names_that_are_written_as_numbers(outputs: list[str], kind: str) -> None:
    assert guess_kind(pairs(outputs)).kind == kind


def test_numbers_are_written_in_one_way(tmp_path: Path) -> None:
    outputs = [f"$ {1_000 + at * 37.5:,.2f}" for at in range(60)]
    result = loaded(tmp_path, [*outputs, "about five"])
    assert (result.task.kind, result.task.metric) == ("number", "numbers")
    assert [row.output for row in result.examples[:3]] == ["1000", "1037.5", "1075"]
    assert "the answer in `label` is not a number" in result.rejected[0].reason.en
    assert result.task.spread == pytest.approx(37.5 * 53, rel=0.05)


def test_numbers_that_are_asked_for_or_stand_in_the_row_are_right_or_wrong() -> None:
    outputs = numbers(lambda at: at * 37 % 977 + 0.5)
    assert guess_metric("number", pairs(outputs)).metric == "numbers"
    whole, asked = numbers(lambda at: at * 37 % 977), [f"How many are left?\ncontext: {text}" for text in TEXTS]
    assert guess_metric("number", pairs(whole, asked)).metric == "final_answer"
    assert guess_metric("number", pairs(outputs, asked)).metric == "numbers", "how hard is this question: 2.5"
    assert guess_kind(pairs(whole, asked)).kind == "text", "an answer may also be that there is none"
    assert guess_metric("text", pairs(whole, asked)).metric == "final_answer"
    shown = [f"{text} total {output} due" for text, output in zip(TEXTS, outputs)]
    assert guess_metric("number", pairs(outputs, shown)).metric == "final_answer"


def test_the_scale_of_errors_is_that_of_the_train_side(tmp_path: Path) -> None:
    result = loaded(tmp_path, [round(float(value), 2) for value in np.random.default_rng(3).exponential(10, 200)])
    prepared = make_split(result, seed=0)
    values = sorted(float(row.output) for row in prepared.split.train)
    last = len(values) - 1
    assert prepared.task.spread == values[round(0.95 * last)] - values[round(0.05 * last)]


def test_numbers_and_rare_labels_are_dealt_in_equal_shares(tmp_path: Path) -> None:
    amounts = [round(float(value), 2) for value in np.random.default_rng(3).exponential(10, 200)]
    split = make_split(loaded(tmp_path, amounts), seed=0).split
    high = float(np.quantile(amounts, 0.8))
    for side in (split.train, split.dev, split.test):
        assert np.mean([float(row.output) > high for row in side]) == pytest.approx(0.2, abs=0.04)
    rare = [[*labels, "gas"] if at % 9 == 0 else labels for at, labels in enumerate(SETS * 2)]
    split = make_split(loaded(tmp_path, [", ".join(labels) for labels in rare]), seed=0).split
    for side in (split.train, split.dev, split.test):
        assert np.mean(["gas" in row.output for row in side]) == pytest.approx(1 / 9, abs=0.03)
    with_commas = [[name.replace("o", "o, ") for name in labels] for labels in rare]  # written with "; " between them
    split = make_split(loaded(tmp_path, with_commas), seed=0).split
    for side in (split.train, split.dev, split.test):
        assert np.mean(["gas" in row.output for row in side]) == pytest.approx(1 / 9, abs=0.03)


def test_sql_on_declared_tables_is_run_and_other_sql_is_warned_of(tmp_path: Path) -> None:
    queries = [f"SELECT {WORDS[at % 18]} FROM t{at % 7} WHERE n > {at}" for at in range(60)]
    declared = [f"CREATE TABLE t{at % 7} ({WORDS[at % 18]} TEXT, n INT)\nWhich are above {at}?" for at in range(60)]
    assert guess_metric("text", pairs(queries, declared)).metric == "sql_execution"
    result = loaded(tmp_path, queries)
    assert (result.task.kind, result.task.metric) == ("text", "chrf")
    assert "use `metric: sql_execution`" in result.warnings[0].en


def test_a_database_is_found_from_the_task_file(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(
        "train: t.jsonl\nmetric: sql_execution\nmetric_settings: {database: shop.sqlite}\n"
    )
    task_file = task_file_of(tmp_path / "task.yaml")
    assert task_file.metric_settings == {"database": str(tmp_path / "shop.sqlite")}
    before = settings_digest(task_file)
    (tmp_path / "shop.sqlite").write_text("changed")
    assert settings_digest(task_file) != before, "another database is another run"


def test_what_is_left_out_of_numbers_and_labels_is_said() -> None:
    assert "with “kg”" in guess_kind(pairs(numbers(lambda at: f"{at * 7 % 50 + 0.5} kg"))).reason.en
    assert "say `output: {kind: number}`" in guess_kind(pairs(numbers(lambda at: 1 + at % 5))).reason.en
    assert "kind: number" not in guess_kind(pairs(numbers(lambda at: at % 2))).reason.en


def test_ten_answers_in_forms_of_their_own(tmp_path: Path) -> None:
    """Each as (outputs, kind, the first answer as it is learnt)."""
    cases: list[tuple[list[Any], str, str]] = [
        ([[1 + at % 4] for at in range(60)], "label", "1"),
        (
            [[NAMES[at % 5]] if at % 7 else [NAMES[at % 5], NAMES[(at + 2) % 5]] for at in range(90)],
            "multilabel",
            "heating, lift",
        ),
        ([f"{NAMES[at % 5]}." for at in range(60)], "label", "heating."),
        ([f"{at * 1.5 + 3:.1f} %" for at in range(60)], "number", "3"),
        ([f"-{at * 1.5 + 3}" for at in range(60)], "number", "-3"),
        ([f"{at + 1},{at % 10}5 €" for at in range(60)], "number", "1.05"),
        (
            [repr({"room": NAMES[at % 5], "n": at, "ok": None}) for at in range(60)],
            "json",
            '{"room": "heating", "n": 0, "ok": null}',
        ),
        ([repr((NAMES[at % 5], at)) for at in range(60)], "json", '["heating", 0]'),
        ([f"<think>{at}</think>\n<answer>{NAMES[at % 5]}</answer>" for at in range(60)], "label", "heating"),
        ([f"<think>{at}</think>" + json.dumps({"n": at}) for at in range(60)], "json", '{"n": 0}'),
    ]
    for outputs, kind, first in cases:
        result = loaded(tmp_path, outputs)
        assert (result.task.kind, result.examples[0].output) == (kind, first)


@pytest.mark.parametrize("keys", [("kind", "n"), ("intent", "city")])
def test_objects_with_few_values_are_no_sets_of_labels(keys):
    """Cut at their commas they are combined anew in other rows, like labels."""
    rng = random.Random(0)
    outputs = [json.dumps({keys[0]: rng.choice("ab"), keys[1]: rng.randint(1, 9)}) for _ in range(300)]
    assert guess_kind([Pair(f"text {at}", output) for at, output in enumerate(outputs)]).kind == "json"
