"""A service's list of models: is the name in it, how long will it be there, what is near."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tuneworth.core.text import Text
from tuneworth.models.api.calls import Listed, Wire
from tuneworth.models.api.failures import Trouble, shown
from tuneworth.words.say import say

MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class ModelList:
    """What the list said of a model.

    Attributes:
        names: all that are in it; empty where there is no list.
        trouble: why there is none.
    """

    names: tuple[str, ...] = ()
    listed: Listed | None = None
    trouble: Trouble | None = None

    @property
    def shutdown_date(self) -> str | None:
        return self.listed.shutdown_date if self.listed is not None else None

    @property
    def context_tokens(self) -> int | None:
        return self.listed.context_tokens if self.listed is not None else None


async def read_list(wire: Wire, model: str) -> ModelList:
    """The list of models, if the service answers with one."""
    try:
        lines = await wire.listed()
    except Trouble as trouble:
        return ModelList(trouble=trouble)
    by_name = {line.id: line for line in lines}
    dated = [name for name in by_name if re.fullmatch(f"{re.escape(model)}-\\d{{8}}", name)]  # what an alias stands for
    known = (model, f"{model}:latest", f"models/{model}", *sorted(dated, reverse=True))
    listed = next((by_name[name] for name in known if name in by_name), None)
    return ModelList(tuple(by_name), listed)


def near_names(model: str, names: Sequence[str]) -> list[str]:
    """Those most like ``model``."""
    return difflib.get_close_matches(model, names, n=MOST_NAMED, cutoff=0.4)


def why_unknown(model: str, models: ModelList, said: str) -> Text:
    near = near_names(model, models.names)
    if near:
        return say("models.service.unknown_model_near", model=model, near=", ".join(map(shown, near)))
    return say("models.service.unknown_model", model=model, said=said or "—")
