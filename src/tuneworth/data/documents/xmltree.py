"""Walking a tree of lxml without recursion: how deep it nests is its writer's choice."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def walk(element: Any) -> Any:
    """``("start" | "end", element)`` for all below ``element`` and itself; its ``skip_subtree()`` passes the rest by."""
    return import_module("lxml.etree").iterwalk(element, events=("start", "end"))
