"""Run as a program: builds an index, so that a test can kill it.

    python index_writer.py FOLDER FIRST LAST [KILL_AT]

Writes passages FIRST…LAST of ``many`` in small batches. With KILL_AT it ends itself by SIGKILL right before the
KILL_AT-th thing it does to the disk; without, it says "ready" and starts when a line comes in.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import lancedb.table
from passages_made import WordEncoder, many

from tuneworth.retrieval import refresh
from tuneworth.retrieval.index import open_or_build

STEPS = ("add", "delete", "drop_index", "optimize", "create_index")


def die_before_step(kill_at: int) -> None:
    """Count every call that writes, and end the process before one of them."""
    count = 0

    def counted(real: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **options)

        return call

    for name in STEPS:
        setattr(lancedb.table.LanceTable, name, counted(getattr(lancedb.table.LanceTable, name)))
    for name in ("write_state", "remove_generation"):
        setattr(refresh, name, counted(getattr(refresh, name)))


def main() -> None:
    folder, first, last = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    refresh.ROWS_PER_WRITE = 8
    if len(sys.argv) > 4:
        die_before_step(int(sys.argv[4]))
    else:
        print("ready", flush=True)
        sys.stdin.readline()
    open_or_build(folder, many(last)[first:], WordEncoder())


if __name__ == "__main__":
    main()
