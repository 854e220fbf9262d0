"""The dated table, and tables of users."""

from __future__ import annotations

from datetime import date

import pytest

from tuneworth.costs.table import own_table, read_table
from tuneworth.errors import InputError

TODAY = date(2026, 12, 1)


def test_every_entry_of_ours_has_a_source_and_the_day_it_was_read():
    table = own_table(TODAY)
    assert len(table.figures) > 15
    for each in (*table.figures.values(), *table.ends.values()):
        assert each.source.startswith("https://")
        assert each.read_on is not None
        assert each.read_on <= TODAY


def test_what_was_read_long_ago_is_named_and_holds():
    table = own_table(TODAY)
    a100, rate = table.of("machine.gpu-a100-80gb", "usd/hour"), table.of("cny_per_usd", "cny/usd")
    assert table.stale(a100, rate) == [rate]
    assert table.cny_per_usd == pytest.approx(7.9989 / 1.1761, abs=5e-5)
    assert own_table(date(2027, 4, 1)).stale(a100) == [a100]


def test_the_end_of_a_model_and_of_those_tuned_from_it():
    table = own_table(TODAY)
    assert table.end_of("openai/gpt-4.1-2025-04-14").day == date(2027, 1, 14)
    assert table.end_of("openai/ft:gpt-4.1-2025-04-14:mine::7") == table.end_of("openai/gpt-4.1-2025-04-14")
    assert table.end_of("openai/gpt-6-luna") is None
    assert table.months_until(date(2027, 1, 14)) == pytest.approx(44 / (365 / 12))
    assert table.months_until(date(2026, 1, 1)) == 0


def test_a_stated_table_comes_first_and_what_is_over_is_unknown():
    mine = read_table(
        """
figures:
  cny_per_usd: {value: 7, unit: cny/usd}
  machine.gpu-a100-80gb: {value: ¥14/h, unit: usd/hour, where: ours}
  wage: {value: $40-80, unit: usd/hour}
  rebate: {low: 0.1, high: 0.2, unit: share, valid_until: 2026-11-30}
""",
        "mine.yaml",
        TODAY,
    )
    table = own_table(TODAY).stated(mine)
    assert table.of("machine.gpu-a100-80gb", "usd/hour").middle == 2
    assert table.of("wage", "usd/hour").middle == 60
    assert table.of("rebate", "share").middle is None
    assert table.of("wage", "usd/label").middle is table.of("nothing", "share").middle is None
    assert table.of("machine.gpu-a6000-48gb", "usd/hour").middle == pytest.approx(0.615)


def test_all_that_is_wrong_is_told_by_line():
    text = """figures:
  a: {value: -1, unit: usd/hour}
  b: {value: 1, unit: dollars}
  c: {low: 1, unit: share}
  d: {value: 1, unit: share, read_on: soon}
  e: 5
  f: {value: 1, unit: share, price: 2}
ends:
  x/y: {source: 3}
prices: {}
"""
    with pytest.raises(InputError) as caught:
        read_table(text, "mine.yaml", TODAY)
    lines = sorted(int(problem.where.split(":")[1].split()[0]) for problem in caught.value.problems)
    assert lines == [2, 3, 4, 5, 6, 7, 9, 9, 10]


def test_code_in_a_table_is_not_run(tmp_path):
    code = f"figures:\n  a: !!python/object/apply:os.system ['touch {tmp_path / 'x'}']\n"
    with pytest.raises(InputError, match="asks to build an object"):
        read_table(code, "mine.yaml", TODAY)
    assert not (tmp_path / "x").exists()
