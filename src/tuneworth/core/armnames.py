"""What the arms of a run are called: the same in the verdict and in every table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tuneworth.core.run import ArmResult
from tuneworth.core.text import Text


def arm_names(arms: Sequence[ArmResult]) -> dict[str, Text]:
    """Arm id → a name unique among ``arms`` in either language: the title, with the model or the id only where needed."""
    titles = {arm.arm_id: _title(arm) for arm in arms}
    names = dict(titles)
    for more in ({arm.arm_id: arm.model or arm.arm_id for arm in arms}, {arm.arm_id: arm.arm_id for arm in arms}):
        for arm_id in _shared(names):
            title = titles[arm_id]
            names[arm_id] = Text(en=f"{title.en} · {more[arm_id]}", zh=f"{title.zh} · {more[arm_id]}")
    return names


def _title(arm: ArmResult) -> Text:
    told = arm.title.en.strip() and arm.title.zh.strip()
    return arm.title if told else Text(en=arm.arm_id, zh=arm.arm_id)


def _shared(names: dict[str, Text]) -> list[str]:
    """Ids of arms whose name another arm has too."""
    en, zh = Counter(name.en for name in names.values()), Counter(name.zh for name in names.values())
    return [arm_id for arm_id, name in names.items() if en[name.en] > 1 or zh[name.zh] > 1]
