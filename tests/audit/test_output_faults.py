"""Each fault of an answer is found, and what merely looks like it is not."""

from __future__ import annotations

import pytest
from audit_rows import sentences

from tuneworth.audit.outputs.form import layout_of, skeleton_of
from tuneworth.audit.outputs.signs import common_limit, cut_off, is_refusal, odd_ones, script_of
from tuneworth.audit.outputs.slips import json_form, near_misses, one_slip, written

REFUSALS = [
    "As an AI language model, I do not have opinions.",
    "I'm sorry, but I can't assist with that request.",
    "I’m sorry, I cannot help with that.",
    "I apologize, but I am unable to provide medical advice.",
    '"As a large language model I cannot know."',
    "Unfortunately, I cannot fulfill this request.",
    "I cannot generate content of this kind.",
    "I'm just an AI and have no feelings.",
    "作为一个人工智能语言模型，我没有个人观点。",
    "很抱歉，我无法回答这个问题。",
    "对不起，作为AI助手，我不能提供此类信息。",
    "抱歉，我无法为您提供相关帮助。",
    "我只是一个AI，没有情感。",
    "我不能协助您完成该请求。",
]
HONEST = [
    "I'm sorry your parcel is late. It will arrive on Monday.",
    "Sorry, I can't make it tonight, see you tomorrow.",
    "I cannot find your order; please send its number.",
    "As an airline, we refund the fare.",
    "Unfortunately, the card has expired.",
    "The AI model is described in section 2.",
    "很抱歉给您带来不便，包裹明天送达。",
    "对不起，这张卡已经过期。",
    "作为一名老师，我建议多读书。",
    "我无法忘记那个夏天。",
    "抱歉，您的订单无法取消。",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_refusals_are_found(text):
    assert is_refusal(text)


@pytest.mark.parametrize("text", HONEST)
def test_apologies_and_talk_about_ai_are_no_refusals(text):
    assert not is_refusal(text)


@pytest.mark.parametrize(
    ("rare", "usual", "difference"),
    [
        ("Refund", "refund", "writing"),
        ("card lost", "card_lost", "writing"),
        ("ｒｅｆｕｎｄ", "refund", "writing"),
        ("refund ", "refund", "writing"),
        ("投诉 ", "投诉", "writing"),
        ("refunds", "refund", "plural"),
        ("体育类", "体育", "plural"),
        ("refnud", "refund", "typo"),
        ("refun", "refund", "typo"),
        ("refumd", "refund", "typo"),
    ],
)
def test_near_miss_labels(rare, usual, difference):
    [found] = near_misses({usual: 500, rare: 2, "other": 400})
    assert (found.label, found.usual, found.difference) == (rare, usual, difference)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("A+", "A-"),
        ("type 1", "type 2"),
        ("1-0", "10"),
        ("理学", "工学"),
        ("cat", "car"),
        ("legal", "illegal"),
        ("moral", "amoral"),
    ],
)
def test_labels_that_only_look_alike(a, b):
    assert near_misses({a: 500, b: 3, "other": 400}) == []


def test_two_frequent_labels_are_no_typo():
    assert near_misses({"accept": 300, "except": 280, "expect": 290}) == []


def test_slips_and_writing():
    assert one_slip("positive", "postive")
    assert not one_slip("positive", "positive")
    assert not one_slip("positive", "pasitave")
    assert written("Card-Lost") == written("card lost") == written("cardlost")
    assert written("１２") == "12"


def test_a_length_limit_is_seen():
    whole = [text + "." for text in sentences(200, size=9)]
    cut = [(text + " " + text)[:90] for text in sentences(20, seed=1, size=12)]
    found = cut_off([*whole, *cut])
    assert set(found) >= {200 + at for at, text in enumerate(cut) if text[-1].isalnum()}
    assert all(at >= 200 for at in found)
    assert common_limit([*whole, *cut]) == 90


def test_answers_that_stop_halfway_are_seen_among_sentences():
    whole = [text.capitalize() + "." for text in sentences(200)]
    halves = [
        "The parcel was sent to the",
        "We will refund the amount, ",
        "Open the menu (at the top left",
        "包裹已经寄出，但是因为天气原因，我们",
    ]
    found = cut_off([*whole, *halves])
    assert found[200] == ["announces"]
    assert found[201] == ["announces"]
    assert "open" in found[202]
    assert all(at >= 200 for at in found)


def test_commands_and_names_have_no_end_to_miss():
    assert cut_off([f"find /{word} -name '*.txt' | grep -v the" for word in sentences(100, size=2)]) == {}
    assert cut_off([]) == {}


def test_odd_languages():
    english = [f"The {text} is on the table and it was there." for text in sentences(50, size=6)]
    french = "Le colis est arrivé hier dans la ville et il est pour vous avec une lettre"
    usual, odd = odd_ones([*english, "包裹昨天已经送到了您的家门口", french, "Посылка прибыла вчера вечером"])
    assert usual == "LATIN"
    assert odd == {50: "HAN", 51: "LATIN-OTHER", 52: "CYRILLIC"}


def test_translation_has_no_usual_language():
    mixed = ["The parcel arrived yesterday", "包裹昨天已经送到了您的家门口"] * 20
    assert odd_ones(mixed) == ("", {})
    assert odd_ones(["12", "!", ""]) == ("", {})


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("これは日本語の文章です", "KANA"),
        ("用 GitHub Actions 部署服务到集群", "HAN"),
        ("مرحبا بالعالم الجميل", "ARABIC"),
        ("OK", ""),
    ],
)
def test_scripts(text, script):
    assert script_of(text) == script


def test_layouts_and_skeletons():
    assert layout_of("- one\n- two").markup == "list"
    assert layout_of('{"a": 1}').markup == "json"
    assert layout_of("One sentence.").end == "mark"
    forms = [f"Subject: {a}\nBody: {b}" for a, b in zip(sentences(20, 1), sentences(20, 2))]
    assert skeleton_of(forms).heads == ("Subject", "Body")
    assert not skeleton_of(sentences(30))
    assert not skeleton_of(["same"] * 30)


def usual_json(n):
    return [{"city": ("Rome", "Oslo", "Lima")[at % 3], "n": at, "tags": ["a"] * (at % 3)} for at in range(n)]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"city": "Rome", "tags": []}, "`n` is missing"),
        ({"city": "Rome", "n": "three", "tags": []}, "`n` is string, usually number"),
        ({"city": "Rome", "n": 1, "tags": [], "colour": "x"}, "no other answer has the key `colour`"),
        ({"city": "rome", "n": 1, "tags": []}, "`city` is 'rome', probably 'Rome'"),
        ({"City": "Rome", "n": 1, "tags": []}, "key `City`, probably `city`"),
        ([], "`$` is array, usually object"),
    ],
)
def test_json_that_breaks_the_usual_schema(broken, said):
    values = [*usual_json(300), broken]
    form = json_form(values, [""] * 301)
    assert list(form.violations) == [300]
    assert said in form.violations[300].en
    assert form.schema["required"] == ["city", "n", "tags"]


def test_a_value_copied_from_the_question_is_no_slip():
    values = [*usual_json(300), {"city": "rome", "n": 1, "tags": []}]
    assert json_form(values, [*[""] * 300, "weather in rome"]).violations == {}


def test_optional_keys_and_few_rows_are_no_violations():
    optional = [{"a": 1, **({"b": 2} if at % 10 else {})} for at in range(200)]
    assert json_form(optional, [""] * 200).violations == {}
    assert json_form([{"a": 1}, {"b": "x"}], ["", ""]).violations == {}
