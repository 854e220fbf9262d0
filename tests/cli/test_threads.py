"""Threads that wait must not take the processor from the one that works (docs/decisions/005)."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import tuneworth.cli.main, numpy, threadpoolctl
print([one["num_threads"] for one in threadpoolctl.threadpool_info() if one["internal_api"] == "openblas"])
"""


@pytest.mark.parametrize(("wished", "n_threads"), [(None, 1), ("2", 2)])
def test_the_command_has_one_thread_for_openblas_unless_the_user_says_otherwise(wished, n_threads):
    if n_threads > (os.cpu_count() or 1):
        pytest.skip("one core")
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment |= {"OPENBLAS_NUM_THREADS": wished} if wished else {}
    environment.pop("OMP_NUM_THREADS", None)
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() in (f"[{n_threads}]", "[]"), "[]: a NumPy with another BLAS"
