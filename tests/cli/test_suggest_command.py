"""``tuneworth models suggest``."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from tuneworth.cli.main import app
from tuneworth.models.suggest import candidates


def told(*arguments: str, **environment: str) -> str:
    done = CliRunner().invoke(app, ["models", "suggest", *arguments], env=environment)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_without_rows_models_and_keys_are_told() -> None:
    text = told(OPENAI_API_KEY="sk-secret")
    assert any(model.name in text for model in candidates()[0])
    assert "Apache-2.0" in text
    assert "OPENAI_API_KEY" in text
    assert "sk-secret" not in text


def test_of_rows_the_language_counts_and_minutes_are_told(tmp_path: Path) -> None:
    rows = [{"input": f"我的第 {i} 个订单什么时候发货？", "output": ["物流", "退款"][i % 2]} for i in range(60)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    found = json.loads(told(str(path), "--json"))
    assert found["languages"] == ["zh"]
    assert found["work"]["n_rows"] == 60
    known = {model.name: model for model in candidates()[0]}
    assert found["models"]
    for each in found["models"]:
        assert known[each["name"]].speaks(["zh"])
        assert each["minutes"] > 0
        assert each["licence"]
