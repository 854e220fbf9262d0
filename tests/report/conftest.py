"""One finished run for all tests of the report."""

from __future__ import annotations

import pytest
from report_samples import make_result

from tuneworth.core.run import RunResult


@pytest.fixture
def result() -> RunResult:
    return make_result()
