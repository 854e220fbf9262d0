"""Import paths that plug-ins of other distributions hold from version 0.1."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import EntryPoint

import pytest

from tuneworth._moved import MOVED
from tuneworth.core import registry
from tuneworth.core.registry import plugin_modules


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_an_old_path_is_the_new_module_and_warns(old, new):
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match="is now") as warned:
        found = importlib.import_module(old)
    assert f"{old} is now {new}" in "".join(str(warning.message) for warning in warned)
    assert found is importlib.import_module(new)
    assert (found.__name__, found.__spec__.name) == (new, new), "its name and spec stay those of the new place"
    sys.modules.pop(old, None)


@pytest.mark.parametrize(
    ("old", "names"),
    {
        "tuneworth.testing.documents": "n_words cut_documents collection_of library_of PASSAGE_TOKENS NO_ANSWER",
        "tuneworth.testing.tiny": "make_tiny_llama CHAT_TEMPLATE N_TOKENS",
        "tuneworth.metrics.catalog": "default_metrics load_metric check",
        "tuneworth.metrics.custom": "CustomMetric load_custom",
    }.items(),
)
def test_what_plug_ins_and_their_tests_took_from_there_is_still_there(old, names):
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match="is now"):
        found = importlib.import_module(old)
    assert not [name for name in names.split() if not hasattr(found, name)]
    sys.modules.pop(old, None)


def test_checks_registered_under_the_old_group_are_found(monkeypatch):
    def entry_points(group):
        return [EntryPoint("outside", "outside.check", group)] if group == "tuneworth.data.audit" else []

    plugin_modules.cache_clear()
    monkeypatch.setattr(registry, "entry_points", entry_points)
    assert plugin_modules("tuneworth.audit")["outside"] == "outside.check"
    assert "outside" not in plugin_modules("tuneworth.metrics")
    plugin_modules.cache_clear()


def test_rooms_of_plug_ins_hold_plug_ins_only():
    for group in ("tuneworth.strategies", "tuneworth.metrics", "tuneworth.audit"):
        for module in plugin_modules(group).values():
            assert importlib.import_module(module).PLUGIN is not None
