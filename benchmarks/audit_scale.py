"""The whole audit on 100,000 made rows of about 200 characters: time of every check and peak memory.

Two files, one English and one Chinese, each in a process of its own because peak memory is one number a process.
Rows are drawn from a made vocabulary with word frequencies as in real text (Zipf); a twentieth of them repeat
another row exactly or nearly, a fifth are cut from templates, and 1,000 test rows hold some leaks.

    python benchmarks/audit_scale.py --lang zh [--rows 100000]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from tuneworth.audit import Embed, Subject
from tuneworth.audit._run import Audited, audit
from tuneworth.core.task import Example, Message, Query, Task

N_TEST = 1_000
CHARACTERS = 200
LIMIT_SECONDS, LIMIT_GB = 180, 3


def measure(data: Path) -> str:
    """Both languages as one Markdown table. ``data`` is not used: all rows are made."""
    lines = ["| rows | seconds | CPU seconds | peak memory | slowest checks |", "|---|---|---|---|---|"]
    for lang in ("en", "zh"):
        command = [sys.executable, __file__, "--lang", lang, "--json"]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        slowest = sorted(found["checks"].items(), key=lambda item: -item[1])[:5]
        shown = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in slowest)
        rows = f"{found['rows']:,} {lang}"
        lines.append(
            f"| {rows} | {found['seconds']:.0f} | {found['cpu_seconds']:.0f} | {found['gb']:.1f} GB | {shown} |"
        )
    return "\n".join([*lines, "", f"Limits: {LIMIT_SECONDS} s and {LIMIT_GB} GB."])


def made_subject(lang: str, n_rows: int, embed: Embed | None = None) -> Subject:
    """Rows with ten labels, repeats, templates and leaks."""
    rng = np.random.default_rng(7)
    words = _vocabulary(lang, rng)
    shares = 1 / np.arange(1, len(words) + 1)
    shares /= shares.sum()
    size = CHARACTERS // 2 if lang == "zh" else CHARACTERS // 6
    drawn = rng.choice(len(words), size=(n_rows + N_TEST, size), p=shares)
    labels = rng.integers(10, size=n_rows + N_TEST)
    joint = "" if lang == "zh" else " "
    texts = [joint.join(words[at] for at in row) for row in drawn]
    for at in rng.choice(np.arange(n_rows // 2, n_rows), n_rows // 5, replace=False).tolist():
        template, word = at % 50, words[int(rng.integers(len(words)))]
        texts[at], labels[at] = f"{texts[template]}{joint}{word}{joint}{int(rng.integers(10_000))}", labels[template]
    for at in rng.choice(np.arange(1_000, n_rows // 2), n_rows // 20, replace=False).tolist():
        texts[at], labels[at] = texts[at - 500] + (words[0] if at % 2 else ""), labels[at - 500]
    for step in range(0, N_TEST, 20):
        texts[n_rows + step], labels[n_rows + step] = texts[step].upper(), labels[step]
    rows = [
        Example(Query(f"r{at}", (Message("user", text),)), f"label {label}", source=f"rows.jsonl:{at + 1}")
        for at, (text, label) in enumerate(zip(texts, labels.tolist()))
    ]
    task = Task(
        name="made",
        kind="label",
        labels=tuple(f"label {label}" for label in range(10)),
        metric="accuracy",
        language="zh" if lang == "zh" else "en",
    )
    raw = {row.id: json.dumps({"input": row.query.text, "output": row.output}, ensure_ascii=False) for row in rows}
    return Subject(task, tuple(rows[:n_rows]), tuple(rows[n_rows:]), raw=raw, embed=embed)


def _vocabulary(lang: str, rng: np.random.Generator) -> list[str]:
    """Made words: two Han characters, or three to nine letters."""
    if lang == "zh":
        return ["".join(map(chr, pair)) for pair in rng.integers(0x4E00, 0x9000, size=(20_000, 2)).tolist()]
    letters = list("etaoinshrdlucmfwypvbgkjqxz")
    return ["".join(rng.choice(letters, size=int(size))) for size in rng.integers(3, 9, size=20_000)]


def _encoder() -> Embed:
    from tuneworth.models import catalog

    return catalog.open_encoder().encode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lang", choices=("en", "zh"), default="en")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--check", action="append", help="only this check; may be given again")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    subject = made_subject(args.lang, args.rows, _encoder() if args.lang == "en" and not args.check else None)
    before, cpu = time.perf_counter(), time.process_time()
    audited: Audited = audit(subject, only=args.check)
    found = {
        "rows": args.rows,
        "seconds": time.perf_counter() - before,
        "cpu_seconds": time.process_time() - cpu,
        "gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "checks": {run.check: run.seconds for run in audited.result.checks},
        "skipped": {run.check: run.skipped.en for run in audited.result.checks if run.skipped},
        "findings": [finding.title.en for finding in audited.result.findings],
    }
    print(json.dumps(found) if args.json else json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
