from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tuneworth.models.local import load


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNEWORTH_HOME", str(tmp_path))
    return tmp_path


def test_the_probe_chooses_what_it_measured_to_be_faster(tiny, home: Path):
    choice = load.choose(tiny.module.config, "cpu", 1000)
    ms = choice.measured_ms
    assert set(ms) == {"float32", "bfloat16", "eager", "sdpa"}
    assert all(value > 0 for value in ms.values())
    assert (choice.dtype == "bfloat16") == (ms["float32"] >= load.MIN_GAIN * ms["bfloat16"])
    assert ms[choice.attention] == min(ms["eager"], ms["sdpa"])


def test_a_later_run_makes_the_same_choice(tiny, home: Path, monkeypatch: pytest.MonkeyPatch):
    first = load.choose(tiny.module.config, "cpu", 1000)
    monkeypatch.setattr(load, "_measure", lambda *_: pytest.fail("measured again"))
    assert load.choose(tiny.module.config, "cpu", 1000) == first


def test_a_damaged_record_is_measured_again(tiny, home: Path):
    first = load.choose(tiny.module.config, "cpu", 1000)
    (path,) = (home / "probes").iterdir()
    path.write_text('{"dtype": ')
    assert set(load.choose(tiny.module.config, "cpu", 1000).measured_ms) == set(first.measured_ms)
    path.read_text().index("float32")


def test_a_model_that_does_not_fit_in_float32_is_kept_in_bfloat16(tiny, home: Path):
    assert load.choose(tiny.module.config, "cpu", 10**13).dtype == "bfloat16"


def test_a_cache_that_cannot_be_written_is_no_obstacle(tiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TUNEWORTH_HOME", str(tmp_path / "file"))
    assert load.choose(tiny.module.config, "cpu", 1000).dtype in ("float32", "bfloat16")


def test_opening_records_the_choice(tiny_folder: Path, home: Path):
    model = load.open_local(tiny_folder, device="cpu")
    described = model.describe()
    assert described["probe"]["dtype"] == described["dtype"] == str(model.dtype).removeprefix("torch.")
    assert described["probe"]["attention"] == described["attention"] == model.module.config._attn_implementation


def test_a_given_dtype_is_not_overruled(tiny_folder: Path, home: Path):
    assert load.open_local(tiny_folder, device="cpu", dtype=torch.bfloat16).dtype == torch.bfloat16
