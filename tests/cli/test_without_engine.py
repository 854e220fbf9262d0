"""A reader with a key and no local engine: nothing but the base install and the extra `api` can be imported."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tuneworth.testing.chat_server import Asked, ChatServer

ROOT = Path(__file__).parents[2]
ENGINE = (
    "torch",
    "transformers",
    "tokenizers",
    "huggingface_hub",
    "safetensors",
    "llguidance",
    "peft",
    "pyarrow",
    "lancedb",
)
LISTED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORDS = {"refund": "money back", "delivery": "late parcel", "repair": "broken part"}


def needed(requirements: list[str], without: set[str]) -> Iterator[str]:
    """Names of what ``requirements`` bring, each once."""
    seen: set[str] = set(without)
    todo = [Requirement(line) for line in requirements]
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        if name in seen or (wanted.marker is not None and not wanted.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        try:
            brings = distribution(name).requires or []
        except PackageNotFoundError:  # one of several that would do
            continue
        yield name
        todo += [Requirement(line) for line in brings]


def link_packages(folder: Path, without: set[str]) -> None:
    """A place to import from that holds the base install and the extra `api`, as a clean environment would."""
    for name in needed([*LISTED["dependencies"], *LISTED["optional-dependencies"]["api"]], without):
        found = distribution(name)
        for top in {path.parts[0] for path in found.files or []} - {"..", "__pycache__"}:
            link, real = folder / top, Path(str(found.locate_file(top)))
            if real.exists() and not link.exists():
                link.symlink_to(real)


@pytest.mark.slow
@pytest.mark.parametrize("bare", [False, True], ids=["as installed", "without scikit-learn"])
def test_an_api_model_is_raced_without_a_local_engine(tmp_path: Path, bare: bool) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    link_packages(packages, {"scikit-learn", "detect-secrets"} if bare else set())
    rng = random.Random(4)
    vocabulary = ["".join(rng.choices("abcdefghijklmnopqrst", k=6)) for _ in range(60)]
    rows = []
    for i in range(120):
        label = list(WORDS)[i % 3]
        words = [*rng.sample(vocabulary, 5), WORDS[label], *rng.sample(vocabulary, 3)]
        rows.append({"input": " ".join(words), "output": label})
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    def says(asked: Asked) -> str:
        text = asked.messages[-1].content
        return next((label for label, words in WORDS.items() if words in text), "refund")

    with ChatServer(answer=says) as server:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{packages}{os.pathsep}{ROOT / 'src'}",
            "OPENAI_BASE_URL": server.address,
            "OPENAI_API_KEY": "none",
            "TUNEWORTH_HOME": str(tmp_path / "home"),
            "NO_PROXY": "127.0.0.1",
        }
        code = (
            "import sys\nfrom importlib.util import find_spec\n"
            f"assert not [name for name in {ENGINE} if find_spec(name)]\n"
            "from tuneworth.cli.main import main\nmain()"
        )
        command = [sys.executable, "-S", "-c", code, "run", "train.jsonl", "--models", "openai/gpt-6-luna"]
        command += ["--budget", "2m", "--out", "out", "--yes", "--lang", "en"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert (tmp_path / "out" / "report.html").stat().st_size > 100_000
    result = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert result["decision"]["verdict"]
    assert result["task"]["sentence_encoder"] is None
    assert "the local engine is not installed" in " ".join(done.stdout.split())
    arms = {arm["arm_id"]: arm for arm in result["arms"]}
    assert arms["prompt/openai/gpt-6-luna"]["dev"]
    if bare:
        assert "scikit-learn is not installed" in done.stdout
    else:
        assert arms["head/features=tfidf"]["dev"]
    assert not (tmp_path / "home" / "models").exists(), "no model was fetched"
