"""``tuneworth decide``: other limits, the same measurements."""

from __future__ import annotations

import json

import pytest
from decide_builders import duel, finished, task
from typer.testing import CliRunner

from tuneworth.cli.main import app
from tuneworth.core.run import RunResult
from tuneworth.errors import InputError


@pytest.fixture
def run(tmp_path):
    """A finished run in which tuning is 35 of 300 rows ahead."""
    result = finished(*duel(40, 5, 200, 55), task())
    (tmp_path / "result.json").write_text(result.model_dump_json(), encoding="utf-8")
    return tmp_path


def decided(run, *settings, exit_code=0):
    flags = [part for setting in settings for part in ("--set", setting)]
    done = CliRunner().invoke(app, ["decide", str(run), *flags, "--json"])
    assert done.exit_code == exit_code, done.output or done.exception
    return done


def test_another_margin_is_another_verdict_and_the_run_stays(run):
    before = (run / "result.json").read_bytes()
    told = RunResult.model_validate_json(decided(run, "margin=0.3").stdout)
    assert told.decision.verdict == "dont_fine_tune"
    assert (run / "result.json").read_bytes() == before
    folder = run / "decided" / "margin=0.3"
    assert json.loads((folder / "result.json").read_text(encoding="utf-8"))["task"]["margin"] == 0.3
    assert (folder / "report.html").stat().st_size > 10_000


def test_for_people_the_verdict_of_before_stands_beside_it(run):
    told = CliRunner().invoke(app, ["decide", str(run), "--set", "margin=0.3"]).stdout
    assert told.rstrip().splitlines()[-1].startswith("Before: Fine-tune")
    same = CliRunner().invoke(app, ["decide", str(run), "--set", "limits.min_quality=0.01"]).stdout
    assert same.rstrip().endswith("as before.")


def test_all_that_is_wrong_is_told_at_once(run):
    flags = ["p95=3", "margin", "limits.p95_ms=-1", "margin=[7", "usd_per_label=1", "usd_per_label=2"]
    done = CliRunner().invoke(app, ["decide", str(run), *(part for flag in flags for part in ("--set", flag))])
    assert isinstance(done.exception, InputError)
    places = [problem.where for problem in done.exception.problems]
    assert sorted(places) == sorted(
        ["--set p95=3", "--set margin", "--set usd_per_label=2", "--limits.p95-ms", "--margin"]
    )
    assert not (run / "decided").exists()
