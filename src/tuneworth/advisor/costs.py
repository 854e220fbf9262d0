"""The cost table C1 … C6 for a situation: numbers where the facts give them, words where they do not.

    rows missing              = rows needed − good rows
    money for rows            = rows missing · price of a row
    API, a month              = 30 · calls a day · price of 1,000 calls / 1,000
    own machine, a month      = 30 · 24 h · price of an hour, always on, whatever the volume

The rows needed are the article's rule of thumb. That one machine carries the load is not known before it is
measured. A price that is not known stays unknown; it is never zero.
"""

from __future__ import annotations

from typing import Any

from tuneworth.advisor.approaches import ruled_out
from tuneworth.advisor.breakeven import HOURS_PER_DAY, break_even_calls_per_day, stays_home
from tuneworth.advisor.conditions import Values
from tuneworth.advisor.words import VALUES, money, number
from tuneworth.core.advice import Choice, CostCell
from tuneworth.core.text import Text

DAYS_PER_MONTH = 30
ROWS_NEEDED: dict[Choice, int] = {"prompt": 50, "small_model": 1_000, "provider": 10_000}
"""C1: tens of rows (upper end), thousands and tens of thousands (lower ends)."""
COST_ROWS = ("C1", "C2", "C3", "C4", "C5", "C6")
UPDATES_PER_YEAR = {"never": 0, "yearly": 1, "monthly": 12, "weekly": 52, "daily": 365}

_USD = Text("USD", "美元")
_USD_PER_MONTH = Text("USD a month", "美元/月")
_CHOICES: tuple[Choice, ...] = ("prompt", "small_model", "provider")


def cost_table(values: Values) -> list[CostCell]:
    """All eighteen cells, row by row."""
    no_provider = ruled_out(values).get("provider_ft") if stays_home(values) else None
    cells: list[CostCell] = []
    for row, cell in zip(COST_ROWS, (_rows, _skill, _training, _calls, _control, _updates)):
        for choice in _CHOICES:
            impossible = no_provider if choice == "provider" else None
            text, amount, unit = (impossible, None, None) if impossible else cell(choice, values)
            cells.append(CostCell(row=row, choice=choice, text=text, number=amount, unit=unit))
    return cells


_Cell = tuple[Text, float | None, Text | None]


def _rows(choice: Choice, values: Values) -> _Cell:
    """C1: how many rows are missing, and what they would cost."""
    needed = ROWS_NEEDED[choice]
    en = "10 to 50 rows" if choice == "prompt" else f"About {needed:,} rows or more"
    zh = "10～50 条" if choice == "prompt" else f"约 {needed:,} 条以上"
    have = values.get("quality_rows")
    if have is None:
        have = values.get("total_rows")
    if have is None:
        return Text(f"{en}. How many there are is not known.", f"{zh}；现有多少条未知。"), None, None
    missing, price = max(0, needed - have), values.get("label_price_usd")
    if not missing:
        return (
            Text(f"{en}; {have:,} are there.", f"{zh}；现有 {have:,} 条，够用。"),
            0.0,
            Text("rows missing", "条缺口"),
        )
    if price is None:
        text = Text(
            f"{en}; {missing:,} are missing, at an unknown price.", f"{zh}；还缺 {missing:,} 条，标注单价未知。"
        )
        return text, float(missing), Text("rows missing", "条缺口")
    total = missing * price
    text = Text(
        f"{en}; {missing:,} are missing: ${money(total)} at ${money(price)} each.",
        f"{zh}；还缺 {missing:,} 条，每条 {money(price)} 美元，共 {money(total)} 美元。",
    )
    return text, total, _USD


def _skill(choice: Choice, values: Values) -> _Cell:
    """C2, held against the skills there are."""
    wanted = {
        "prompt": Text("Low: writing prompts.", "低：会写提示词即可。"),
        "small_model": Text("Medium: a training pipeline and its checks.", "中：要会搭训练流程并做验收。"),
        "provider": Text(
            "High: the provider's interface, data rules and settings.", "高：要熟悉厂商接口、数据规范和参数。"
        ),
    }[choice]
    skills = values.get("skills")
    if choice == "prompt" or skills is None:
        return wanted, None, None
    there = VALUES["skills"][skills]
    return Text(f"{wanted.en} At hand: {there.en}.", f"{wanted.zh}现有经验：{there.zh}。"), None, None


def _training(choice: Choice, values: Values) -> _Cell:
    """C3: nothing, the hours of a machine, or a price that only the provider knows."""
    if choice == "prompt":
        return Text("Nothing to train.", "无需训练。"), 0.0, _USD
    if choice == "provider":
        text = Text(
            "Unknown: the provider's price for your tokens. By reputation high.",
            "未知：按厂商的 token 单价计算，通常不低。",
        )
        return text, None, None
    price = values.get("machine_usd_per_hour")
    if price is None:
        text = Text("Unknown: the price of the machine is not given.", "未知：没有给出机器的价格。")
        return text, None, None
    text = Text(
        f"${money(price)} for each hour of training; a run measures the hours.",
        f"每训练一小时 {money(price)} 美元，具体时长由实测给出。",
    )
    return text, price, Text("USD an hour of training", "美元/训练小时")


def _calls(choice: Choice, values: Values) -> _Cell:
    """C4, a month. What must run on one's own machines costs the machine, trained or not."""
    if choice == "provider":
        text = Text(
            "Unknown: a tuned model at a provider has its own price per call.", "未知：厂商对微调后的模型另行定价。"
        )
        return text, None, None
    return _machine(values) if choice == "small_model" or stays_home(values) else _api(values)


def _api(values: Values) -> _Cell:
    calls, price = values.get("calls_per_day"), values.get("api_usd_per_1k_calls")
    if price is None:
        text = Text("Unknown: the price of an API call is not given.", "未知：没有给出 API 的价格。")
        return text, None, None
    if calls is None:
        text = Text(
            f"${money(price)} per 1,000 calls; the volume is not known.",
            f"每千次 {money(price)} 美元；调用量未知。",
        )
        return text, price, Text("USD per 1,000 calls", "美元/千次")
    month = DAYS_PER_MONTH * calls * price / 1_000
    text = Text(
        f"${money(month)} a month for {number(calls)} calls a day.",
        f"每天 {number(calls)} 次调用，每月 {money(month)} 美元。",
    )
    return text, month, _USD_PER_MONTH


def _machine(values: Values) -> _Cell:
    price = values.get("machine_usd_per_hour")
    if price is None:
        text = Text("Unknown: the price of the machine is not given.", "未知：没有给出机器的价格。")
        return text, None, None
    month = DAYS_PER_MONTH * HOURS_PER_DAY * price
    en = f"${money(month)} a month for one machine that is always on, if it carries the load."
    zh = f"一台机器常开，每月 {money(month)} 美元（前提是单机扛得住）。"
    break_even = break_even_calls_per_day(values)
    if break_even is not None:
        en += f" Less than the API from {number(break_even)} calls a day."
        zh += f"日调用量超过 {number(break_even)} 次就比 API 便宜。"
    return Text(en, zh), month, _USD_PER_MONTH


def _control(choice: Choice, values: Values) -> _Cell:
    """C5. The article leaves the cell of the small model blank."""
    del values
    text = {
        "prompt": Text("Fair: instructions and examples, nothing deeper.", "一般：只能靠指令和示例。"),
        "small_model": Text(
            "High: weights, decoding and versions are yours. (Our judgement; the article leaves this cell blank.)",
            "高：权重、解码、版本都由自己掌握。（原文此格空白，这是 tuneworth 的判断。）",
        ),
        "provider": Text(
            "Medium: the provider decides which models, which settings and how long.",
            "中：能调哪些模型、哪些参数、可用多久，都由厂商决定。",
        ),
    }[choice]
    return text, None, None


def _updates(choice: Choice, values: Values) -> _Cell:
    """C6, with how often behaviour has to change."""
    pace: Any = values.get("behaviour_changes")
    each = {
        "prompt": Text("Edited and live at once.", "随改随生效。"),
        "small_model": Text("A new training and a new check for each update.", "每次更新都要重新训练和验收。"),
        "provider": Text(
            "A new job at the provider for each update, within its limits.",
            "每次更新都要在厂商侧重新提交任务，受其配额限制。",
        ),
    }[choice]
    if pace is None:
        return each, None, None
    times = UPDATES_PER_YEAR[pace]
    text = Text(f"{each.en} About {times} a year here.", f"{each.zh}按目前频率，每年约 {times} 次。")
    return text, float(times), Text("updates a year", "次更新/年")
