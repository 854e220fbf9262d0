"""tuneworth: should we fine-tune? Measured, on your rows.

What stands here is the public API (`tuneworth.api`), imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tuneworth import _moved

if TYPE_CHECKING:
    from tuneworth.api import advise as advise
    from tuneworth.api import audit as audit
    from tuneworth.api import decide_again as decide_again
    from tuneworth.api import load_run as load_run
    from tuneworth.api import plan as plan
    from tuneworth.api import run as run
    from tuneworth.core.run import RunResult as RunResult
    from tuneworth.core.task import Task as Task
    from tuneworth.metrics import Metric as Metric
    from tuneworth.models.base import Model as Model
    from tuneworth.strategies import Solver as Solver
    from tuneworth.strategies import Strategy as Strategy

__version__ = "0.1.0"

_WHERE = {
    **dict.fromkeys(("run", "plan", "audit", "advise", "load_run", "decide_again"), "tuneworth.api"),
    "Task": "tuneworth.core.task",
    "RunResult": "tuneworth.core.run",
    "Strategy": "tuneworth.strategies",
    "Solver": "tuneworth.strategies",
    "Model": "tuneworth.models.base",
    "Metric": "tuneworth.metrics",
}

_moved.install()


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'tuneworth' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
