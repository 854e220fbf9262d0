"""The words for facts: what each is called and how its value reads, in both languages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tuneworth.advisor.breakeven import break_even_calls_per_day
from tuneworth.core.text import Text

TITLES: dict[str, Text] = {
    "scenario": Text("the task", "任务类型"),
    "output_kind": Text("kind of output", "输出类型"),
    "clear_structure": Text("clear structure of inputs and outputs", "输入输出结构是否清楚"),
    "distinct_style": Text("one particular voice", "是否要求特定的语气或文风"),
    "specialised_domain": Text("specialised domain", "是否属于专业领域"),
    "repetitive": Text("same structure over and over", "结构是否反复雷同"),
    "prompt_suffices": Text("a prompt is enough for format and tone", "提示词是否足以稳定格式和语气"),
    "total_rows": Text("labelled rows", "标注数据量"),
    "quality_rows": Text("good labelled rows", "合格标注数据量"),
    "label_price_usd": Text("price of one more labelled row", "每条标注的价格"),
    "needs_documents": Text("answers depend on own documents", "回答是否依赖自有文档"),
    "knowledge_changes": Text("how often the knowledge changes", "知识更新频率"),
    "behaviour_changes": Text("how often the wanted behaviour changes", "行为要求的变动频率"),
    "calls_per_day": Text("calls a day", "日调用量"),
    "p95_target_ms": Text("95 % of answers within", "P95 延迟目标"),
    "concurrency": Text("requests at the same time", "并发数"),
    "cost_sensitive": Text("the price of a call is decisive", "是否对单次调用成本敏感"),
    "private": Text("rows must stay on own machines", "数据是否禁止外传"),
    "local_deployment": Text("must run on premises or in a private cloud", "是否必须本地或私有云部署"),
    "skills": Text("experience with training", "训练经验"),
    "hardware": Text("hardware", "硬件"),
    "api_usd_per_1k_calls": Text("price of 1,000 API calls", "每千次 API 调用的价格"),
    "machine_usd_per_hour": Text("price of own machine", "自有机器的价格"),
    "noise_rate": Text("share of wrong labels", "标注错误率"),
    "duplicate_share": Text("share of repeated rows", "重复数据占比"),
    "format_regularity": Text("outputs that keep the usual format", "输出格式一致的比例"),
    "style_consistency": Text("how much the outputs sound like one voice", "输出文风的一致程度"),
    "answer_novelty": Text("names and numbers not in the input", "答案中不见于输入的名称和数字占比"),
    "documents_cover": Text("of those, found in the documents", "其中能在文档里查到的比例"),
    "measured_gain": Text("measured gain of tuning", "实测的微调增益"),
    "measured_gain_low": Text("measured gain of tuning, lower end", "实测微调增益的区间下限"),
    "measured_gain_high": Text("measured gain of tuning, upper end", "实测微调增益的区间上限"),
    "retrieval_recall": Text("questions whose passage retrieval finds", "检索命中率"),
}
"""Fact name → its title: a noun phrase, lower case in English."""

QUESTIONS: dict[str, Text] = {
    "scenario": Text("What is the task mostly?", "任务主要属于哪一类？"),
    "output_kind": Text("What kind of output is wanted?", "需要哪种输出？"),
    "clear_structure": Text("Do inputs and outputs have a clear structure?", "输入和输出的结构是否清楚？"),
    "distinct_style": Text("Must answers sound like one particular voice?", "回答是否必须符合某种特定的语气或文风？"),
    "specialised_domain": Text(
        "Does the task need specialised knowledge or language (medicine, law, …)?",
        "任务是否需要专业知识或行话（医疗、法律等）？",
    ),
    "repetitive": Text("Does the task repeat the same structure over and over?", "任务是否反复处理同样的结构？"),
    "prompt_suffices": Text(
        "Does a prompt reliably give the format and tone you need?", "只用提示词，能否稳定得到需要的格式和语气？"
    ),
    "total_rows": Text("How many labelled rows are there?", "一共有多少条标注数据？"),
    "quality_rows": Text(
        "How many labelled rows are good: no repeats, no conflicts, right labels?",
        "去掉重复、矛盾和标错的，合格的标注数据有多少条？",
    ),
    "label_price_usd": Text("What does one more labelled row cost, in US dollars?", "多标注一条要花多少美元？"),
    "needs_documents": Text("Do answers depend on documents of your own?", "回答是否依赖自有文档？"),
    "knowledge_changes": Text("How often do the facts behind the answers change?", "回答所依据的知识多久变一次？"),
    "behaviour_changes": Text(
        "How often does the wanted behaviour (format, tone, labels) change?",
        "对模型行为的要求（格式、语气、标签）多久变一次？",
    ),
    "calls_per_day": Text("How many calls are there on a usual day?", "平常一天有多少次调用？"),
    "p95_target_ms": Text(
        "Within how many milliseconds must 95 % of answers be there?", "P95 延迟要控制在多少毫秒以内？"
    ),
    "concurrency": Text("How many requests come at the same time?", "同时会有多少个请求？"),
    "cost_sensitive": Text(
        "Does the price of a call decide whether it is made?", "单次调用的价格是否决定产品做不做得成？"
    ),
    "private": Text("Must rows stay on your own machines?", "数据是否不得离开自己的机器？"),
    "local_deployment": Text("Must it run on premises or in a private cloud?", "是否必须部署在本地或私有云？"),
    "skills": Text("How much experience is there with training models?", "团队有多少模型训练经验？"),
    "hardware": Text("What hardware is there to train and serve on?", "有什么机器可用于训练和部署？"),
    "api_usd_per_1k_calls": Text("What do 1,000 API calls cost, in US dollars?", "每千次 API 调用要花多少美元？"),
    "machine_usd_per_hour": Text(
        "What does a machine of your own cost an hour, in US dollars?", "自有机器每小时多少美元？"
    ),
    "noise_rate": Text("What share of the labels is wrong?", "标注错误占多大比例？"),
    "duplicate_share": Text("What share of the rows are repeats?", "重复数据占多大比例？"),
    "format_regularity": Text("What share of the outputs keeps the usual format?", "格式一致的输出占多大比例？"),
    "style_consistency": Text("How much do the outputs sound like one voice?", "输出的文风有多统一？"),
    "answer_novelty": Text(
        "What share of names and numbers in the answers is not in the input?",
        "答案里的名称和数字，有多大比例不见于输入？",
    ),
    "documents_cover": Text("What share of those do the documents have?", "其中有多大比例能在文档里查到？"),
    "measured_gain": Text("How much does tuning gain, measured on your rows?", "用自己的数据实测，微调能提升多少？"),
    "measured_gain_low": Text("What is the lower end of the measured gain?", "实测增益的区间下限是多少？"),
    "measured_gain_high": Text("What is the upper end of the measured gain?", "实测增益的区间上限是多少？"),
    "retrieval_recall": Text(
        "For what share of questions does retrieval find the passage?", "有多大比例的问题能检索到对应段落？"
    ),
}
"""Fact name → how one asks for it."""

_PACE = {
    "never": Text("never", "从不"),
    "yearly": Text("about once a year", "大约每年一次"),
    "monthly": Text("about once a month", "大约每月一次"),
    "weekly": Text("about once a week", "大约每周一次"),
    "daily": Text("every day", "每天都变"),
}

VALUES: dict[str, dict[str, Text]] = {
    "scenario": {
        "general_chat": Text("general chat or questions", "通用问答、闲聊"),
        "knowledge_qa": Text("questions about own documents", "企业知识问答"),
        "structured_output": Text("output in a fixed format", "固定格式输出"),
        "classification": Text("classification", "分类"),
        "style": Text("writing in one voice", "文风模仿"),
        "specialised": Text("specialised professional work", "专业领域任务"),
        "repetitive": Text("the same kind of text over and over", "高频重复生成"),
        "other": Text("something else", "其他"),
    },
    "output_kind": {
        "label": Text("one of a fixed set of labels", "固定标签之一"),
        "choice": Text("one of the choices in each row", "在每行给出的选项中选择"),
        "json": Text("JSON", "JSON"),
        "text": Text("free text", "自由文本"),
    },
    "knowledge_changes": _PACE,
    "behaviour_changes": _PACE,
    "skills": {
        "none": Text("none", "没有"),
        "some": Text("some", "有一些"),
        "team": Text("a team that has done it", "有成熟的训练团队"),
    },
    "hardware": {
        "none": Text("none of one's own", "没有自有机器"),
        "cpu": Text("CPU only", "只有 CPU"),
        "gpu": Text("a GPU", "有一块 GPU"),
        "cluster": Text("several GPUs", "多卡或集群"),
    },
}
"""Fact name → value → how it reads, for facts with a fixed set of values."""

_SHARES = {
    "noise_rate",
    "duplicate_share",
    "format_regularity",
    "style_consistency",
    "answer_novelty",
    "documents_cover",
    "retrieval_recall",
}
_GAINS = {"measured_gain", "measured_gain_low", "measured_gain_high"}
_MONEY = ("_usd", "_usd_per_1k_calls", "_usd_per_hour")
_UNITS = {
    "total_rows": Text("{} rows", "{} 条"),
    "quality_rows": Text("{} rows", "{} 条"),
    "label_price_usd": Text("${} a row", "每条 {} 美元"),
    "calls_per_day": Text("{} a day", "每天 {} 次"),
    "p95_target_ms": Text("{} ms", "{} ms"),
    "concurrency": Text("{}", "{}"),
    "api_usd_per_1k_calls": Text("${} per 1,000 calls", "每千次 {} 美元"),
    "machine_usd_per_hour": Text("${} an hour", "每小时 {} 美元"),
}


def number(value: float) -> str:
    """``value`` with thousands separators: ``12,000``, ``2.5``, ``0.05``; large ones without decimals."""
    if abs(value) >= 100 or math.isclose(value, round(value), abs_tol=1e-12):
        return f"{round(value):,}"
    return f"{value:.3g}"


def money(value: float) -> str:
    """An amount without its currency: ``12,000``, ``2.50``, ``0.40``, ``0.002``."""
    if math.isclose(value, round(value), abs_tol=1e-9) or abs(value) >= 1_000:
        return f"{round(value):,}"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


def show(name: str, value: Any) -> Text:
    """How the value of fact ``name`` reads; ``None`` reads "not known".

    Raises:
        KeyError: there is no such fact, or it has no such value.
    """
    title = TITLES[name]
    if value is None:
        return Text("not known", "未知")
    if isinstance(value, bool):
        return Text("yes", "是") if value else Text("no", "否")
    if name in VALUES:
        return VALUES[name][value]
    if name in _SHARES:
        return Text(f"{100 * value:.1f} %", f"{100 * value:.1f}%")
    if name in _GAINS:
        return Text(f"{100 * value:+.1f} points", f"{100 * value:+.1f} 个百分点")
    unit = _UNITS.get(name)
    if unit is None:
        raise KeyError(f"{title.en}: no words for {value!r}")
    said = money(value) if name.endswith(_MONEY) else number(value)
    en = unit.en.removesuffix("s") if unit.en.endswith("rows") and value == 1 else unit.en
    return Text(en.format(said), unit.zh.format(said))


def gain_interval(values: Mapping[str, Any]) -> Text:
    """``+1.0 to +3.5 points``: the interval of the measured gain, "not known" without both ends."""
    low, high = values.get("measured_gain_low"), values.get("measured_gain_high")
    if low is None or high is None:
        return show("measured_gain", None)
    return Text(f"{100 * low:+.1f} to {100 * high:+.1f} points", f"{100 * low:+.1f} 至 {100 * high:+.1f} 个百分点")


def break_even(values: Mapping[str, Any]) -> Text:
    """``3,200``: calls a day from which one's own machine is cheaper, "not known" without both prices."""
    calls = break_even_calls_per_day(values)
    return show("calls_per_day", None) if calls is None else Text(number(calls), number(calls))


def fill(text: Text, values: Mapping[str, Any]) -> Text:
    """``text`` with every ``{fact}``, ``{gain_interval}`` and ``{break_even}`` replaced by how its value reads.

    Raises:
        KeyError: a name in braces is none of these.
    """
    shown = {name: show(name, values.get(name)) for name in TITLES if f"{{{name}}}" in text.en + text.zh}
    shown |= {"gain_interval": gain_interval(values), "break_even": break_even(values)}
    return Text(
        text.en.format_map({name: said.en for name, said in shown.items()}),
        text.zh.format_map({name: said.zh for name, said in shown.items()}),
    )
