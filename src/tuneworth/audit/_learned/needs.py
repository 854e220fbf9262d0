"""What must be installed before a check can train a classifier."""

from __future__ import annotations

import importlib.util

from tuneworth.core.text import Text

_PACKAGES = {"sklearn": "scikit-learn", "cleanlab": "cleanlab"}


def why_no_classifier(*more: str) -> Text | None:
    """Why scikit-learn (and modules ``more``) cannot be used here, or ``None``."""
    missing = [_PACKAGES[name] for name in ("sklearn", *more) if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    names = ", ".join(missing)
    return Text(
        en=f"not installed: {names}; pip install 'tuneworth[local]'",
        zh=f"缺少 {names}，请运行：pip install 'tuneworth[local]'",
    )
