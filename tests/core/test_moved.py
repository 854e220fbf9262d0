"""Import paths that plug-ins of other distributions hold from version 0.1."""

from __future__ import annotations

import importlib
import sys

import pytest

from tuneworth._moved import MOVED
from tuneworth.core.registry import plugin_modules


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_an_old_path_is_the_new_module_and_warns(old, new):
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match="is now") as warned:
        found = importlib.import_module(old)
    assert f"{old} is now {new}" in "".join(str(warning.message) for warning in warned)
    assert found is importlib.import_module(new)
    assert found.__name__ == new, "its name and spec stay those of the new place"
    sys.modules.pop(old, None)


def test_rooms_of_plug_ins_hold_plug_ins_only():
    for group in ("tuneworth.strategies", "tuneworth.metrics", "tuneworth.audit"):
        for module in plugin_modules(group).values():
            assert importlib.import_module(module).PLUGIN is not None
