"""What would leave this machine, whether it holds personal data or secrets, and what is done about that.

Before anything is sent, all rows (test rows as well: they are sent in the end) and the texts of the documents are looked
through with the finders of the audit. Where they find something, nothing is sent until somebody has said whether it goes as it is
or masked; masked is what models and encoders elsewhere are given, and no other (`tuneworth.audit._personal.sent`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from tuneworth.audit._personal.mask import find, missing_libraries
from tuneworth.audit._personal.sent import MaskedModel, Masker, known_values
from tuneworth.audit._personal.spans import KINDS, Kind
from tuneworth.core.run import Destination, Sent
from tuneworth.core.task import Example, Split, Task
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.models.base import Model
from tuneworth.race.store import Store
from tuneworth.race.watch import Watcher
from tuneworth.words.names import hosts_named, joined, kind_name, listed
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.race.library import Shelf
    from tuneworth.race.prepare import Ready

Treatment = Literal["mask", "send"]
_TICK_EVERY = 200
_SENT = "personal data was sent as it is"


@dataclass(frozen=True)
class Leaving:
    """What would leave this machine.

    Attributes:
        rows, documents: how many would be sent, and how many of them hold personal data or secrets.
        kinds: kind → rows and documents that hold it.
        texts: those that hold something.
    """

    destinations: tuple[Destination, ...]
    rows: tuple[int, int]
    documents: tuple[int, int]
    kinds: Counter[Kind] = field(default_factory=Counter[Kind])
    texts: tuple[str, ...] = ()

    @property
    def what(self) -> Text:
        """What was found, in a sentence."""
        kinds = listed([kind_name(kind) for kind in KINDS if self.kinds[kind]])
        found = [
            say(f"privacy.{what}", n=counts[1], all=counts[0])
            for what, counts in (("rows", self.rows), ("documents", self.documents))
            if counts[1]
        ]
        return say("privacy.found", what=joined(found, say("privacy.and")), kinds=kinds, where=self.where)

    @property
    def where(self) -> Text:
        return hosts_named(self.destinations)

    def sent(self, treatment: Treatment | None) -> Sent:
        """For the record of the run."""
        personal = "none_found" if treatment is None else "masked" if treatment == "mask" else "as_they_are"
        if missing_libraries():
            personal = "not_looked_for"
        return Sent(
            destinations=list(self.destinations),
            personal=personal,
            n_rows=self.rows[0],
            n_rows_personal=self.rows[1],
            n_documents=self.documents[0],
            n_documents_personal=self.documents[1],
            kinds={kind: self.kinds[kind] for kind in KINDS if self.kinds[kind]},
        )


def destinations_of(models: Iterable[Model], shelf: Shelf | None) -> list[Destination]:
    """Models and encoders that are not on this machine."""
    found = [
        Destination(name=model.id, host=_host(model.describe()), gets="rows")
        for model in models
        if not model.capabilities.local
    ]
    if shelf is not None and shelf.endpoint is not None and shelf.is_elsewhere:
        host = urlsplit(shelf.endpoint.address).hostname or ""
        found.append(Destination(name=shelf.endpoint.name, host=host, gets="documents_and_questions"))
    return found


def leaving(
    models: Iterable[Model], shelf: Shelf | None, task: Task, split: Split | None, watcher: Watcher
) -> Leaving | None:
    """What a run would send elsewhere; ``None`` when nothing leaves this machine.

    Raises:
        EnvironmentProblem: a library is missing without which nothing can be found.
    """
    destinations = destinations_of(models, shelf)
    if not destinations:
        return None
    rows = [] if split is None else [*split.train, *split.dev, *split.test]
    row_texts = ["\n\n".join(_texts(row, task)) for row in rows]
    document_texts = list(shelf.texts) if shelf is not None else []
    if missing_libraries():
        return Leaving(tuple(destinations), (len(rows), 0), (len(document_texts), 0))
    watcher.start(say("privacy.looking"))
    kinds: Counter[Kind] = Counter()
    held = list[bool]()
    texts = [*row_texts, *document_texts]
    for done, text in enumerate(texts, 1):
        found: set[Kind] = {span.kind for span in find(text)}
        kinds.update(found)
        held.append(bool(found))
        if done % _TICK_EVERY == 0:
            watcher.progress(done, len(texts), "rows")
    watcher.finish()
    n_rows, n_documents = sum(held[: len(rows)]), sum(held[len(rows) :])
    holding = tuple(text for text, holds in zip(texts, held) if holds)
    return Leaving(tuple(destinations), (len(rows), n_rows), (len(document_texts), n_documents), kinds, holding)


def treatment_of(
    found: Leaving | None, wish: str, ask: Callable[[Leaving], Treatment | None] | None, where: str
) -> Treatment | Literal["stop"] | None:
    """What is done about personal data in what leaves; ``None`` when there is nothing to do, ``stop`` when somebody said so.

    Args:
        wish: ``ask``, ``mask`` or ``send``, as the task file or an option says.
        ask: asks a person; ``None`` where nobody can be asked.

    Raises:
        InputError: something was found, nobody has decided and nobody can be asked.
        EnvironmentProblem: it cannot be found out whether there is something.
    """
    if found is None:
        return None
    if missing := missing_libraries():
        if wish == "send":
            return "send"
        text = say("privacy.cannot_look", where=found.where, missing=", ".join(missing))
        raise EnvironmentProblem(Problem(where, text), say("privacy.cannot_look_next"))
    if not found.texts and wish != "mask":
        return None
    if wish == "mask" or wish == "send":
        return wish
    if ask is None:
        raise InputError(Problem(where, found.what), say("privacy.next"))
    return ask(found) or "stop"


def protected(ready: Ready, found: Leaving | None, treatment: Treatment | None) -> Ready:
    """``ready`` with models and encoders elsewhere behind a mask, where ``treatment`` wants it. Local ones see all."""
    if found is None or treatment != "mask":
        return ready
    masker = Masker(known_values(found.texts))
    models = [model if model.capabilities.local else MaskedModel(model, masker) for model in ready.models]
    if ready.shelf is None or ready.task.documents is None or not ready.task.documents.encoder_elsewhere:
        return replace(ready, models=models)
    described = ready.task.documents.model_copy(update={"masked": True})
    prepared = replace(ready.prepared, task=ready.task.model_copy(update={"documents": described}))
    return replace(ready, models=models, prepared=prepared, shelf=replace(ready.shelf, masker=masker))


def sent_by_all_starts(found: Leaving | None, treatment: Treatment | None, store: Store) -> Sent | None:
    """For the record of the run: rows that an earlier start sent as they are stay sent."""
    if found is None:
        return None
    if treatment == "send":
        store.add_fact(_SENT, "")
    return found.sent("send" if store.fact(_SENT) is not None else treatment)


def _host(described: dict[str, object]) -> str:
    return urlsplit(str(described.get("address", ""))).hostname or ""


def _texts(row: Example, task: Task) -> list[str]:
    """Whatever of a row a prompt may hold. Labels are the task's own words; a model behind a mask does not get them plain either."""
    outputs = row.references if task.kind in ("json", "text") else ()
    return [*(message.content for message in row.query.messages), *row.query.choices, *outputs]
