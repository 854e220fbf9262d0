"""``tuneworth compare`` as a user runs it."""

from __future__ import annotations

import json
import random


def rows(path, share, n=200):
    chance = random.Random(str(path.name))
    lines = [
        {"id": at, "question": f"q {at}", "score": int(chance.random() < share), "answer": f"[red]{at}", "tokens_in": 7}
        for at in range(n)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path.name


def test_a_comparison_is_shown_and_written(tuneworth, tmp_path):
    files = [rows(tmp_path / f"{name}.jsonl", share) for name, share in (("base", 0.5), ("tuned", 0.8))]
    done = tuneworth("compare", *files, "--out", "told")
    assert done.returncode == 0, done.stderr
    assert "tuned is better than base: +" in done.stdout
    assert "200 rows are in all files, paired by their ids." in done.stdout
    stored = json.loads((tmp_path / "told" / "comparison.json").read_text(encoding="utf-8"))
    printed = json.loads(tuneworth("compare", *files, "--json").stdout)
    assert printed == stored
    assert (stored["standing"], stored["first"]) == ("best", "tuned")
    page = (tmp_path / "told" / "report.html").read_text(encoding="utf-8")
    assert "[red]" in page
    assert "两两差异" in page
    zh = tuneworth("compare", *files, "--lang", "zh", "--margin", "0.9").stdout
    assert "tuned 与 base 相当：差异在 ±90 个百分点之内。" in zh


def test_all_that_is_wrong_is_told_without_a_traceback(tuneworth, tmp_path):
    one = rows(tmp_path / "one.jsonl", 0.5)
    done = tuneworth("compare", one, one, "gone.eval", "--margin", "7", "--scale", "high")
    assert (done.returncode, done.stdout) == (2, "")
    for part in (
        "--margin: 7 must lie",
        "--scale: 'high'",
        "one.jsonl: holds the same bytes",
        "gone.eval: no such file",
    ):
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    taken = tuneworth("compare", one, rows(tmp_path / "two.jsonl", 0.5), "--out", one)
    assert (taken.returncode, "Traceback" in taken.stderr) == (2, False), taken.stderr
    told = json.loads(tuneworth("compare", one, "--json").stdout)
    assert told["error"]["problems"][0]["where"] == "one.jsonl"
