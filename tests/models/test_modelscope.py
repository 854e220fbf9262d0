"""Models of ModelScope, from a server on this machine through its own client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from modelscope_server import modelscope_of

from tuneworth.errors import EnvironmentProblem
from tuneworth.models.local import modelscope

FILES = {
    "config.json": b'{"a": 1}',
    "tokenizer.json": b"{}",
    "model.safetensors": bytes(range(256)) * 4096,
    "pytorch_model.bin": b"a pickle",
    "run.py": b"code",
}
WANTED = sorted({*FILES} - {"pytorch_model.bin", "run.py"})
CODE = """
import json, sys
from tuneworth.errors import TuneworthError
from tuneworth.models.catalog import pull
seen = []
try:
    folder = pull(sys.argv[1], progress=lambda *told: seen.append(told))
    print(json.dumps({"folder": str(folder), "told": seen}))
except TuneworthError as error:
    print(json.dumps({"error": f"{type(error).__name__} {error}", "zh": error.to("zh")}))
"""


def ask(address: str, name: str, home: Path) -> dict[str, str]:
    """Fetch ``name`` in a process of its own: the client reads its settings at import."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("MODELSCOPE_", "TUNEWORTH_"))},
        "MODELSCOPE_ENDPOINT": address,
        "MODELSCOPE_CACHE": str(home / "cache"),
        "MODELSCOPE_HOME": str(home / "settings"),
        "MODELSCOPE_API_MAX_RETRIES": "1",
        "MODELSCOPE_DOWNLOAD_MAX_RETRIES": "2",
        "MODELSCOPE_DOWNLOAD_RETRY_MAX_DELAY_SECONDS": "1",
        "MODELSCOPE_REPO_TREE_PAGE_MAX_ATTEMPTS": "1",
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-c", CODE, name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    assert done.stderr == ""
    return json.loads(done.stdout)


def names_in(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir() if not path.name.startswith("."))


def test_a_model_comes_without_pickles_and_code_and_stays_when_the_network_is_gone(tmp_path: Path) -> None:
    with modelscope_of("someone/small", FILES) as shop:
        folder = ask(shop.address, "modelscope://someone/small", tmp_path)["folder"]
        assert names_in(folder) == WANTED
        assert (Path(folder) / "model.safetensors").read_bytes() == FILES["model.safetensors"]
        shop.asked.clear()
        assert ask(shop.address, "modelscope://someone/small", tmp_path)["folder"] == folder
        assert shop.asked == [], "what is there is not fetched again"
    assert ask(shop.address, "modelscope://someone/small", tmp_path)["folder"] == folder
    (Path(folder) / "model.safetensors").write_bytes(b"half")
    told = ask(shop.address, "modelscope://someone/small", tmp_path)
    assert "ModelScope does not answer" in told["error"]
    assert "no whole local copy" in told["error"]
    assert "没有完整的缓存" in told["zh"]


def test_a_download_that_breaks_off_goes_on_where_it_was(tmp_path: Path) -> None:
    with modelscope_of("someone/small", FILES) as shop:
        shop.cut["model.safetensors"] = 300_000
        folder = ask(shop.address, "modelscope://someone/small", tmp_path)["folder"]
        assert (Path(folder) / "model.safetensors").read_bytes() == FILES["model.safetensors"]
        starts = [start for name, start in shop.asked if name == "model.safetensors"]
    assert starts[0] == 0
    assert 0 < starts[-1] <= 300_000


def test_other_bytes_than_announced_are_refused(tmp_path: Path) -> None:
    with modelscope_of("someone/small", FILES) as shop:
        shop.sent["model.safetensors"] = bytes(reversed(FILES["model.safetensors"]))
        told = ask(shop.address, "modelscope://someone/small", tmp_path)
    assert told["error"].startswith("EnvironmentProblem modelscope://someone/small")
    assert "no whole local copy" in told["error"]


@pytest.mark.parametrize(
    ("name", "status", "text"),
    [
        ("modelscope://someone/other", None, "InputError modelscope://someone/other: is not on ModelScope"),
        ("modelscope://someone/small", 403, "MODELSCOPE_API_TOKEN"),
        (
            "modelscope://someone/small",
            500,
            "EnvironmentProblem modelscope://someone/small: ModelScope does not answer",
        ),
    ],
    ids=["unknown", "forbidden", "broken"],
)
def test_what_cannot_be_had_is_said(tmp_path: Path, name: str, status: int | None, text: str) -> None:
    with modelscope_of("someone/small", FILES) as shop:
        shop.status = status
        assert text in ask(shop.address, name, tmp_path)["error"]


def test_pickled_weights_alone_are_refused(tmp_path: Path) -> None:
    with modelscope_of("someone/old", {"config.json": b"{}", "pytorch_model.bin": b"a pickle"}) as shop:
        assert "no safetensors weights" in ask(shop.address, "modelscope://someone/old", tmp_path)["error"]


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "modelscope_hub", None)
    with pytest.raises(EnvironmentProblem, match=r"pip install 'tuneworth\[modelscope\]'"):
        modelscope.fetch_modelscope("modelscope://someone/small")
