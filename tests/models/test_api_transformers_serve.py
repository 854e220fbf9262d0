"""An independent server: ``transformers serve`` with the embedded model. It takes no notice of schemas and has no list of models here."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest

from tuneworth.models.catalog import open_model
from tuneworth.models.local.cache import models_home
from tuneworth.testing.chat_models import LABELS, asking, held

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(find_spec, ("fastapi", "uvicorn", "torch", "transformers"))), reason="needs transformers[serving]"
    ),
]


@pytest.fixture
def served(tmp_path):
    """The address of the server, with the model's name."""
    open_model("smollm2-135m")  # fetched, if it is not there yet
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = models_home() / "smollm2-135m"
    code = "import sys; from transformers.cli.transformers import main; sys.exit(main())"
    command = [
        sys.executable,
        "-c",
        code,
        "serve",
        str(folder),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--device",
        "cpu",
    ]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "HF_HUB_OFFLINE": "1"})
        try:
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline and server.poll() is None:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.5)
            else:
                pytest.skip(f"transformers serve did not start: {(tmp_path / 'log').read_text()[-500:]}")
            yield f"http://127.0.0.1:{port}/v1#{folder}"
        finally:
            server.terminate()
            server.wait(timeout=30)


def test_an_independent_server(served):
    model = open_model(served)
    free = model.generate(asking(2), max_new_tokens=12)
    assert all(done.text and done.usage.completion_tokens > 1 for done in free)
    told = model.generate(held(6), max_new_tokens=12)
    assert {done.finish_reason for done in told} <= {"stop", "error"}
    assert all(done.text in LABELS if done.finish_reason == "stop" else not done.text for done in told)
    assert model.describe()["refused"]["strict: labels"] == "ignored"
