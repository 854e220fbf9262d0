"""Import paths of version 0.1 that plug-ins of other distributions may hold; gone after 0.2."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_PARTS = {
    "prompting": "prompting schema_text asking",
    "passages": "passages citing",
    "reading": "reading finding",
    "features": "features neighbours",
    "workload": "workload",
    "raft": "raft",
}
MOVED = {
    "tuneworth.strategies.base": "tuneworth.strategies",
    "tuneworth.metrics.base": "tuneworth.metrics",
    "tuneworth.data.audit": "tuneworth.audit",
    "tuneworth.data.audit.base": "tuneworth.audit",
    "tuneworth.data.audit.mentions": "tuneworth.audit._findings",
    "tuneworth.data.audit.mask": "tuneworth.audit._personal.mask",
    **{
        f"tuneworth.strategies.{old}": f"tuneworth.strategies._parts.{new}"
        for new, olds in _PARTS.items()
        for old in olds.split()
    },
    **{f"tuneworth.metrics.{part}": f"tuneworth.metrics._parts.{part}" for part in ("catalog", "json_values", "words")},
    "tuneworth.metrics.custom": "tuneworth.metrics._parts.catalog",
    "tuneworth.metrics.labels": "tuneworth.metrics.accuracy",
    "tuneworth.testing.documents": "tuneworth.testing.cases",
    "tuneworth.testing.tiny": "tuneworth.testing.models",
}
"""Old module → new module."""


def now(name: str) -> str:
    """Where a module, or a name in one, is now."""
    if name in MOVED:
        return MOVED[name]
    module, dot, inner = name.rpartition(".")
    return f"{MOVED[module]}{dot}{inner}" if module in MOVED else name


class OldPaths(MetaPathFinder, Loader):
    """Finds a moved module under its old name, after everything else has failed to, and warns."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in MOVED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        new = MOVED[spec.name]
        warnings.warn(f"{spec.name} is now {new}; the old name goes after 0.2", DeprecationWarning, stacklevel=2)
        module = importlib.import_module(new)
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """The module is complete; only its old name was asked for, and the import has put that into its spec."""
        old = module.__spec__
        module.__spec__ = old.loader_state if old is not None else None


def install() -> None:
    if not any(isinstance(finder, OldPaths) for finder in sys.meta_path):
        sys.meta_path.append(OldPaths())
