"""Keys under which outcomes are kept: digests of all that an answer depends on.

The code that makes a prompt is part of an arm's key: the sources of the strategy's module, of its model's, and of what
these import from the packages below. So a version that changes nothing there finds what an earlier one paid for, and
one that changes a word of a prompt asks again. Imports are read, not executed.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Iterator
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from tuneworth._moved import now
from tuneworth.core.task import Example, Task
from tuneworth.models.base import Model
from tuneworth.strategies import Strategy, StrategyConfig

PROMPT_CODE = (
    "tuneworth.strategies",
    "tuneworth.retrieval",
    "tuneworth.models",
    "tuneworth.core.task",
    "tuneworth.core.documents",
    "tuneworth.metrics._parts.words",
    "tuneworth.audit._personal",
)
"""These modules, and those in these packages, shape what a model is asked and how it answers. Of a plug-in from elsewhere, its own package too."""
TRANSPORT = tuple(
    f"tuneworth.models.{name}"
    for name in (
        "metering",
        "api.client",
        "api.failures",
        "api.lists",
        "api.loop",
        "api.opening",
        "api.pace",
        "api.record",
        "api.services",
        "api.tokens",
    )
)
"""… but for how requests to services travel and are counted: a change there is no reason to pay for the same answers again."""
ENCODERS = ("tuneworth.models.local.encoder", "tuneworth.models.api.embeddings")
"""What makes the vectors of a strategy that asks for the sentence encoder; it imports neither, the run hands it over."""
MASK = "tuneworth.audit._personal.sent"
_TASK = {"instruction", "kind", "labels", "json_schema", "language", "metric"}
_MODEL = ("id", "weights_sha256", "dtype", "attention", "device", "address", "masked")
"""What makes a model answer as it does, without what it measured or where it lies."""


def digest(content: object) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def row_key(example: Example) -> str:
    """Digest of a row's content: what is asked and what is accepted."""
    asked = [[message.role, message.content] for message in example.query.messages]
    return digest([asked, list(example.query.choices), list(example.references)])


def arm_key(
    task: Task,
    strategy: type[Strategy],
    config: StrategyConfig,
    model: Model | None,
    basis: str,
    encoder: str | None = None,
) -> str:
    """Digest of an arm.

    Args:
        basis: digest of the split and the seed.
        encoder: what the vectors of an arm that compares texts depend on; ``None`` for the others.
    """
    masks = strategy.reads_documents and task.documents is not None and task.documents.masked
    code = code_digest(strategy.__module__, *([MASK] if masks else []), *_modules(model))
    content = [
        code,
        strategy.id,
        config.model_dump(mode="json"),
        _described(model),
        task.model_dump(mode="json", include=_TASK),
        basis,
    ]
    if strategy.reads_documents and task.documents is not None:
        content += [task.documents.digest, *(["masked"] if task.documents.masked else [])]
    if encoder is not None:
        content.append({"encoder": encoder})
    return digest(content)


def model_key(model: Model) -> str:
    """Digest of all that a model's answer depends on but the request."""
    return digest([code_digest(*_modules(model)), _described(model)])


def _described(model: Model | None) -> dict[str, object]:
    described = {"id": model.id, **model.describe()} if model is not None else {}
    return {name: described[name] for name in _MODEL if name in described}


def _modules(model: Model | None) -> Iterator[str]:
    """Of the model, and of what stands around it."""
    while model is not None:
        yield type(model).__module__
        model = getattr(model, "inner", None)


@cache
def code_digest(*modules: str) -> str:
    """SHA-256 over the sources of ``modules`` and of what they import from packages that shape prompts."""
    packages = {*PROMPT_CODE, *(module.partition(".")[0] for module in modules)} - {"tuneworth"}
    sources: dict[str, str] = {}
    unread = list(modules)
    while unread:
        module = unread.pop()
        source = source_of(module) if module not in sources and module not in TRANSPORT else None
        if source is not None:
            sources[module] = source
            tree = ast.parse(source)
            unread += [name for name in _imports(module, tree) if any(f"{name}.".startswith(f"{p}.") for p in packages)]
            asks = any(isinstance(node, ast.Attribute) and node.attr == "encoder" for node in ast.walk(tree))
            if asks and not module.startswith("tuneworth.retrieval"):  # which every strategy has for its types
                unread += ENCODERS
    return digest(sources)


def source_of(module: str) -> str | None:
    """The text of a module, found without importing it; ``None`` for what is no module, or one without a source."""
    spec = _spec_of(module)
    read = getattr(spec.loader, "get_source", None) if spec is not None else None
    if spec is not None and read is not None:
        return read(spec.name)
    file = getattr(sys.modules.get(module), "__file__", None)  # the script itself
    return Path(file).read_text(encoding="utf-8") if file else None


def _spec_of(module: str) -> ModuleSpec | None:
    """Where a module lies, below the package that was imported: in a folder, or in a zip file."""
    name, *inner = module.split(".")
    spec = getattr(sys.modules.get(name), "__spec__", None)
    for part in inner:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations)
    return spec


def _imports(module: str, tree: ast.AST) -> Iterator[str]:
    """Names that ``module`` imports, wherever it does; a name from a package may be a module of it."""
    spec = _spec_of(module)
    is_package = spec is not None and spec.submodule_search_locations is not None
    here = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (now(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = here[: len(here) - node.level + 1] if node.level else []
            package = now(".".join([*above, *([node.module] if node.module else [])]))
            yield package
            yield from (now(f"{package}.{alias.name}") for alias in node.names)
