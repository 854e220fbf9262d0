"""What the data audit finds where the truth is known, one section a topic, as Markdown.

    python benchmarks/audit.py --data DATA [--only duplicates] [--only noise]

DATA holds a folder per task with train.jsonl and test.jsonl. Every section is a module of this folder with
`measure(data: Path) -> str`.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

SECTIONS = {
    "duplicates": "audit_duplicates",
    "noise": "audit_noise",
    "personal": "audit_personal",
    "size": "audit_scale",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", action="append", choices=sorted(SECTIONS), help="this section; may be given again")
    args = parser.parse_args()
    for section in args.only or SECTIONS:
        print(importlib.import_module(SECTIONS[section]).measure(args.data), flush=True)
        print()


if __name__ == "__main__":
    main()
