"""Columns beside the question and the answer: what joins the input, what is warned of, what is left alone."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from rows_made import write_rows
from tuneworth.data.fieldnames import option_columns
from tuneworth.data.initfile import task_file_text
from tuneworth.data.load import Loaded, load
from tuneworth.data.taskfile import task_file_for, task_file_of
from tuneworth.errors import InputError

TOWNS = ["Ardal", "Brox", "Celm", "Dorn", "Esk", "Fenn", "Garth", "Holm", "Ives", "Jura", "Kirn", "Lund"]
TEAMS = ["billing", "delivery", "account"]


def read(tmp_path: Path, rows: list[dict[str, Any]], **task: Any) -> Loaded:
    return load(task_file_for(str(write_rows(tmp_path / "rows.jsonl", rows)), **task))


def asked(loaded: Loaded, at: int = 0) -> list[tuple[str, str]]:
    return [(turn.role, turn.content) for turn in loaded.examples[at].query.messages]


def said_of(loaded: Loaded) -> str:
    return "\n".join(text.en for text in loaded.inferred)


def warned(loaded: Loaded) -> str:
    return "\n".join(text.en for text in loaded.warnings)


def lookups(column: str, n: int = 60) -> list[dict[str, Any]]:
    """Questions whose answers stand in a column only."""
    return [
        {
            "question": f"When was mill {at} of {TOWNS[at % 12]} built?",
            column: f"The mill {at} of {TOWNS[at % 12]} dates from M{1500 + 7 * at}, the church is {at % 9} years older.",
            "answer": f"M{1500 + 7 * at}",
        }
        for at in range(n)
    ]


@pytest.mark.parametrize("name", ["context", "Passage", "retrieved_contexts", "上下文", "阅读材料"])
def test_a_column_that_can_only_be_input_joins_and_says_why(tmp_path: Path, name: str) -> None:
    loaded = read(tmp_path, lookups(name))
    first = lookups(name)[0]
    assert asked(loaded) == [("user", f"question: {first['question']}\n{name}: {first[name]}")]
    assert f"`{name}` is part of it (60 of 60 answers stand in it" in said_of(loaded)
    assert loaded.warnings == []


def test_a_column_of_any_other_name_that_holds_the_answers_is_named_loudly_and_stays_out(tmp_path: Path) -> None:
    loaded = read(tmp_path, lookups("wiki_dump"))
    assert asked(loaded) == [("user", lookups("wiki_dump")[0]["question"])]
    assert "`wiki_dump` is not read, and it matters: 60 of 60 answers stand in it" in warned(loaded)
    assert "fields: {input: [question, wiki_dump], output: answer}" in warned(loaded)
    followed = read(tmp_path, lookups("wiki_dump"), fields={"input": ["question", "wiki_dump"], "output": "answer"})
    assert "wiki_dump: The mill 0" in asked(followed)[0][1]
    assert followed.warnings == []


def test_what_the_user_names_is_kept_and_warned_of(tmp_path: Path) -> None:
    loaded = read(tmp_path, lookups("context"), fields={"input": "question", "output": "answer"})
    assert "context" not in asked(loaded)[0][1]
    assert "`context` is not read, and it matters" in warned(loaded)


def test_with_documents_a_passage_is_what_is_looked_up(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    loaded = read(tmp_path, lookups("context"), documents=str(tmp_path / "docs"))
    assert "dates from" not in asked(loaded)[0][1]
    assert "answers are looked up in the documents" in said_of(loaded)


def test_an_empty_cell_is_left_out_and_the_row_stays(tmp_path: Path) -> None:
    rows = lookups("context")
    for at in range(0, 60, 3):
        rows[at]["context"] = "" if at % 2 else None
    loaded = read(tmp_path, rows)
    assert len(loaded.examples) == 60
    assert asked(loaded) == [("user", f"question: {rows[0]['question']}")]


def test_alpaca_has_its_system_and_its_history(tmp_path: Path) -> None:
    rows = [
        {
            "instruction": "Now name the team.",
            "input": "",
            "output": TEAMS[at % 3],
            "system": f"Answer as clerk {at % 2}.",
            "history": [[f"ticket {at} on {TEAMS[at % 3]} from {TOWNS[at % 12]}", "I have read it."]] if at else [],
        }
        for at in range(40)
    ]
    loaded = read(tmp_path, rows)
    assert asked(loaded, 1) == [
        ("system", "Answer as clerk 1."),
        ("user", "ticket 1 on delivery from Brox"),
        ("assistant", "I have read it."),
        ("user", "Now name the team."),
    ]
    assert asked(loaded, 0)[1] == ("user", "Now name the team.")
    mapped = read(tmp_path, rows, fields={"input": ["system", "history", "instruction"], "output": "output"})
    assert [row.query.messages for row in mapped.examples] == [row.query.messages for row in loaded.examples]


def test_a_conversation_has_the_system_and_the_context_beside_it(tmp_path: Path) -> None:
    rows = [
        {
            "system": f"Answer in tongue {at % 2}.",
            "context": f"The team of {TOWNS[at % 12]} is {TEAMS[at * at % 3]}.",
            "conversations": [
                {"from": "human", "value": f"Who helps in {TOWNS[at % 12]}, case {at}?"},
                {"from": "gpt", "value": f"{TEAMS[at * at % 3]}-{at % 2}"},
            ],
        }
        for at in range(40)
    ]
    loaded = read(tmp_path, rows)
    assert asked(loaded, 1) == [
        ("system", "Answer in tongue 1."),
        ("user", "Who helps in Brox, case 1?\n\ncontext: The team of Brox is delivery."),
    ]


def aspects(name: str = "aspect") -> list[dict[str, Any]]:
    """Every text three times, with a label for each aspect."""
    rng = random.Random(4)
    rows = []
    for at in range(60):
        moods = {part: rng.choice(["good", "bad"]) for part in ("food", "price", "staff")}
        text = f"visit {at} in {TOWNS[at % 12]}: " + ", ".join(f"{part} {mood}" for part, mood in moods.items())
        rows += [{"text": text, name: part, "label": mood} for part, mood in moods.items()]
    return rows


def test_a_column_that_removes_contradictions_joins_or_is_named(tmp_path: Path) -> None:
    loaded = read(tmp_path, aspects())
    assert asked(loaded)[0][1].endswith("\naspect: food")
    assert "rows that contradict another" in said_of(loaded)
    other = read(tmp_path, aspects("which"))
    assert "`which` is not read, and it matters: of" in warned(other)


@pytest.mark.parametrize("seed", range(4))
def test_columns_about_the_row_neither_join_nor_alarm(tmp_path: Path, seed: int) -> None:
    """Forty columns of chance a file: ids, dates, raters, numbers, words. One false alarm in all would be too many."""
    rng = random.Random(seed)
    rows = aspects()
    for at, row in enumerate(rows):
        row |= {f"rater_{i}": f"r{rng.randrange(5)}" for i in range(10)}
        row |= {f"number_{i}": rng.random() for i in range(10)}
        row |= {f"note_{i}": " ".join(rng.choices(TOWNS + TEAMS, k=8)) for i in range(10)}
        row |= {f"key_{i}": f"{at}-{i}" for i in range(5)}
        row |= {f"day_{i}": f"2024-03-{1 + rng.randrange(28):02}" for i in range(5)}
    loaded = read(tmp_path, rows)
    assert loaded.warnings == []
    assert loaded.shape is not None
    assert loaded.shape.used == ("text", "aspect", "label")


@pytest.mark.parametrize(
    "beside",
    [
        lambda row: {"label_id": TEAMS.index(row["label"])},
        lambda row: {"code": f"T-{TEAMS.index(row['label'])}"},
        lambda row: {"explanation": f"The words point to {row['label']}."},
        lambda row: {"prediction": row["label"], "confidence": 0.9},
        lambda row: {"context": row["label"].upper()},
        lambda row: {"topic": row["label"]},
    ],
)
def test_the_answer_in_other_words_never_joins(tmp_path: Path, beside: Any) -> None:
    rows = [{"text": f"{TOWNS[at % 12]} {at} asks about {at * 7}", "label": TEAMS[at * 5 % 3]} for at in range(90)]
    loaded = read(tmp_path, [{**row, **beside(row)} for row in rows])
    assert asked(loaded) == [("user", rows[0]["text"])]
    assert loaded.warnings == []


@pytest.mark.parametrize("n", [12, 40])
def test_an_email_is_its_subject_and_its_body(tmp_path: Path, n: int) -> None:
    """Also where the few subjects there are say the team: they were there before it."""
    rows = [{"subject": f"{TOWNS[at % 12]} {at % n}", "body": f"case {at}", "team": TEAMS[at % 3]} for at in range(40)]
    assert asked(read(tmp_path, rows)) == [("user", "body: case 0\nsubject: Ardal 0")]


def test_what_an_opinion_is_about_belongs_to_the_question(tmp_path: Path) -> None:
    rng = random.Random(2)
    rows = [
        {
            "tweet": f"{TOWNS[at % 12]} {at}",
            "target": rng.choice(["tax", "war"]),
            "stance": rng.choice(["for", "against"]),
        }
        for at in range(60)
    ]
    assert asked(read(tmp_path, rows))[0][1].startswith("tweet: Ardal 0\ntarget: ")


def test_a_style_that_answers_follow_joins(tmp_path: Path) -> None:
    rng = random.Random(3)
    rows = []
    for at in range(80):
        persona = rng.choice(["pirate", "lord"])
        said = f"{'Arr' if persona == 'pirate' else 'Indeed'}, {TOWNS[at % 12]} it is, number {at}"
        rows.append(
            {"instruction": f"Say {TOWNS[at % 12]} {at}", "persona": persona, "response": said, "book": persona}
        )
    loaded = read(tmp_path, rows)
    assert loaded.shape is not None
    assert loaded.shape.used == ("instruction", "persona", "response")
    assert "a quick classifier tells it from the answer in" in said_of(loaded)
    assert loaded.warnings == []


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("text", lambda r: f"Below is a task.\n\n### Instruction:\n{r['instruction']}\n\n### Response:\n{r['output']}"),
        (
            "conversation_dump",
            lambda r: [{"role": "user", "text": r["instruction"]}, {"role": "bot", "text": r["output"]}],
        ),
        ("document", lambda r: f"Q: {r['instruction']} A: {r['output']}"),
    ],
)
def test_question_and_answer_in_one_column_are_no_input(tmp_path: Path, name: str, written: Any) -> None:
    rows = [
        {"instruction": f"Say where mill {at} of {TOWNS[at % 12]} is", "output": f"by the {at * 7} oaks"}
        for at in range(60)
    ]
    loaded = read(tmp_path, [{**row, name: written(row)} for row in rows])
    assert asked(loaded) == [("user", rows[0]["instruction"])]
    assert loaded.warnings == []


MARKED = [
    "\n\nHuman: {q}\n\nAssistant: {a}",
    "### Human: {q}### Assistant: {a}",
    "Below is a task.\n\n### Instruction:\n{q}\n\n### Response:\n{a}",
    "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\n{a}<|im_end|>\n",
    "<s>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\n{q} [/INST] {a} </s>",
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{q}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n{a}<|eot_id|>",
    "<bos><start_of_turn>user\n{q}<end_of_turn>\n<start_of_turn>model\n{a}<end_of_turn>\n",
    "<|user|>\n{q}</s>\n<|assistant|>\n{a}</s>\n",
]


@pytest.mark.parametrize("marked", MARKED)
def test_a_conversation_written_as_text(tmp_path: Path, marked: str) -> None:
    rows = [{"text": marked.format(q=f"Who helps in {TOWNS[at % 12]}, {at}?", a=TEAMS[at % 3])} for at in range(40)]
    loaded = read(tmp_path, rows)
    assert asked(loaded)[-1] == ("user", "Who helps in Ardal, 0?")
    assert loaded.task.labels == tuple(sorted(TEAMS))


def test_an_unknown_shape_says_what_may_be_meant(tmp_path: Path) -> None:
    rows = [{"in": {"q": f"mill {at}", "c": "x"}, "out": {"answer": str(at)}, "id": at} for at in range(40)]
    with pytest.raises(InputError, match=r"perhaps `fields: {input: \[in.q, in.c\], output: out.answer}`"):
        read(tmp_path, rows)
    rows = [{"memo": f"mill {at}", "kind": TEAMS[at % 3], "url": "x"} for at in range(40)]
    with pytest.raises(InputError, match=r"perhaps `fields: {input: \[memo\], output: kind}`"):
        read(tmp_path, rows)
    rows = [{"memo": f"mill {at}", "price": f"{at * 7} €"} for at in range(40)]
    with pytest.raises(InputError, match=r"perhaps `fields: {input: \[memo\], output: price}`"):
        read(tmp_path, rows)
    rows = [{"memo": f"mill {at}", "ann": TEAMS[at % 3], "bob": TEAMS[at % 2], "工单编号": at % 9} for at in range(40)]
    with pytest.raises(InputError, match=r"perhaps `fields: {input: \[memo\], output: bob}`"):  # no label as input
        read(tmp_path, rows)


TURNS = [{"role": "user", "content": "where is it, {at}?"}, {"role": "assistant", "content": "on its way to {town}"}]


@pytest.mark.parametrize("sides", [1, 2])
def test_a_label_of_a_conversation(tmp_path: Path, sides: int) -> None:
    """Where nobody answers in it, the label is the answer; where somebody does, both could be, and that is said."""
    rows = [
        {
            "messages": [
                {**turn, "content": turn["content"].format(at=at, town=TOWNS[at % 12])} for turn in TURNS[:sides]
            ],
            "label": TEAMS[at % 3],
        }
        for at in range(40)
    ]
    mapped = read(tmp_path, rows, fields={"input": "messages", "output": "label"})
    assert mapped.task.labels == tuple(sorted(TEAMS))
    shown = "where is it, 0?" if sides == 1 else "user: where is it, 0?\nassistant: on its way to Ardal"
    assert asked(mapped) == [("user", shown)]
    loaded = read(tmp_path, rows)
    if sides == 1:
        assert loaded.examples == mapped.examples
    else:
        assert loaded.examples[0].output == "on its way to Ardal"
        assert "`label` stands beside a conversation" in warned(loaded)
        assert "fields: {input: messages, output: label}" in warned(loaded)


@pytest.mark.parametrize("sides", [1, 2])
def test_the_right_answer_beside_a_conversation(tmp_path: Path, sides: int) -> None:
    turns = [{"role": "user", "content": "what is {at} times 7?"}, {"role": "assistant", "content": "I guess {at}"}][
        :sides
    ]
    rows = [
        {
            "messages": [{**turn, "content": turn["content"].format(at=at)} for turn in turns],
            "expected_output": f"it is {at * 7}",
        }
        for at in range(40)
    ]
    loaded = read(tmp_path, rows)
    if sides == 1:
        assert loaded.examples[3].output == "it is 21"
    else:
        assert "`expected_output` stands beside a conversation and could be the answer" in warned(loaded)


def test_a_column_that_the_test_rows_lack_is_told(tmp_path: Path) -> None:
    test = write_rows(
        tmp_path / "test.jsonl",
        [{k: v for k, v in row.items() if k != "context"} for row in lookups("context", 90)[60:]],
    )
    loaded = read(tmp_path, lookups("context"), test=str(test))
    assert "no row of test.jsonl has `context`" in warned(loaded)


def test_a_conversation_among_other_inputs(tmp_path: Path) -> None:
    rows = [
        {
            "system": "Be kind.",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"which, {at}?"}],
            "shop": TOWNS[at % 12],
            "y": TEAMS[at % 3],
        }
        for at in range(40)
    ]
    loaded = read(tmp_path, rows, fields={"input": ["system", "messages", "shop"], "output": "y"})
    assert asked(loaded) == [("system", "Be kind.\n\nBe brief."), ("user", "which, 0?\n\nshop: Ardal")]


def test_options_are_shown_where_an_answer_names_several(tmp_path: Path) -> None:
    rows = [
        {"question": f"Which, {at}?", "choices": exam(at)[0], "answer": "AC" if at % 2 else "B"} for at in range(40)
    ]
    assert "\nD. " in read(tmp_path, rows).examples[0].query.text


def test_what_joins_is_written_whatever_it_holds(tmp_path: Path) -> None:
    """Passages in lists of lists, and as the JSON of a cell; a column that joins never makes a row unusable."""
    rows = lookups("context")
    for row in rows:
        row["context"] = {"title": ["mills", "towns"], "sentences": [[row["context"], "So."], ["No more."]]}
    loaded = read(tmp_path, rows)
    lines = asked(loaded)[0][1].splitlines()
    assert lines[1:4] == [
        "context: title: mills",
        "towns",
        "sentences: The mill 0 of Ardal dates from M1500, the church is 0 years older.",
    ]
    for row in rows:
        row["context"] = json.dumps(row["context"]["sentences"][0])
    assert asked(read(tmp_path, rows))[0][1].endswith("the church is 0 years older.\nSo.")


def test_several_columns_whose_last_word_is_asked_are_one_question(tmp_path: Path) -> None:
    rows = [
        {"page_text": f"mill {at} has M{at}", "question_text": f"what has {at}?", "short_answer": f"M{at}"}
        for at in range(40)
    ]
    assert asked(read(tmp_path, rows)) == [("user", "page_text: mill 0 has M0\nquestion_text: what has 0?")]


def test_an_empty_instruction_leaves_the_input(tmp_path: Path) -> None:
    rows = [{"instruction": "Say it", "input": f"mill {at}", "output": str(at)} for at in range(40)]
    del rows[1]["instruction"]
    rows[2]["input"] = ""
    loaded = read(tmp_path, rows)
    assert [asked(loaded, at)[0][1] for at in range(3)] == ["Say it\n\nmill 0", "mill 1", "Say it"]


# -- options ------------------------------------------------------------------------------------------------

FRUIT = ["apple", "pear", "plum", "fig", "quince", "medlar"]


def exam(at: int) -> tuple[list[str], int]:
    rng = random.Random(at)
    return rng.sample(FRUIT, 4), at % 4


LISTS = {
    "choices": lambda o: {"choices": o},
    "options": lambda o: {"options": o},
    "text_of_a_list": lambda o: {"options": str(o)},
    "columns": lambda o: dict(zip("ABCD", o)),
    "option_columns": lambda o: {f"option_{mark}": text for mark, text in zip("abcd", o)},
    "numbered": lambda o: {f"choice{n}": text for n, text in enumerate(o, 1)},
    "chinese": lambda o: {f"选项{mark}": text for mark, text in zip("ABCD", o)},
    "object": lambda o: {"choices": {"text": o, "label": list("ABCD")}},
    "by_mark": lambda o: {"options": dict(zip("ABCD", o))},
    "lines": lambda o: {"options": "\n".join(f"{mark}. {text}" for mark, text in zip("ABCD", o))},
}
SAID = {
    "letter": lambda o, at: "ABCD"[at],
    "dotted": lambda o, at: f"({'abcd'[at]})",
    "from_0": lambda o, at: at,
    "from_1": lambda o, at: str(at + 1),
    "text": lambda o, at: o[at],
}


@pytest.mark.parametrize("listed", LISTS)
@pytest.mark.parametrize("answered", SAID)
def test_options_and_answers_in_every_way(tmp_path: Path, listed: str, answered: str) -> None:
    rows = []
    for at in range(40):
        options, right = exam(at)
        rows.append(
            {"question": f"Which fruit, case {at}?", **LISTS[listed](options), "answer": SAID[answered](options, right)}
        )
    loaded = read(tmp_path, rows)
    assert (loaded.task.kind, len(loaded.examples), loaded.warnings) == ("choice", 40, [])
    for at in (0, 1, 38):
        (options, right), row = exam(at), loaded.examples[at]
        text = row.query.text
        if answered == "text":
            assert (row.output, row.query.choices) == (options[right], tuple(options))
            assert listed in ("choices", "object") or all(option in text for option in options)
        else:
            assert (row.output, row.query.choices) == ("ABCD"[right], ("A", "B", "C", "D"))
            assert text == f"Which fruit, case {at}?\n" + "\n".join(f"{m}. {o}" for m, o in zip("ABCD", options))


def test_an_option_that_is_no_text_breaks_nothing(tmp_path: Path) -> None:
    rows = [
        {"question": f"Which, {at}?", **LISTS["columns"](exam(at)[0]), "answer": "ABCD"[at % 4]} for at in range(40)
    ]
    rows[1]["A"] = [{"role": "user"}]
    loaded = read(tmp_path, rows)
    assert (loaded.task.kind, len(loaded.examples)) == ("choice", 40)
    assert option_columns(["B", "C"]) == option_columns(["a", "b"]) == {}
    assert option_columns(["A", "B"]) == {"A": "A", "B": "B"}


def test_places_that_may_count_from_0_or_1_are_asked_about(tmp_path: Path) -> None:
    rows = [{"question": f"Which, {at}?", "choices": exam(at)[0], "answer": 1 + at % 2} for at in range(40)]
    with pytest.raises(InputError, match=r"`answer` names an option \(choices\) by its place"):
        read(tmp_path, rows)


def test_the_hint_for_lists_and_choices_works(tmp_path: Path) -> None:
    rows = [{"question": f"Which, {at}?", "choices": exam(at)[0], "answer": at % 4} for at in range(40)]
    for fields in (
        {"input": ["question", "choices"], "output": "answer"},
        {"input": "question", "choices": "choices", "output": "answer"},
    ):
        loaded = read(tmp_path, rows, fields=fields)
        assert (loaded.task.kind, loaded.examples[1].output) == ("choice", "B")
        assert "\nA. " in loaded.examples[1].query.text
    rows = [{"q": f"mill {at}", "found": [f"built {at}", "", "of stone"], "a": str(at)} for at in range(40)]
    loaded = read(tmp_path, rows, fields={"input": ["q", "found"], "output": "a"})
    assert asked(loaded, 3) == [("user", "q: mill 3\nfound: built 3\nof stone")]


def test_columns_inside_columns(tmp_path: Path) -> None:
    rows = [{"translation": {"en": f"the mill {at}", "de": f"die Mühle {at}"}} for at in range(40)]
    with pytest.raises(InputError, match=r"`translation` holds `en` and `de`") as error:
        read(tmp_path, rows)
    assert "fields: {input: translation.en, output: translation.de}" in error.value.to("zh")
    loaded = read(tmp_path, rows, fields={"input": "translation.en", "output": "translation.de"})
    assert (asked(loaded), loaded.examples[0].output) == ([("user", "the mill 0")], "die Mühle 0")
    with pytest.raises(InputError, match=r"translation\.fr: no row has this field"):
        read(tmp_path, rows, fields={"input": "translation.en", "output": "translation.fr"})


def test_a_hundred_columns_of_many_rows_are_quick(tmp_path: Path) -> None:
    import time

    from tuneworth.data.rows import RawRow
    from tuneworth.data.shapes import detect_shape

    rng = random.Random(0)
    words = ["".join(rng.choices("abcdefghij", k=6)) for _ in range(2_000)]
    texts = [" ".join(rng.choices(words, k=40)) for _ in range(1_000)]
    rows = []
    for at in range(100_000):
        value = {"text": f"{at} {texts[at % 1_000]}", "label": TEAMS[at % 3], "few": str(at % 7)}
        rows.append(RawRow("f", at, value | {f"c{i}": texts[at * (i + 2) % 997] for i in range(30)}))
    started = time.process_time()
    detect_shape(rows)
    assert time.process_time() - started < 30


def test_the_lines_that_are_advised_can_be_pasted(tmp_path: Path) -> None:
    name = "wiki: dump, v2 [new]"
    warning = warned(read(tmp_path, lookups(name)))
    advised = warning[warning.index("fields: {") : warning.index("}`") + 1]
    (tmp_path / "task.yaml").write_text(f"train: rows.jsonl\n{advised}\n", encoding="utf-8")
    loaded = load(task_file_of(str(tmp_path / "task.yaml")))
    assert f"\n{name}: The mill 0" in asked(loaded)[0][1]
    assert loaded.warnings == []


@pytest.mark.parametrize(
    "rows",
    [
        lookups("context"),
        aspects(),
        [{"question": f"Which, {at}?", "choices": exam(at)[0], "answer": at % 4} for at in range(40)],
        [{"question": f"Which, {at}?", **LISTS["columns"](exam(at)[0]), "answer": exam(at)[0][0]} for at in range(40)],
        [{**row, "system": f"clerk {at % 3}", "answers": [row["answer"]]} for at, row in enumerate(lookups("passage"))],
    ],
)
def test_the_file_that_init_writes_reads_the_same_rows(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    found = read(tmp_path, rows)
    (tmp_path / "task.yaml").write_text(
        task_file_text(tmp_path, tmp_path / "rows.jsonl", found, lang="en"), encoding="utf-8"
    )
    again = load(task_file_of(str(tmp_path / "task.yaml")))
    assert again.examples == found.examples
    assert again.warnings == found.warnings == []
