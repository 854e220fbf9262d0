"""What tests of strategies that read documents share: a context with a library, and a model that really reads."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tuneworth.core.task import Message, Query, Task
from tuneworth.models.base import Model, Request
from tuneworth.retrieval.library import Library
from tuneworth.strategies import Context
from tuneworth.testing.cases import DOCUMENT_CASES, Case, HashEncoder, library_of

MANUALS, RETURNS = DOCUMENT_CASES


def context_of(
    case: Case, folder: Path, model: Model | None, library: Library | None = None, **task: object
) -> Context:
    """A context for ``case`` with its library; ``task`` changes what the task says of its documents."""
    folder.mkdir(parents=True, exist_ok=True)
    documents = case.task.documents
    assert documents is not None
    return Context(
        case.task.model_copy(update={"documents": documents.model_copy(update=task)}),
        model,
        HashEncoder,
        np.random.default_rng(3),
        3,
        folder,
        max_new_tokens=12,
        library=library or library_of(case, folder / "index", HashEncoder()),
    )


def ask(text: str, choices: tuple[str, ...] = ()) -> Query:
    return Query(text, (Message("user", text),), choices)


def reads_the_first(request: Request) -> str:
    """Answers with the first passage's sentence and cites it, or says that it was shown none."""
    found = re.search(r"^\[1\].*\n> (.*)$", request.messages[-1].content, re.MULTILINE)
    return f"{found.group(1)} [1]" if found else "shown nothing"


def with_kind(task: Task, **changes: object) -> Task:
    return task.model_copy(update=changes)
