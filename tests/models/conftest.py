"""Models to test the engine on: tiny random ones, and the embedded one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tiny_models import make_tiny, open_exact


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny") / "llama", "llama")


@pytest.fixture
def tiny(tiny_folder: Path):
    """A tiny Llama, opened afresh."""
    return open_exact(tiny_folder)


@pytest.fixture(scope="session")
def real_folder() -> Path:
    """The folder of the embedded model."""
    given = os.environ.get("TUNEWORTH_TEST_MODEL")
    if given:
        return Path(given)
    from tuneworth.models.catalog import open_model

    return open_model("smollm2-135m").folder  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def real(real_folder: Path):
    """The embedded model in float32."""
    return open_exact(real_folder)
