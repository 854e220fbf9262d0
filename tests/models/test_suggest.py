"""Which models are suggested for a machine, a language and a task."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tuneworth.models.api.services import services
from tuneworth.models.catalog import name_kind
from tuneworth.models.suggest import Machine, Work, candidates, keys_set, suggest

LAPTOP = Machine(None, 16.0, 8)
SMALL = Machine(None, 4.0, 2)
WITH_GPU = Machine("a GPU", 24.0, 8)


def names(languages: list[str], on: Machine, work: Work | None = None) -> list[str]:
    return [each.model.name for each in suggest(languages, on, work)]


def test_the_data_file_names_models_that_can_be_opened_by_name() -> None:
    known, read = candidates()
    assert read.year >= 2026
    for model in known:
        assert name_kind(model.name) in ("embedded", "hub")
        assert model.sources
        if model.modelscope:
            assert name_kind(f"modelscope://{model.modelscope}") == "modelscope"
    for weaker, stronger in pairwise(known):
        assert weaker.parameters_m <= stronger.parameters_m or weaker.parameters_m / stronger.parameters_m < 1.01


@pytest.mark.parametrize("on", [LAPTOP, SMALL, WITH_GPU], ids=["laptop", "small", "gpu"])
@pytest.mark.parametrize("languages", [["en"], ["zh"], ["other"], ["en", "other"]])
def test_three_models_that_fit_and_speak_the_language(on: Machine, languages: list[str]) -> None:
    found = suggest(languages, on)
    assert len({each.model.name for each in found}) == len(found) == (3 if on is not SMALL else len(found)) > 0
    for each in found:
        assert on.fits(each.model)
        assert each.model.speaks(languages)
        assert each.minutes is None


def test_a_gpu_and_patience_allow_stronger_models() -> None:
    size = {model.name: model.parameters_m for model in candidates()[0]}
    few, many = Work(200, 50.0), Work(20_000, 200.0)
    assert size[names(["zh"], WITH_GPU, few)[0]] > size[names(["zh"], LAPTOP, few)[0]]
    assert size[names(["en"], LAPTOP, many)[0]] < size[names(["en"], LAPTOP, few)[0]]


def test_minutes_grow_with_rows_and_weights_and_the_best_comes_first() -> None:
    found = suggest(["en"], LAPTOP, Work(500, 80.0))
    by_size = sorted(found, key=lambda each: each.model.parameters_m)
    assert [each.minutes for each in by_size] == sorted(each.minutes or 0 for each in found)
    twice = suggest(["en"], LAPTOP, Work(1000, 80.0))
    same = {each.model.name: each.minutes or 0 for each in twice}
    for each in found:
        if each.model.name in same:
            assert same[each.model.name] == pytest.approx(2 * (each.minutes or 0))


def test_a_machine_without_room_gets_none() -> None:
    assert suggest(["en"], Machine(None, 2.0, 2)) == []


def test_keys_are_told_by_the_name_of_their_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for service in services().values():
        for variable in service.key_variable:
            monkeypatch.delenv(variable, raising=False)
    assert keys_set() == []
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("ZHIPUAI_API_KEY", "secret")
    monkeypatch.setenv("DEEPSEEK_API_KEY", "  ")
    found = keys_set()
    assert [(key.service, key.variable) for key in found] == [
        ("openai", "OPENAI_API_KEY"),
        ("zhipu", "ZHIPUAI_API_KEY"),
    ]
    assert "secret" not in str(found)
