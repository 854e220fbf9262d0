"""Finding plug-ins: one file each, built-in or from another distribution.

A plug-in is a module with an attribute ``PLUGIN``; its id is the module's name. Built-ins are the modules of a
package (``tuneworth.strategies``) whose names do not begin with an underscore; outsiders register the module under the entry-point
group of the same name. Both are loaded by the same line, on first use.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, InputError, Problem

_OLD_GROUPS = {"tuneworth.audit": ("tuneworth.data.audit",)}
"""Names of version 0.1 that other distributions may be registered under; gone after 0.2."""


@cache
def plugin_modules(group: str) -> MappingProxyType[str, str]:
    """Id → module name for every plug-in of ``group`` (a package such as ``tuneworth.metrics``)."""
    package = importlib.import_module(group)
    found = {
        info.name: f"{group}.{info.name}"
        for info in pkgutil.iter_modules(package.__path__)
        if not info.name.startswith("_")
    }
    for name in (group, *_OLD_GROUPS.get(group, ())):
        for point in entry_points(group=name):
            found.setdefault(point.name, point.value)
    return MappingProxyType(dict(sorted(found.items())))


def load_plugin(group: str, plugin_id: str) -> Any:
    """The ``PLUGIN`` of module ``plugin_id``.

    Raises:
        InputError: there is no such plug-in; the message lists those there are.
        EnvironmentProblem: a plug-in of another distribution cannot be imported.
    """
    modules = plugin_modules(group)
    if plugin_id not in modules:
        known = ", ".join(modules)
        raise InputError(
            Problem(
                plugin_id,
                Text(en=f"no such plug-in in {group}; known: {known}", zh=f"{group} 中没有这个插件；可用的有：{known}"),
            )
        )
    module = modules[plugin_id]
    try:
        return importlib.import_module(module).PLUGIN
    except Exception as error:
        if module.startswith(f"{group}."):
            raise
        raise EnvironmentProblem(Problem(module, _broken(plugin_id, error))) from error


def _broken(plugin_id: str, error: Exception) -> Text:
    what = f"{type(error).__name__}: {error}"
    return Text(
        en=f"the plug-in {plugin_id} cannot be loaded ({what}); update or uninstall the package it comes from",
        zh=f"插件 {plugin_id} 无法加载（{what}）；请更新或卸载它所属的软件包",
    )
