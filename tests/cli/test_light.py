"""What works on a bare install, without the local engine's libraries, and what stays unimported until needed."""

from __future__ import annotations

import subprocess
import sys

HEAVY = [
    "torch",
    "transformers",
    "peft",
    "sklearn",
    "sentence_transformers",
    "datasketch",
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
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HEAVY!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}} (blocked)", name=name)
sys.meta_path.insert(0, Blocker())
"""


def assert_runs(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_light_modules_import_without_the_engine():
    assert_runs(
        BLOCK
        + "import tuneworth.cli.main, tuneworth.decide.decision, tuneworth.decide.compare, tuneworth.report.html\n"
        + "import tuneworth.report.terminal, tuneworth.core.run, tuneworth.costs.model, tuneworth.stats.paired\n"
        + "import tuneworth.models.catalog, tuneworth.metrics.catalog, tuneworth.data.taskfile, tuneworth.race.folder"
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
