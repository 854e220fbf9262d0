"""What ``docs/cost.md`` shows in both languages runs and reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tuneworth.costs.table import read_table
from tuneworth.costs.traffic import read_traffic

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["cost.md", "cost.zh.md"])
def test_examples_of_the_page_work(page, capsys):
    prices, traffic, code = re.findall(
        r"```(?:yaml|python)\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL
    )
    assert read_table(prices, page).of("wage", "usd/hour").middle == pytest.approx(400 / 7.1)
    assert read_traffic(yaml.safe_load(traffic)["traffic"]).calls_per_month.middle == 50_000
    exec(code, {})
    assert "once labels 8.33" in capsys.readouterr().out
