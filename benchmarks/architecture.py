"""How heavy the house is: files, lines, functions, imports, and sentences that stand in code.

    python benchmarks/architecture.py [SRC] [--json]

SRC is the folder that holds the package (default: that of this checkout), so that two checkouts can be compared.

- A function's length is in lines, from its `def` to its end, methods and inner functions among them.
- Fan-out of a module: modules of the house that it imports itself, and all that these bring with them.
- The longest chain: modules of which each imports the next, when it is imported (imports inside of functions do not count).
- A module only forwards if it holds nothing but a docstring, imports and `__all__`.
- An inline text is a `Text(…)` whose sentence stands there, or a string with Chinese characters, docstrings left out.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = "tuneworth"
WATCHED = ("pipeline", "race.assemble", "race.documents.findings", "findings", "findings.documents")
CHINESE = re.compile("[\u4e00-\u9fff]")


def measure(src: Path) -> dict[str, Any]:
    paths = {_module(path, src): path for path in sorted((src / PACKAGE).rglob("*.py"))}
    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in paths.items()}
    imports = {name: set(_imports(name, tree, trees, deferred=False)) for name, tree in trees.items()}
    everywhere = {name: set(_imports(name, tree, trees, deferred=True)) for name, tree in trees.items()}
    importers: dict[str, set[str]] = defaultdict(set)
    for name, found in everywhere.items():
        for other in found:
            importers[other].add(name)
    sizes = sorted(node.end_lineno - node.lineno + 1 for tree in trees.values() for node in _functions(tree))
    lines = {name: path.read_text(encoding="utf-8").count("\n") for name, path in paths.items()}
    return {
        "files": len(paths),
        "lines": sum(lines.values()),
        "catalogue_lines": sum(
            path.read_text(encoding="utf-8").count("\n") for path in (src / PACKAGE).rglob("catalogue/*.yaml")
        ),
        "largest_modules": dict(sorted(lines.items(), key=lambda item: -item[1])[:5]),
        "functions": len(sizes),
        "function_median": statistics.median(sizes),
        "function_p90": sizes[int(0.9 * len(sizes))],
        "function_longest": sizes[-1],
        "one_importer": sum(len(found) == 1 for found in importers.values()),
        "only_forward": sorted(name for name, tree in trees.items() if _forwards(tree)),
        "longest_chain": _chain(imports),
        "fan_out": {
            name: {"direct": len(everywhere[full]), "with_theirs": len(_closure(full, imports))}
            for name in WATCHED
            if (full := f"{PACKAGE}.{name}") in trees
        },
        "inline_texts": dict(sorted(_texts(trees).items())),
    }


def _module(path: Path, src: Path) -> str:
    return ".".join(path.relative_to(src).with_suffix("").parts).removesuffix(".__init__")


def _imports(name: str, tree: ast.Module, known: dict[str, ast.Module], *, deferred: bool) -> Iterator[str]:
    """Modules of the house that ``name`` imports; ``deferred``: inside of functions too. For type checkers only: never."""
    nodes = list(tree.body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not deferred:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            yield from ({_resolved(f"{node.module}.{alias.name}", known) for alias in node.names} - {name})
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        nodes += ast.iter_child_nodes(node)


def _resolved(name: str, known: dict[str, ast.Module]) -> str:
    return name if name in known else name.rpartition(".")[0]


def _functions(tree: ast.Module) -> Iterator[Any]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _forwards(tree: ast.Module) -> bool:
    body = [node for node in tree.body if not isinstance(node, ast.Expr) and "__future__" not in ast.unparse(node)]
    names = [node for node in body if isinstance(node, ast.Assign) and "__all__" in ast.unparse(node)]
    brought = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    return bool(brought) and len(names) + len(brought) == len(body)


def _chain(imports: dict[str, set[str]]) -> list[str]:
    """The longest, found depth first; a module that is met again on the way (a circle) ends it."""
    on_the_way: set[str] = set()

    @cache
    def longest(name: str) -> tuple[str, ...]:
        on_the_way.add(name)
        tails = [longest(other) for other in sorted(imports.get(name, ())) if other not in on_the_way]
        on_the_way.discard(name)
        return (name, *max(tails, key=len, default=()))

    return list(max((longest(name) for name in sorted(imports)), key=len))


def _closure(name: str, imports: dict[str, set[str]]) -> set[str]:
    found, todo = set[str](), [name]
    while todo:
        new = imports.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return found - {name}


def _texts(trees: dict[str, ast.Module]) -> Counter[str]:
    found = Counter[str]()
    for name, tree in trees.items():
        room = name.split(".")[1] if "." in name else PACKAGE
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        inside = set[int]()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Text", "say"):
                parts = [part for arg in (*node.args, *(k.value for k in node.keywords)) for part in ast.walk(arg)]
                if any(isinstance(part, ast.Constant) and CHINESE.search(str(part.value)) for part in parts):
                    found[room] += 1
                    inside |= {id(part) for part in parts}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs | inside:
                found[room] += bool(CHINESE.search(node.value))
    return Counter({room: n for room, n in found.items() if n})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("src", nargs="?", type=Path, default=Path(__file__).parents[1] / "src")
    parser.add_argument("--json", action="store_true", help="one object, for comparing")
    options = parser.parse_args()
    found = measure(options.src)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for name, value in found.items():
        if name == "longest_chain":
            print(f"{name:>18}  {len(value)}: {' > '.join(part.removeprefix(PACKAGE + '.') for part in value)}")
        else:
            print(f"{name:>18}  {value}")


if __name__ == "__main__":
    main()
