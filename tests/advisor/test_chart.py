"""The completed flow chart: whole, faithful to the original where it had edges, and walked by facts."""

import random
from itertools import pairwise

import pytest

from tuneworth.advisor.chart import CHART, CHART_SEED_ROWS, NODES, path
from tuneworth.advisor.facts import Facts

EDGES = {(node.id, edge.answer): edge for node in CHART for edge in node.edges}


def way(**facts):
    return [(step.node, step.edge) for step in path(Facts(**facts))]


def test_every_question_can_be_answered_both_ways_and_every_box_is_reached():
    reached, ahead = set(), [CHART[0].id]
    while ahead:
        node = NODES[ahead.pop()]
        reached.add(node.id)
        ahead += [edge.to for edge in node.edges if edge.to not in reached]
        answers = sorted(edge.answer for edge in node.edges)
        assert answers == {"question": ["no", "yes"], "step": [""], "end": []}[node.role]
        assert (node.asks is not None) == (node.role == "question")
    assert reached == set(NODES)


def test_the_edges_of_the_original_are_kept_and_only_those_are_not_ours():
    original = {
        ("structure", "yes", "template"),
        ("template", "yes", "no_tuning"),
        ("structure", "no", "voice"),
        ("voice", "no", "retrieve"),
        ("retrieve", "", "data"),
        ("data", "yes", "consider"),
        ("data", "no", "prompt_rag"),
    }
    assert {(node, answer, edge.to) for (node, answer), edge in EDGES.items() if not edge.ours} == original


@pytest.mark.parametrize("gap", [("template", "no"), ("voice", "yes")])
def test_the_gaps_of_the_original_have_an_edge_of_ours(gap):
    assert EDGES[gap].ours


def test_edges_into_and_out_of_an_added_box_are_added_too():
    for (node, _), edge in EDGES.items():
        assert edge.ours or not (NODES[node].ours or NODES[edge.to].ours)


def test_it_cites_the_rows_of_the_chart():
    assert {"F", "X6", "N3", "T1", "Y3", "Q1"} <= CHART_SEED_ROWS


WAYS = {
    "nothing known": ({}, [("structure", "unknown")]),
    "a template is enough": (
        {"output_kind": "json", "prompt_suffices": True},
        [("structure", "yes"), ("template", "yes"), ("no_tuning", "")],
    ),
    "a template was not tried": ({"output_kind": "label"}, [("structure", "yes"), ("template", "unknown")]),
    "SQL is text, but fixed": ({"scenario": "structured_output", "output_kind": "text"}, [("structure", "yes")]),
    "the first gap": (
        {"scenario": "structured_output", "prompt_suffices": False, "quality_rows": 4_999},
        [("structure", "yes"), ("template", "no"), ("constrain", "next"), ("data", "no"), ("prompt_rag", "")],
    ),
    "the second gap": (
        {"scenario": "style", "prompt_suffices": False, "quality_rows": 5_000},
        [("structure", "no"), ("voice", "yes"), ("samples", "no"), ("data", "yes"), ("consider", "next")],
    ),
    "samples in the prompt are enough": (
        {"scenario": "style", "prompt_suffices": True},
        [("structure", "no"), ("voice", "yes"), ("samples", "yes"), ("no_tuning", "")],
    ),
    "documents": (
        {"scenario": "knowledge_qa", "distinct_style": False, "total_rows": 300},
        [("structure", "no"), ("voice", "no"), ("retrieve", "next"), ("data", "no"), ("prompt_rag", "")],
    ),
    "many rows, quality unknown": (
        {"output_kind": "text", "distinct_style": False, "total_rows": 9_000},
        [("structure", "no"), ("voice", "no"), ("retrieve", "next"), ("data", "unknown")],
    ),
    "not measured": (
        {"output_kind": "text", "distinct_style": False, "quality_rows": 9_000},
        [("structure", "no"), ("voice", "no"), ("retrieve", "next"), ("data", "yes"), ("consider", "next")],
    ),
}


@pytest.mark.parametrize("case", WAYS)
def test_ways(case):
    facts, expected = WAYS[case]
    assert way(**facts)[: len(expected)] == expected


@pytest.mark.parametrize(
    ("interval", "last"),
    [
        ((0.03, 0.06), ("fine_tune", "")),
        ((-0.04, 0.01), ("keep", "")),
        ((0.001, 0.01), ("keep", "")),
        ((-0.02, 0.05), ("measured", "unknown")),
        ((None, None), ("measured", "unknown")),
    ],
)
def test_the_last_question_is_answered_by_measurement_only(interval, last):
    facts = {"output_kind": "text", "distinct_style": False, "quality_rows": 9_000}
    assert way(**facts, measured_gain_low=interval[0], measured_gain_high=interval[1])[-1] == last


def test_a_measured_gain_shows_that_few_rows_were_enough():
    few = {"output_kind": "text", "distinct_style": False, "quality_rows": 200}
    assert way(**few)[-1] == ("prompt_rag", "")
    assert way(**few, measured_gain_low=0.03, measured_gain_high=0.06)[-1] == ("fine_tune", "")


def test_every_way_follows_edges_to_an_end_or_an_unknown_fact():
    rng = random.Random(0)
    values = {
        "scenario": [None, "style", "knowledge_qa", "classification", "specialised", "other"],
        "output_kind": [None, "label", "json", "text"],
        "distinct_style": [None, True, False],
        "prompt_suffices": [None, True, False],
        "clear_structure": [None, True, False],
        "quality_rows": [None, 0, 4_999, 5_000],
        "measured_gain_low": [None, -0.1, 0.05],
    }
    ends = set()
    for _ in range(500):
        steps = path(Facts(**{name: rng.choice(options) for name, options in values.items()}))
        for step, after in pairwise(steps):
            edge = EDGES[step.node, "" if step.edge == "next" else step.edge]
            assert (edge.to, edge.ours) == (after.node, step.ours)
        ends.add(steps[-1].edge)
        assert steps[-1].edge == "unknown" or NODES[steps[-1].node].role == "end"
    assert ends == {"", "unknown"}
