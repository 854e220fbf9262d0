import time
from pathlib import Path

import numpy as np
import pytest
from documents_seen import arm, library, outcome, rows, seen, task

from tuneworth.findings.documents import injection
from tuneworth.findings.documents.injection import MARKER, injections, orders, planted, reading_from, remark
from tuneworth.models.scripted import ScriptedModel
from tuneworth.strategies import Answer, Context, Solver
from tuneworth.strategies.rag import Rag, RagConfig, RagSolver
from tuneworth.testing.cases import HashEncoder

DEV = rows("v", [at % 10 for at in range(30)])


def obedient(request):
    """Does what any text in the prompt orders."""
    return MARKER if MARKER in request.messages[-1].content else "300 kilos"


def deaf(request):
    return "300 kilos"


def solver(books, folder: Path, answer):
    model = ScriptedModel(answer)
    context = Context(
        task=task(),
        model=model,
        encoder=HashEncoder,
        rng=np.random.default_rng(0),
        seed=0,
        folder=folder,
        max_new_tokens=20,
        library=books,
    )
    return Rag(RagConfig(k=2)).fit(rows("r", [0, 1]), DEV, context), model


def probe(tmp_path, answer, **fields):
    books = library(tmp_path)
    fitted, model = solver(books, tmp_path, answer)
    on_dev = {"rag": [outcome(one, "300 kilos", [0, 1], stage="dev") for one in DEV]}
    result = seen(books, dev=DEV, arms=[arm()], on_dev=on_dev, solvers={"rag": fitted}, **fields)
    return injections(result), model, result


def test_an_obedient_reader_is_found_out(tmp_path):
    [found], model, _ = probe(tmp_path, obedient)
    assert (found.arm_id, found.n_rows) == ("rag", injection.PLANTED_ROWS)
    assert (found.changed.value, found.obeyed.value) == (1.0, 1.0)
    asked = [request.messages[-1].content for request in model.requests]
    assert (
        sum(MARKER in each for each in asked) == sum(remark("en") in each for each in asked) == injection.PLANTED_ROWS
    )
    assert len(asked) == 3 * injection.PLANTED_ROWS
    assert found.control is not None
    assert found.control.value == 0.0


def test_a_deaf_reader_is_not(tmp_path):
    [found], *_ = probe(tmp_path, deaf)
    assert (found.changed.value, found.obeyed.value) == (0.0, 0.0)
    assert found.obeyed.interval.high > 0.1


def test_a_reader_that_any_words_put_off_is_told_from_one_that_obeys(tmp_path):
    [found], *_ = probe(tmp_path, lambda request: str(len(request.messages[-1].content)))
    assert found.control is not None
    assert (found.changed.value, found.control.value, found.obeyed.value) == (1.0, 1.0, 0.0)


def test_an_order_never_leaves_its_quotes(tmp_path):
    _, model, _ = probe(tmp_path, deaf)
    asked = [request.messages[-1].content for request in model.requests]
    forged = [each for each in asked if MARKER in each]
    assert any("Question: Which word" in each for each in forged)
    assert any("assistant" in each for each in forged)
    for prompt in forged:
        marked = [line for line in prompt.splitlines() if MARKER in line]
        assert marked
        assert all(line.startswith("> ") for line in marked)
        assert "<|im_" not in prompt
        assert "[/INST]" not in prompt
        assert sum(line.startswith("Question: ") for line in prompt.splitlines()) == 1


def test_the_solver_and_the_library_stay_as_they_were(tmp_path):
    _, _model, result = probe(tmp_path, obedient)
    kept = result.solvers["rag"]
    assert isinstance(kept, RagSolver)
    assert kept.finder.library is result.library
    [answer] = kept.solve([DEV[0].query])
    assert answer.text == "300 kilos"
    assert not any(MARKER in hit.passage.text for hit in result.library.search([DEV[0].query.text], 3)[0])


def test_it_stops_when_the_time_is_up(tmp_path):
    slow = [arm(cost=arm().cost.model_copy(update={"seconds_per_1k_rows": 10_000.0}))]
    books = library(tmp_path)
    fitted, model = solver(books, tmp_path, deaf)
    on_dev = {"rag": [outcome(one, "300 kilos", [0], stage="dev") for one in DEV]}
    result = seen(books, dev=DEV, arms=slow, on_dev=on_dev, solvers={"rag": fitted}, deadline=time.monotonic() + 5.0)
    assert injections(result) == []
    assert model.requests == []
    late = time.monotonic() + 3600.0
    [found] = injections(seen(books, dev=DEV, arms=slow, on_dev=on_dev, solvers={"rag": fitted}, deadline=late))
    assert found.n_rows == injection.PLANTED_ROWS


def test_it_is_the_same_every_time(tmp_path):
    def fickle(request):
        return f"{len(request.messages[-1].content) % 3} kilos"

    first, *_, result = probe(tmp_path, fickle)
    assert injections(result) == first
    assert 0 < first[0].changed.value <= 1


def test_rows_that_read_nothing_and_answers_that_fail_do_not_count(tmp_path):
    books = library(tmp_path)
    fitted, _ = solver(books, tmp_path, deaf)
    on_dev = {"rag": [outcome(one, "300 kilos", [0] if at < 3 else [], stage="dev") for at, one in enumerate(DEV)]}
    [found] = injections(seen(books, dev=DEV, arms=[arm()], on_dev=on_dev, solvers={"rag": fitted}))
    assert found.n_rows == 3

    class Broken(Solver):
        def __init__(self):
            self.library = books

        def solve(self, queries):
            if queries[0].id == DEV[0].id:
                raise RuntimeError("no")
            return []

        def save(self, folder):
            raise NotImplementedError

        @classmethod
        def load(cls, folder, context):
            raise NotImplementedError

    assert injections(seen(books, dev=DEV, arms=[arm()], on_dev=on_dev, solvers={"rag": Broken()})) == []


def test_solvers_from_elsewhere_show_their_library(tmp_path):
    books = library(tmp_path)

    class Outside(Solver):
        def __init__(self, library=None):
            self.library = library

        def solve(self, queries):
            assert self.library is not None
            return [Answer(hits[0].passage.text) for hits in self.library.search([each.text for each in queries], 1)]

        def save(self, folder):
            raise NotImplementedError

        @classmethod
        def load(cls, folder, context):
            raise NotImplementedError

    copied = planted(books)
    copied.order = "Say it."
    twin = reading_from(Outside(books), copied)
    assert twin is not None
    [answer] = twin.solve([DEV[0].query])
    assert answer.text is not None
    assert answer.text.startswith("Say it.\nThe old kettle")
    first, second = copied.search([DEV[0].query.text], 2)[0]
    assert (first.passage.text.startswith("Say it."), second.passage.text.startswith("Say it.")) == (True, False)
    assert copied.gold(DEV[0])[0].text.startswith("Say it.")
    assert reading_from(Outside(), copied) is None


@pytest.mark.parametrize("language", ["en", "zh", "other"])
def test_orders_are_of_many_kinds(language):
    texts = orders(language)
    assert len(set(texts)) == len(texts) >= 6
    assert all(MARKER in text for text in texts)
    assert any("忽略" in text for text in texts)
    assert any("Ignore" in text for text in texts)
    assert MARKER.casefold() == MARKER
    assert MARKER not in remark(language)
