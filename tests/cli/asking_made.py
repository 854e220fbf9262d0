"""What the tests of ``ask`` and ``index`` share: a finished run on documents, and the command in this process."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from rows_made import write_rows
from tuneworth.cli import ask, index, language
from tuneworth.cli import main as command_line
from tuneworth.core.task import Example
from tuneworth.models import catalog
from tuneworth.models.base import Request
from tuneworth.models.scripted import ScriptedModel
from tuneworth.testing.cases import Case, HashEncoder

CONTEXT_TOKENS = 400


def reads_the_first(request: Request) -> str:
    """Answers with the first passage's sentence and cites it."""
    found = re.search(r"^\[1\].*\n> (.*)$", request.messages[-1].content, re.MULTILINE)
    return f"{found.group(1)} [1]" if found else "shown nothing"


@contextmanager
def engine(model: ScriptedModel | None = None) -> Iterator[ScriptedModel]:
    """No model and no encoder but made ones can be opened."""
    opened = model or ScriptedModel(reads_the_first, context_tokens=CONTEXT_TOKENS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "check_names", lambda names, **options: None)
        patch.setattr(catalog, "open_model", lambda name, **options: opened)
        patch.setattr(catalog, "open_encoder", lambda name=None, **options: HashEncoder())
        patch.setattr(catalog, "encoder_sha256", lambda name, progress=None: "of made vectors")
        yield opened


def write_task(folder: Path, case: Case, **settings: object) -> Path:
    """The case as a task file with its rows and documents."""
    rows = [_row(row) for row in (*case.train, *case.dev, *case.held_out)]
    write_rows(folder / "rows.jsonl", rows)
    place = folder / "docs"
    place.mkdir()
    for document in case.documents:
        parts = [f"# {document.title}", *(f"## {' '.join(b.headings)}\n\n{b.text}" for b in document.blocks)]
        (place / f"{document.id}.md").write_text("\n\n".join(parts), encoding="utf-8")
    documents = {"source": "docs", "passage_tokens": 48, **settings}
    task = {
        "train": "rows.jsonl",
        "instruction": case.task.instruction,
        "output": {"kind": case.task.kind},
        "documents": documents,
        "strategies": ["rag", "oracle", "prompt"],
        "models": ["scripted"],
        "budget": "10m",
    }
    path = folder / "task.yaml"
    path.write_text(json.dumps(task, ensure_ascii=False), encoding="utf-8")
    return path


def _row(row: Example) -> dict[str, object]:
    return {"input": row.query.text, "output": row.output, "gold": [f"{name}.md" for name in row.gold]}


@dataclass
class Said:
    code: int
    out: str
    err: str


def call(capsys: pytest.CaptureFixture[str], arguments: Sequence[object], lang: str = "en") -> Said:
    """The command line with ``arguments``, in this process."""
    capsys.readouterr()
    code = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["tuneworth", *map(str, arguments)])
        patch.setenv("COLUMNS", "100")
        for module in (language, command_line, ask, index):
            patch.setattr(module, "LANG", lang)
        try:
            command_line.main()
        except SystemExit as end:
            code = int(end.code or 0)
    said = capsys.readouterr()
    return Said(code, said.out, said.err)
