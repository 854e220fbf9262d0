"""Groups stay together, every row ends somewhere, and nothing leaks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tuneworth.core.task import Example
from tuneworth.data.groups import Group, Union, deal, first_repeated, group_rows, stratified_sample
from tuneworth.data.load import Loaded, load
from tuneworth.data.neardup import Boilerplate, plain, similarities, sketch
from tuneworth.data.split import Prepared, make_split, split_digest
from tuneworth.data.taskfile import task_file_for
from tuneworth.errors import NotEnoughData

SYLLABLES = [
    "ba",
    "co",
    "du",
    "fe",
    "gi",
    "ho",
    "ju",
    "ka",
    "le",
    "mi",
    "no",
    "pu",
    "ra",
    "se",
    "ti",
    "vo",
    "wu",
    "xa",
    "ye",
    "zo",
]


def words(rng: np.random.Generator, n: int) -> str:
    return " ".join("".join(rng.choice(SYLLABLES, size=3)) for _ in range(n))


def loaded(
    folder: Path, rows: list[dict[str, Any]], test: list[dict[str, Any]] | None = None, **options: Any
) -> Loaded:
    (folder / "train.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    if test is not None:
        (folder / "test.jsonl").write_text("\n".join(json.dumps(row) for row in test))
        options["test"] = folder / "test.jsonl"
    return load(task_file_for(folder / "train.jsonl", **options))


def random_rows(n: int, seed: int = 1, labels: int = 4) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [{"text": words(rng, 6), "label": f"c{at % labels}"} for at in range(n)]


def sides_of(prepared: Prepared) -> dict[str, tuple[Example, ...]]:
    split = prepared.split
    return {"train": split.train, "dev": split.dev, "test": split.test}


def check_partition(source: Loaded, prepared: Prepared) -> None:
    """Every row ends in exactly one of train, dev, test, rejected, left out."""
    placed = Counter(row.id for side in sides_of(prepared).values() for row in side)
    placed.update(list(prepared.left_out))
    over_context = {row.where for row in prepared.rejected} - {row.where for row in source.rejected}
    everything = [*source.examples, *(source.test_examples or ())]
    placed.update(row.id for row in everything if row.source in over_context)
    assert placed == Counter(row.id for row in everything)


def check_groups(prepared: Prepared) -> None:
    seen: dict[str, str] = {}
    for side in ("train", "dev"):
        for row in sides_of(prepared)[side]:
            assert seen.setdefault(row.group, side) == side
    for row in prepared.split.test:
        assert not row.group or seen.setdefault(row.group, "test") == "test"


def test_thirty_templated_rows_do_not_leak_through_a_number(tmp_path: Path) -> None:
    templates = [
        ("Order {} is late", "delivery"),
        ("Refund {} euros to my card", "refund"),
        ("Room {} has no towels", "hotel"),
        ("My flight LH{} was cancelled", "travel"),
        ("Invoice no. {} is wrong", "billing"),
        ("Parking lot {} is full", "parking"),
        ("Ticket #{} was never answered", "support"),
        ("Where is bus {}?", "bus"),
        ("I lost key {} yesterday", "keys"),
        ("Meter {} shows nothing", "energy"),
    ]
    rows = [
        {"text": text.format(n), "label": label if at % 2 else "other"}
        for at, (text, label) in enumerate(templates)
        for n in (123, "4,567", 89.5)
    ]
    for seed in range(10):
        prepared = make_split(loaded(tmp_path, rows, output={"kind": "label"}), seed=seed)
        texts = {side: {plain(row.query.text) for row in found} for side, found in sides_of(prepared).items()}
        assert not texts["train"] & texts["test"]
        assert not texts["train"] & texts["dev"]
        assert not texts["dev"] & texts["test"]
        assert prepared.summary.n_groups <= 10
        check_groups(prepared)


def test_one_template_alone_is_refused_rather_than_leaked(tmp_path: Path) -> None:
    rows = [
        {"input": f"Order {at} is late", "output": f"We are very sorry to hear about the delay of order {at}."}
        for at in range(30)
    ]
    with pytest.raises(NotEnoughData, match="only 1 groups of near-duplicates"):
        make_split(loaded(tmp_path, rows), seed=0)


def test_numbers_count_where_they_are_the_task(tmp_path: Path) -> None:
    rows = [{"input": f"What is {a} plus {b}?", "output": str(a + b)} for a in range(3, 13) for b in range(20, 26)]
    prepared = make_split(loaded(tmp_path, rows, output={"kind": "text"}), seed=0)
    assert prepared.summary.n_groups == 60
    assert any("numbers" in text.en for text in prepared.summary.warnings)


def test_short_texts_with_different_words_stay_apart() -> None:
    texts = [
        "cancel my card",
        "cancel my account",
        "block my card",
        "lost my card",
        "new card",
        "new phone",
        "ok",
        "no",
        "?",
        "!",
    ]
    assert group_rows(texts, texts).n_groups == len(texts)
    assert group_rows(["Ok.", "ok", "OK!!", "ＯＫ"], ["a"] * 4).n_groups == 1


def test_chinese_near_duplicates_are_found() -> None:
    texts = [
        "我的银行卡昨天在超市丢失了，请问应该怎么办理挂失手续",
        "我的银行卡昨天在超市丢失了，请问该怎么办理挂失手续？",
        "怎样修改登录密码",
    ]
    groups = group_rows(texts, texts)
    assert groups.of_row == (0, 0, 1)
    assert groups.n == 2


def test_shared_instructions_do_not_make_rows_alike() -> None:
    rng = np.random.default_rng(2)
    start, end = (
        "Classify the following customer message into one of our many intents.\n\nMessage: ",
        "\n\nAnswer with the intent only.",
    )
    texts = [start + words(rng, 4) + end for _ in range(40)]
    assert Boilerplate.of(texts) == Boilerplate(start, end)
    assert group_rows(texts, [str(at) for at in range(40)]).n_groups == 40
    assert Boilerplate.of(["cats are", "cars are", "cabs are", "cans are", "caps are"]).prefix == ""


def test_chains_are_cut_and_said() -> None:
    rng = np.random.default_rng(3)
    parts = [words(rng, 1) for _ in range(90)]
    texts = [" ".join(parts[at : at + 10]) for at in range(80)]  # each shares nine words of ten with the next
    groups = group_rows(texts, texts)
    assert max(map(len, groups.members())) < 80
    assert "linked to one another" in groups.warnings[0].en


def test_user_groups_join_what_texts_do_not(tmp_path: Path) -> None:
    rows = [{**row, "who": f"customer {at // 3}"} for at, row in enumerate(random_rows(90))]
    prepared = make_split(loaded(tmp_path, rows, fields={"group": "who"}), seed=0)
    assert prepared.summary.n_groups == 30
    found = {int(row.id.split("-")[1]): side for side, rows_ in sides_of(prepared).items() for row in rows_}
    assert all(found[3 * at + 1] == found[3 * at + 2] == found[3 * at + 3] for at in range(30))


def test_test_rows_of_a_user_group_seen_in_training_are_left_out(tmp_path: Path) -> None:
    rows = [{**row, "who": f"customer {at // 3}"} for at, row in enumerate(random_rows(90))]
    test = [{**row, "who": f"customer {25 + at}"} for at, row in enumerate(random_rows(40, seed=2))]
    prepared = make_split(loaded(tmp_path, rows, test, fields={"group": "who"}), seed=0)
    assert [leak.test.id for leak in prepared.leaks] == [f"test-{at + 1}" for at in range(5)]
    assert prepared.summary.n_test == 35


@pytest.mark.parametrize(
    ("n", "sizes"), [(20, (10, 4, 6)), (60, (28, 12, 20)), (400, (240, 60, 100)), (2_000, (1550, 150, 300))]
)
def test_sizes(tmp_path: Path, n: int, sizes: tuple[int, int, int]) -> None:
    prepared = make_split(loaded(tmp_path, random_rows(n)), seed=0)
    assert tuple(len(side) for side in sides_of(prepared).values()) == pytest.approx(sizes, abs=3)


def test_classes_keep_their_shares_and_rare_ones_go_to_train_first(tmp_path: Path) -> None:
    rows = random_rows(400)
    for at, row in enumerate(rows):
        row["label"] = "common" if at % 10 else "rare"
    rows[17]["label"] = rows[18]["label"] = "two"
    rows[19]["label"] = "one"
    prepared = make_split(loaded(tmp_path, rows), seed=5)
    counts = {side: Counter(row.output for row in found) for side, found in sides_of(prepared).items()}
    assert counts["train"]["one"] == 1
    assert counts["train"]["two"] >= 1
    assert counts["test"]["rare"] == pytest.approx(10, abs=1)
    assert counts["dev"]["rare"] == pytest.approx(6, abs=1)


def test_a_test_file_is_capped_and_its_leaks_are_left_out(tmp_path: Path) -> None:
    rows, test = random_rows(200), random_rows(400, seed=2)
    test[7] = dict(rows[3])
    test[9] = {**rows[5], "text": rows[5]["text"].upper() + " 12!"}
    test[11] = {**rows[8], "label": "never seen"}
    source = loaded(tmp_path, rows, test)
    prepared = make_split(source, seed=0)
    assert [(leak.test.id, leak.train.id) for leak in prepared.leaks] == [
        ("test-8", "train-4"),
        ("test-10", "train-6"),
        ("test-12", "train-9"),
    ]
    assert (prepared.summary.n_test, prepared.summary.n_leaks) == (300, 3)
    assert not {leak.test.id for leak in prepared.leaks} & {row.id for row in prepared.split.test}
    assert Counter(prepared.left_out.values()) == {"leak": 3, "cap": 97}
    assert any("test.jsonl:8" in text.en for text in prepared.summary.warnings)
    check_partition(source, prepared)


def test_a_test_file_that_only_repeats_train_is_refused(tmp_path: Path) -> None:
    rows = random_rows(100)
    with pytest.raises(NotEnoughData, match="0 usable test rows are left"):
        make_split(loaded(tmp_path, rows, rows[:40]), seed=0)


def test_a_class_only_in_the_test_file_is_said(tmp_path: Path) -> None:
    test = random_rows(40, seed=2)
    test[0]["label"] = "unheard"
    prepared = make_split(loaded(tmp_path, random_rows(100), test), seed=0)
    assert "unheard" not in prepared.task.labels
    assert any("unheard" in text.en for text in prepared.summary.warnings)


def test_rows_over_the_context_are_rejected_with_their_raw_text(tmp_path: Path) -> None:
    rows = random_rows(60)
    rows[4]["text"] = "long " * 500
    source = loaded(tmp_path, rows)
    prepared = make_split(source, seed=0, fits=lambda text: len(text) < 1_000)
    assert [row.where for row in prepared.rejected] == ["train.jsonl:5"]
    assert "over the model's context" in prepared.rejected[0].reason.en
    assert json.loads(prepared.rejected[0].raw) == rows[4]
    check_partition(source, prepared)


def test_answers_to_one_question_become_references_on_dev_and_test_only(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    rows = [
        {"input": text, "output": f"Answer {style}: {words(rng, 9)}"}
        for text in (words(rng, 6) for _ in range(40))
        for style in ("one", "two", "three")
    ]
    source = loaded(tmp_path, rows)
    prepared = make_split(source, seed=0)
    assert all(len(row.references) == 3 for row in (*prepared.split.dev, *prepared.split.test))
    assert all(len(row.references) == 1 for row in prepared.split.train)
    assert (len(prepared.split.test), len(prepared.split.train) % 3) == (13, 0)
    check_partition(source, prepared)


def test_conflicting_labels_stay_separate_rows(tmp_path: Path) -> None:
    rows = [{**row, "label": label} for row in random_rows(40) for label in ("a", "b")]
    prepared = make_split(loaded(tmp_path, rows), seed=0)
    assert sum(len(side) for side in sides_of(prepared).values()) == 80
    check_groups(prepared)


def test_the_schema_of_a_run_comes_from_train_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    rows = [
        {
            "input": words(rng, 6),
            "output": {"b": "x", "a": words(rng, 1)} if at % 2 else {"a": words(rng, 1), "b": "y", f"k{at}": at},
        }
        for at in range(60)
    ]
    prepared = make_split(loaded(tmp_path, rows), seed=0)
    assert prepared.task.json_schema is not None
    keys = set(prepared.task.json_schema["properties"])
    train_keys = {key for row in prepared.split.train for key in json.loads(row.output)}
    assert keys == train_keys
    assert len({tuple(key for key in json.loads(row.output) if key in "ab") for row in prepared.split.train}) == 1


def test_train_caps_keep_classes(tmp_path: Path) -> None:
    source = loaded(tmp_path, random_rows(300))
    prepared = make_split(source, seed=0, max_train=40, max_dev=12, max_test=20)
    assert [len(side) for side in sides_of(prepared).values()] == [40, 12, 20]
    assert Counter(row.output for row in prepared.split.train) == {f"c{at}": 10 for at in range(4)}
    check_partition(source, prepared)


def test_the_same_seed_gives_the_same_split_in_another_process(tmp_path: Path) -> None:
    source = loaded(tmp_path, random_rows(120))
    first = make_split(source, seed=3)
    assert make_split(source, seed=3).split == first.split
    assert make_split(source, seed=4).split.digest != first.split.digest
    code = (
        "import sys; from tuneworth.data.load import load; from tuneworth.data.split import make_split\n"
        "from tuneworth.data.taskfile import task_file_for\n"
        "print(make_split(load(task_file_for(sys.argv[1])), seed=3).split.digest)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "train.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "77"})
    assert done.stdout.strip() == first.split.digest


def test_the_digest_sees_every_part_of_a_row(tmp_path: Path) -> None:
    split = make_split(loaded(tmp_path, random_rows(60)), seed=0).split
    row = split.test[0]
    changes = [
        replace(row, output="c9"),
        replace(row, references=(row.output, "c8")),
        replace(row, query=replace(row.query, id="other")),
        replace(row, query=replace(row.query, choices=("a",))),
    ]
    digests = {split_digest(replace(split, test=(changed, *split.test[1:]))) for changed in changes}
    digests.add(split_digest(replace(split, dev=(*split.dev, row), test=split.test[1:])))
    assert len(digests | {split.digest}) == 6


_ROW = st.tuples(st.integers(0, 25), st.integers(0, 3), st.integers(0, 2))


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # shrinking sixty rows takes minutes and tells little
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=st.lists(_ROW, min_size=60, max_size=120), seed=st.integers(0, 5), kind=st.sampled_from(["label", "text"]))
def test_no_group_crosses_and_every_row_ends_in_one_place(
    tmp_path: Path, rows: list[Any], seed: int, kind: str
) -> None:
    rng = np.random.default_rng(0)
    stems = [words(rng, 7) for _ in range(26)]
    data = [{"text": f"{stems[stem]} {'!' * number} {number}", "label": f"c{label}"} for stem, number, label in rows]
    half = len(data) * 3 // 4
    for test in (None, data[half:]):
        try:
            source = loaded(tmp_path, data if test is None else data[:half], test, output={"kind": kind})
            prepared = make_split(source, seed=seed, max_train=50, fits=lambda text: not text.startswith(stems[0]))
        except NotEnoughData:
            continue
        check_partition(source, prepared)
        check_groups(prepared)
        learnt = {plain(row.query.text) for row in (*prepared.split.train, *prepared.split.dev)}
        assert not learnt & {plain(row.query.text) for row in prepared.split.test}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=30), min_size=2, max_size=2), st.integers(1, 5))
def test_jaccard_of_hashes_is_that_of_ngrams(texts: list[str], n: int) -> None:
    def grams(text: str) -> set[str]:
        return {text[at : at + n] for at in range(len(text) - n + 1)} or {text}

    a, b = (grams(text) for text in texts)
    expected = len(a & b) / len(a | b)
    found = sketch(texts, n)
    assert similarities(found, found, np.array([0]), np.array([1])) == pytest.approx([expected])


def test_near_duplicates_above_the_threshold_are_found_and_no_others() -> None:
    rng = np.random.default_rng(7)
    originals = [words(rng, 12) for _ in range(200)]
    near = [f"{text[:-4]}xyz" for text in originals]
    found = first_repeated([*near, *(words(rng, 12) for _ in range(50))], originals, 4)
    assert sum(found.get(at) == at for at in range(200)) >= 199
    assert max(found) < 200


@pytest.mark.parametrize(("kept", "changed"), [(12, 0.1), (20, 0.15), (30, 0.25)])
def test_groups_are_those_of_all_pairs_where_rows_are_of_few_templates(kept: int, changed: float) -> None:
    rng = np.random.default_rng(kept)
    templates = [words(rng, kept).split() for _ in range(6)]
    texts = [
        " ".join(word if rng.random() > changed else words(rng, 1) for word in templates[int(rng.integers(6))])
        for _ in range(600)
    ]
    distinct = list(dict.fromkeys(texts))
    found, union = sketch(distinct, 4), Union(len(distinct))
    a, b = np.triu_indices(len(distinct), 1)
    for at in np.flatnonzero(similarities(found, found, a, b) >= 0.7):
        union.join(int(a[at]), int(b[at]))
    assert group_rows(texts, [str(at % 7) for at in range(600)]).n_groups == len(union.sets())


def test_a_large_text_is_sketched_in_bounded_memory() -> None:
    import tracemalloc

    rng = np.random.default_rng(8)
    text = "".join(chr(int(code)) for code in rng.integers(97, 123, size=200_000))
    sketch([text], 4)
    tracemalloc.start()
    sketch([text], 4, bands=32)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6


def test_big_groups_go_to_train_unless_nothing_else_is_there() -> None:
    rng = np.random.default_rng(0)
    mixed = [Group(Counter({"": 30}))] + [Group(Counter({"": 1})) for _ in range(70)]
    assert deal(mixed, {"train": 60, "dev": 15, "test": 25}, rng)[0] == "train"
    five = [Group(Counter({"": 6})) for _ in range(5)]
    assert Counter(deal(five, {"train": 14, "dev": 6, "test": 10}, rng)) == {"train": 3, "dev": 1, "test": 1}


def test_stratified_samples_are_exact() -> None:
    classes = ["a"] * 70 + ["b"] * 20 + ["c"] * 10
    taken = stratified_sample(classes, 10, np.random.default_rng(0))
    assert Counter(classes[at] for at in taken) == {"a": 7, "b": 2, "c": 1}
    assert taken == sorted(taken)
    assert stratified_sample(classes, 500, np.random.default_rng(0)) == list(range(100))


def grouped_rows(sizes: list[int], seed: int = 3) -> list[dict[str, Any]]:
    """Rows of users of whom each has so many, all of different texts."""
    rng, users = np.random.default_rng(seed), [user for user, size in enumerate(sizes) for _ in range(size)]
    return [{"text": words(rng, 6), "label": f"c{at % 3}", "who": f"u{user}"} for at, user in enumerate(users)]


@pytest.mark.parametrize(
    "sizes",
    [[60, *[1] * 300], [90, 60, 30, *[4] * 60], [12] * 60, [40, 30, *[2] * 20]],
    ids=["one", "few", "even", "small"],
)
def test_no_group_is_more_than_a_twentieth_of_a_side(tmp_path: Path, sizes: list[int]) -> None:
    source = loaded(tmp_path, grouped_rows(sizes), fields={"input": "text", "output": "label", "group": "who"})
    for seed in range(3):
        prepared = make_split(source, seed=seed)
        check_groups(prepared)
        check_partition(source, prepared)
        for side in (prepared.split.dev, prepared.split.test):
            counts = Counter(row.group for row in side)
            assert max(counts.values()) <= max(1, len(side) / 20) or len(counts) < 20


def test_near_copies_in_a_test_file_are_one_group_and_few_of_them_stay(tmp_path: Path) -> None:
    copies = [{"text": f"my parcel number {at} did not arrive until today", "label": "c1"} for at in range(60)]
    source = loaded(tmp_path, random_rows(60), [*random_rows(200, seed=2), *copies])
    prepared = make_split(source, seed=0)
    check_partition(source, prepared)
    kept = [row for row in prepared.split.test if row.query.text.startswith("my parcel")]
    assert len({row.group for row in kept}) == 1
    assert len(kept) <= len(prepared.split.test) / 20
    assert any("twentieth" in warning.en for warning in prepared.summary.warnings)


def test_a_chat_that_was_exported_turn_by_turn_is_one_group() -> None:
    rng = np.random.default_rng(7)
    texts: list[str] = []
    for _ in range(12):
        turns = [words(rng, 9) for _ in range(9)]
        texts += ["\n".join(turns[:n]) for n in (1, 3, 5, 7, 9)]
    texts += [f"Hi\n{words(rng, 8)}" for _ in range(9)] + ["Hi"]
    heading = "Answer the question of the customer in one short sentence."
    texts += [heading] + [f"{heading}\n{words(rng, 12)}" for _ in range(15)]
    found = group_rows(texts, texts).of_row
    for chat in range(12):
        assert len(set(found[5 * chat : 5 * chat + 5])) == 1
    assert len(set(found)) == 12 + 10 + 16


def test_few_groups_on_the_test_side_are_said(tmp_path: Path) -> None:
    source = loaded(tmp_path, grouped_rows([15] * 12), fields={"input": "text", "output": "label", "group": "who"})
    [said] = [text for text in make_split(source, seed=0).summary.warnings if "nothing is claimed" in text.en]
    assert "only" in said.en


def test_a_row_over_the_context_is_named_by_its_line_where_several_share_one(tmp_path: Path) -> None:
    path, rng = tmp_path / "rows.jsonl", np.random.default_rng(0)
    texts = [" ".join(map(str, rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 12))) for _ in range(60)]
    rows = [json.dumps({"input": text, "output": "xy"[at % 2]}) for at, text in enumerate(texts)]
    path.write_text("\n".join(" ".join(rows[at : at + 2]) for at in range(0, 60, 2)), encoding="utf-8")
    prepared = make_split(load(task_file_for(path)), seed=0, fits=lambda text: not text.startswith(texts[7]))
    assert [(row.file, row.line) for row in prepared.rejected] == [("rows.jsonl", 4)]
