"""A strategy from another distribution is found, checked and used like a built-in."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[1] / "sample_plugin"

PROGRAM = """
import sys
from pathlib import Path
from tuneworth.core.registry import load_plugin, plugin_modules
from tuneworth.testing.strategies import check_strategy

assert "tuneworth_sample" not in sys.modules
modules = plugin_modules("tuneworth.strategies")
assert modules["longest"] == "tuneworth_sample.longest", modules
assert modules["prompt"] == "tuneworth.strategies.prompt", modules
assert not {"base", "prompting", "asking", "features", "neighbours", "schema_text"} & modules.keys(), modules
assert "tuneworth_sample" not in sys.modules, "listing plug-ins must not import them"
strategy = load_plugin("tuneworth.strategies", "longest")
check_strategy(strategy, Path(sys.argv[1]))
print(strategy.title.zh)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample installed by pip, without network."""
    work = tmp_path_factory.mktemp("sample")
    source = shutil.copytree(SAMPLE, work / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "-t", str(work / "site"), str(source)], check=True, capture_output=True, text=True)
    return work / "site"


def test_installed_sample_is_found_and_conforms(site: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "最长的答案"


def test_a_built_in_cannot_be_replaced_from_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point with a built-in's name does not shadow it."""
    registry = importlib.import_module("tuneworth.core.registry")
    info = tmp_path / "rival-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rival\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[tuneworth.strategies]\nprompt = rival.prompt\nown = rival.own\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = registry.plugin_modules.__wrapped__("tuneworth.strategies")
    assert found["prompt"] == "tuneworth.strategies.prompt"
    assert found["own"] == "rival.own"


def test_an_outside_plugin_that_breaks_on_import_is_a_clear_error(site: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(site, tmp_path / "site")
    (broken / "tuneworth_sample" / "longest.py").write_text("import no_such_library\n", encoding="utf-8")
    program = (
        "from tuneworth.core.registry import load_plugin\n"
        "from tuneworth.errors import EnvironmentProblem\n"
        "try:\n    load_plugin('tuneworth.strategies', 'longest')\n"
        "except EnvironmentProblem as problem:\n    print(problem)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(broken)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert "tuneworth_sample.longest: the plug-in longest cannot be loaded (ModuleNotFoundError" in done.stdout
