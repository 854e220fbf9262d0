"""What works on a bare install, without the local engine's libraries, and what stays unimported until needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from report.report_samples import make_result
from rows_made import label_rows, write_rows

HEAVY = [
    "torch",
    "transformers",
    "peft",
    "sklearn",
    "sentence_transformers",
    "pyarrow",
    "llguidance",
    "datasets",
    "safetensors",
    "tokenizers",
    "gguf",
    "rouge_score",
    "sacrebleu",
]

BLOCK = f"""
import importlib.util, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HEAVY!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}} (blocked)", name=name)
sys.meta_path.insert(0, Blocker())
seen = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in {HEAVY!r} else seen(name, package)
"""


def assert_runs(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_light_modules_import_without_the_engine():
    assert_runs(
        BLOCK
        + "import tuneworth.cli.main, tuneworth.decide.decision, tuneworth.decide.compare, tuneworth.report.html\n"
        + "import tuneworth.report.terminal, tuneworth.core.run, tuneworth.costs.spend, tuneworth.stats.paired\n"
        + "import tuneworth.models.catalog, tuneworth.metrics._parts.catalog, tuneworth.data.taskfile, tuneworth.race.folder"
    )


def test_help_imports_nothing_heavy():
    loaded = assert_runs(
        "import sys, io, contextlib\n"
        "sys.argv = ['tuneworth', '--help']\n"
        "from tuneworth.cli.main import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main()\n"
        f"print(sorted(set(sys.modules) & set({[*HEAVY, 'numpy', 'scipy', 'pydantic', 'plotly']!r})))"
    )
    assert loaded.strip() == "[]"


def test_a_run_without_the_engine_says_how_to_get_it(tmp_path):
    write_rows(tmp_path / "rows.jsonl", label_rows(60))
    done = command("run", str(tmp_path / "rows.jsonl"), "--yes", "--out", str(tmp_path / "run"))
    assert done.returncode == 2
    assert "pip install 'tuneworth[local]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_saved_runs_are_listed_and_shown_without_the_engine(tmp_path):
    folder = tmp_path / "runs" / "bank-1"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(make_result().model_dump_json(), encoding="utf-8")
    (folder / "store.sqlite").touch()
    listed = command("runs", cwd=tmp_path)
    assert (listed.returncode, "bank-1" in listed.stdout) == (0, True), listed.stderr
    shown = command("report", str(folder))
    assert (shown.returncode, "Don’t fine-tune" in shown.stdout) == (0, True), shown.stderr
    assert (folder / "report.html").stat().st_size > 100_000


def command(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command line in a process that has no engine."""
    code = BLOCK + f"sys.argv = {['tuneworth', *arguments]!r}\nfrom tuneworth.cli.main import main\nmain()"
    environment = {**os.environ, "TUNEWORTH_LANG": "en", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, env=environment, check=False
    )
