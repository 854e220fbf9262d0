import os
import subprocess
import sys

import pytest


@pytest.fixture
def tuneworth(tmp_path):
    """Runs the command in a fresh folder as a user would; returns the finished process."""

    def call(*arguments, env=None, cwd=None, timeout=300):
        return subprocess.run(
            [sys.executable, "-m", "tuneworth.cli.main", *map(str, arguments)],
            cwd=cwd or tmp_path,
            env={**os.environ, "TUNEWORTH_LANG": "en", "COLUMNS": "120", **(env or {})},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return call
