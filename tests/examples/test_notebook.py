"""The notebook does what it says: its cells run from the first to the last."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.slow
def test_the_cells_of_the_notebook_run_in_their_order(tmp_path):
    notebook = json.loads((EXAMPLES / "decide_again.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    shutil.copy(EXAMPLES / "stdlib_docs.py", tmp_path)
    shown = "print(arms.to_string())\nprint([decided.decision.verdict for decided in (result, strict, generous)])\n"
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*cells, shown])], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    verdicts = done.stdout.splitlines()[-1]
    assert "none_meets_limits" in verdicts
    assert (tmp_path / "demo-run" / "report.html").exists()
