"""The chart as text and as SVG: whole, in both languages, one's own way marked."""

import re
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import pytest

from tuneworth.advisor.chart import CHART, NODES, WIDTH, chart_text, fold, path, width
from tuneworth.advisor.chart_svg import BOX_HEIGHT, BOX_WIDTH, chart_svg, route
from tuneworth.advisor.facts import Facts

SVG = "{http://www.w3.org/2000/svg}"
TO_THE_END = path(
    Facts(scenario="style", prompt_suffices=False, quality_rows=9_000, measured_gain_low=0.03, measured_gain_high=0.1)
)
UNKNOWN = path(Facts(output_kind="json"))
LANGUAGES = ("en", "zh")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("steps", [[], UNKNOWN, TO_THE_END])
def test_text_is_whole_and_80_columns_wide(lang, steps):
    text = chart_text(steps, lang)
    flat = " ".join(text.split())
    for node in CHART:
        assert node.text.to(lang) in flat
    assert max(width(line) for line in text.splitlines()) <= WIDTH
    assert "tuneworth" in text
    assert ("你的路径" in text) == (lang == "zh")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_text_marks_the_way_and_what_was_added(lang):
    lines = chart_text(TO_THE_END, lang).splitlines()[2:]
    boxes = [line for line in lines if re.match(r"^[▶ ][+ ] {1,3}\d+  ", line)]
    assert len(boxes) == len(CHART)
    marked = [node.id for node, line in zip(CHART, boxes) if line.startswith("▶")]
    assert sorted(marked) == sorted(step.node for step in TO_THE_END)
    assert [line[1] == "+" for line in boxes] == [node.ours for node in CHART]
    ways = [line for line in lines if "→" in line]
    assert sum(line.startswith("▶") for line in ways) == len(TO_THE_END) - 1
    assert sum(line[1] == "+" for line in ways) == sum(edge.ours for node in CHART for edge in node.edges)


@pytest.mark.parametrize(("lang", "words"), [("en", "not known: your way"), ("zh", "未知，你的路径")])
def test_text_says_where_a_way_ends_for_want_of_a_fact(lang, words):
    assert words in chart_text(UNKNOWN, lang)
    assert words not in chart_text(TO_THE_END, lang)


@pytest.mark.parametrize("text", ["说明（附例），再说明。", "short words and 中文混排，with API。", "word " * 30])
@pytest.mark.parametrize("columns", [10, 17, 40])
def test_folding_keeps_the_text_and_the_width(text, columns):
    lines = fold(text, columns)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(width(line) <= columns for line in lines)
    assert not any(line[:1] in "，。）" for line in lines if line)


def drawn(steps, lang="en"):
    return ET.fromstring(chart_svg(steps, lang))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_svg_has_every_box_with_its_words(lang):
    groups = {group.get("id"): group for group in drawn(TO_THE_END, lang).iter(f"{SVG}g")}
    for node in CHART:
        said = [text.text or "" for text in groups[f"node-{node.id}"].iter(f"{SVG}text")][:-1]
        assert "".join("".join(said).split()) == "".join(node.text.to(lang).split())
        assert len(said) <= 3, "four lines and the rows do not fit the box"


@pytest.mark.parametrize("steps", [[], UNKNOWN, TO_THE_END])
def test_svg_highlights_the_way_and_dashes_what_was_added(steps):
    root = drawn(steps)
    on_way = {step.node for step in steps}
    for group in root.iter(f"{SVG}g"):
        node = NODES[group.get("id", "").removeprefix("node-")]
        classes = (group.find(f"{SVG}rect").get("class") or "").split()
        assert ("mine" in classes) == (node.id in on_way)
        assert ("ours" in classes) == node.ours
    edges = [line.get("class", "").split() for line in root.iter(f"{SVG}path") if line.get("marker-end")]
    assert len(edges) == sum(len(node.edges) for node in CHART)
    assert sum("mine" in classes for classes in edges) == sum(step.edge not in ("", "unknown") for step in steps)
    assert sum("ours" in classes for classes in edges) == sum(edge.ours for node in CHART for edge in node.edges)


def test_svg_needs_nothing_from_elsewhere():
    text = chart_svg(TO_THE_END, "zh")
    assert not re.search(r"(href|src|@import|url\((?!#))", text)
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert "Noto Sans CJK SC" in text


def test_an_unknown_step_gets_a_question_mark():
    def marks(steps):
        return len(list(drawn(steps).iter(f"{SVG}circle")))

    assert marks(UNKNOWN) == marks(TO_THE_END) + 1


def boxes():
    """Node → the upper left corner of its box."""
    found = {}
    for group in drawn([]).iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        found[group.get("id", "").removeprefix("node-")] = (int(rect.get("x")), int(rect.get("y")))
    assert set(found) == set(NODES)
    return found


def test_boxes_stand_apart_and_on_the_page():
    root, places = drawn([]), boxes()
    for (ax, ay), (bx, by) in combinations(places.values(), 2):
        assert abs(ax - bx) >= BOX_WIDTH + 20 or abs(ay - by) >= BOX_HEIGHT + 20
    assert all(x >= 0 and x + BOX_WIDTH <= int(root.get("width")) for x, _ in places.values())
    assert all(y >= 0 and y + BOX_HEIGHT <= int(root.get("height")) for _, y in places.values())


def test_edges_run_from_border_to_border_and_through_no_box():
    places = boxes()

    def strictly_inside(x, y, box):
        return box[0] < x < box[0] + BOX_WIDTH and box[1] < y < box[1] + BOX_HEIGHT

    for node in CHART:
        for edge in node.edges:
            corners = route(node.id, edge)
            for point, name in ((corners[0], node.id), (corners[-1], edge.to)):
                x, y = places[name]
                assert point.x in (x, x + BOX_WIDTH) or point.y in (y, y + BOX_HEIGHT), (node.id, edge.to)
            for a, b in pairwise(corners):
                assert a.x == b.x or a.y == b.y
                between = [(a.x + (b.x - a.x) * k / 50, a.y + (b.y - a.y) * k / 50) for k in range(51)]
                assert not any(strictly_inside(x, y, box) for x, y in between for box in places.values())
