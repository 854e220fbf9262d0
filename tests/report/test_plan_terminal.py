"""The plan as it is shown, in both languages."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tuneworth.core.plan import PlannedArm, RunPlan
from tuneworth.core.race import Power
from tuneworth.core.text import Text
from tuneworth.report.plain import width
from tuneworth.report.terminal.plan import plan_summary

POWER = Power(
    n_dev=150,
    n_test=300,
    margin=0.02,
    share_different=0.25,
    dev_difference=0.12,
    test_difference=0.096,
    rows_for_margin=6641,
)
LATE = Text(en="the budget would be spent before", zh="预算就会用完")


def arm(name: str, **changes) -> PlannedArm:
    known = {"fit_seconds": 0.0, "dev_seconds": 12.0, "seconds": 12.0, "test_seconds": 24.0}
    values = {
        "arm_id": name,
        "title": Text(en=f"arm {name}", zh=f"方案 {name}"),
        "model": None,
        "tuned": False,
        "yardstick": False,
        **known,
        **changes,
    }
    return PlannedArm.model_validate(values)


def shown(lang: str, columns: int = 100, **changes) -> str:
    values = {
        "task": "colours",
        "kind": "label",
        "metric": "accuracy",
        "margin": 0.02,
        "seed": 0,
        "n_train": 1000,
        "n_dev": 150,
        "n_test": 300,
        "budget_seconds": 900.0,
        "power": POWER,
        "arms": [arm("a")],
        "seconds_all": 7200.0,
        "race_seconds": 600.0,
        "final_seconds": 90.0,
        **changes,
    }
    out = io.StringIO()
    Console(file=out, width=columns, highlight=False).print(plan_summary(RunPlan.model_validate(values), lang))
    return out.getvalue()


def flat(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


def test_totals_budget_and_power_are_told():
    text = flat(shown("en"))
    for part in (
        "1,000 train, 150 dev, 300 test rows",
        "about 2 h 0 min",
        "about 10 min 0 s",
        "Budget: 15 min 0 s.",
        "about 6,600",
    ):
        assert part in text, part
    assert "2 小时" in flat(shown("zh"))


def test_arms_of_one_reason_share_a_line():
    late = [arm(name, prospect="no_time", why=LATE) for name in ("b", "c")]
    text = flat(shown("en", arms=[arm("a"), *late]))
    assert "Arm b; arm c: the budget would be spent before" in text
    assert "✓ Arm a" in text
    assert text.count("✗ Arm") == 2
    assert "方案 b；方案 c：预算就会用完" in flat(shown("zh", arms=late))


@pytest.mark.parametrize(
    ("prospect", "sign"),
    [("in_time", "✓"), ("cut", "◐"), ("in_part", "◐"), ("too_slow", "✗"), ("no_time", "✗"), ("cannot_run", "–")],
)
def test_every_prospect_has_a_sign_that_the_legend_explains(prospect, sign):
    for lang in ("en", "zh"):
        text = shown(lang, arms=[arm("a", prospect=prospect)])
        assert f"{sign} {'Arm' if lang == 'en' else '方案'} a" in text
        assert text.count(sign) >= 2


def test_money_is_shown_where_it_is_known_and_only_there():
    assert "$" not in shown("en")
    priced = shown("en", machine_usd_per_hour=0.4, usd_all=0.8, budget_usd=2.0, arms=[arm("a", usd=0.0013)])
    assert "$0.0013" in priced
    assert "($0.80)" in priced
    assert "the tighter of the time and $2.00" in flat(priced)


def test_what_is_not_known_is_not_zero():
    unknown = arm("a", fit_seconds=None, dev_seconds=None, seconds=None)
    told = shown("en", arms=[unknown], seconds_all=None)
    assert told.count("unknown") == 3
    assert "How fast services answer" in told


def test_sizes_and_warnings_are_shown():
    text = flat(shown("en", arms=[arm("a", sizes=[250, 500, 1000])], warnings=[Text(en="mind the gap", zh="小心")]))
    assert "training rows: 250, 500, 1,000" in text
    assert "Before you start • Mind the gap" in text


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_eighty_columns_are_enough(lang):
    long = arm("x" * 60, prospect="no_time", why=LATE, sizes=[31, 62, 125, 250, 500, 1000], seconds=100_000.0, usd=12.5)
    text = shown(lang, columns=80, arms=[long], machine_usd_per_hour=1.0, usd_all=10.0)
    assert max(width(line) for line in text.splitlines()) <= 80


def test_names_from_files_cannot_disturb_the_terminal():
    text = shown("en", task="[red]task\x1b[31m", arms=[arm("[bold]")])
    assert "\x1b" not in text
    assert "[red]task" in text
    assert "[bold]" in text
