"""A finished run with something of everything: finalists, yardsticks, failures, two languages, evil strings."""

from __future__ import annotations

from typing import Any

from tuneworth.core.advice import Advice, FiredRule, RankedApproach, SelfTest
from tuneworth.core.run import (
    ArmCost,
    ArmResult,
    ClassRow,
    Comparison,
    Counts,
    DataSummary,
    Decision,
    Interval,
    Provenance,
    RowView,
    RunResult,
    Score,
    SeedFinding,
)
from tuneworth.core.task import Limits, Task
from tuneworth.core.text import Text

DOUBT = Text(en="`passage` is not read, and it matters.", zh="`passage` 没有被读取，但它有影响。")
EVIL = '</script><script>alert("x")</script><img src=x onerror=alert(1)>'
EVIL_ATTRIBUTE = "\" onmouseover=alert(2) x='"
EVIL_PLOTLY = '<a href="https://evil.example/">click</a> %{x} $x$'
EVIL_TERMINAL = "[red]not red[/red] \x1b[31mesc\x1b[0m \u202ereversed"
EVIL_TEMPLATE = "{{ 7 * 7 }} {% raw %}"


def score(value: float, half: float, n_rows: int) -> Score:
    return Score(value=value, interval=Interval(low=max(0.0, value - half), high=min(1.0, value + half)), n_rows=n_rows)


def arm(arm_id: str, en: str, zh: str, dev: float, test: float | None, ms: float, **extra: Any) -> ArmResult:
    strategy = extra.pop("strategy", arm_id.partition(":")[0])
    model = extra.pop("model", "smollm2-135m")
    defaults: dict[str, Any] = {
        "config": {"k": 4},
        "effort": 1,
        "cost": ArmCost(
            fit_seconds=extra.pop("fit_seconds", 0.0),
            seconds_per_1k_rows=ms,
            latency_p50_ms=ms * 1.6,
            latency_p95_ms=ms * 2.4,
            prompt_tokens_per_row=412.3 if model else None,
            cached_tokens_per_row=371.0 if model else None,
            completion_tokens_per_row=3.2 if model else None,
        ),
        "dev": {"accuracy": score(dev, 0.05, 200), "macro_f1": score(dev - 0.03, 0.06, 200)},
        "dev_counts": Counts(scored=200),
    }
    if test is not None:
        defaults |= {
            "finalist": True,
            "test": {"accuracy": score(test, 0.042, 300), "macro_f1": score(test - 0.03, 0.05, 300)},
            "test_counts": Counts(scored=300),
        }
    return ArmResult(
        arm_id=arm_id,
        strategy=strategy,
        model=model,
        title=Text(en=en, zh=zh),
        state="measured",
        **(defaults | extra),
    )


def make_arms() -> list[ArmResult]:
    return [
        arm(
            "majority", "most frequent answer", "最常见的答案", 0.064, None, 0.002, model=None, yardstick=True, effort=0
        ),
        arm(
            "nearest",
            "answer of the nearest row",
            "照抄最相似的一条",
            0.71,
            None,
            6.1,
            model=None,
            yardstick=True,
            effort=0,
        ),
        arm("prompt:a1", "prompt, constrained", "提示词（约束输出）", 0.402, None, 61.0),
        arm("prompt:a2", "prompt, free", "提示词（自由输出）", 0.213, None, 88.0),
        arm(
            "fewshot:b1",
            "few-shot, 16 nearest",
            "少样本（16 条，最近邻）",
            0.744,
            0.737,
            143.0,
            effort=2,
            test_counts=Counts(scored=297, failed=2, over_limit=1),
        ),
        arm("fewshot:b2", "few-shot, 4 balanced", "少样本（4 条，按类别均衡）", 0.51, None, 97.0, effort=2),
        arm(
            "head:c1",
            "head on MiniLM embeddings",
            "MiniLM 向量 + 分类头",
            0.871,
            0.863,
            5.4,
            model=None,
            effort=4,
            fit_seconds=8.3,
        ),
        arm(
            "lora:d1",
            "LoRA, rank 16",
            "LoRA（秩 16）",
            0.868,
            0.857,
            52.0,
            tuned=True,
            effort=5,
            fit_seconds=284.0,
            notes=[
                Text(
                    en="Training stopped early: dev loss had not improved for two checks.",
                    zh="训练提前停止：开发集损失连续两次检查没有下降。",
                )
            ],
            fit_details={"steps": 240, "best_step": 200, "loss": float("nan")},
        ),
        ArmResult(
            arm_id="lora:full",
            strategy="lora",
            model="smollm2-135m",
            config={},
            title=Text(en="full fine-tuning", zh="全参数微调"),
            effort=6,
            tuned=True,
            state="skipped",
            why=Text(en="The budget left no time for it.", zh="预算的时间不够。"),
        ),
        ArmResult(
            arm_id="prompt:x",
            strategy="prompt",
            model=f"models/{EVIL}",
            config={},
            title=Text(en=f"prompt {EVIL}", zh=f"提示词 {EVIL}"),
            effort=1,
            state="failed",
            why=Text(en=f"The model folder is damaged: {EVIL}", zh=f"模型文件夹已损坏：{EVIL}"),
        ),
    ]


def comparison(a: str, b: str, difference: float, low: float, high: float, answer: Any, **extra: Any) -> Comparison:
    values: dict[str, Any] = {
        "metric": "accuracy",
        "method": "mcnemar_exact",
        "p_value": 0.31,
        "p_adjusted": 0.62,
        "n_rows": 297,
        "wins": 21,
        "losses": 17,
        "ties": 259,
        "margin": 0.02,
    }
    return Comparison(
        a=a, b=b, difference=difference, interval=Interval(low=low, high=high), answer=answer, **(values | extra)
    )


def make_rows() -> list[RowView]:
    plain = [
        ("My card payment was taken twice, can you give one back?", "transaction_charged_twice", "card_payment_fee"),
        ("我的卡被机器吞了，怎么办？", "card_swallowed", "lost_or_stolen_card"),
        ("Why is my top-up still pending after an hour", "pending_top_up", "top_up_failed"),
        ("How do I change the PIN when I am abroad?", "change_pin", "pin_blocked"),
        (f"Please help {EVIL}", "transaction_charged_twice", EVIL),
        (f"{EVIL_TERMINAL} {EVIL_TEMPLATE}", "change_pin", EVIL_ATTRIBUTE),
        ("长文本 " * 900, "pending_top_up", "change_pin"),
        ("When will my new card get here?", "card_arrival", "card_delivery_estimate"),
    ]
    return [
        RowView(
            row_id=f"r{index}",
            source=f"train.jsonl:{100 + index}",
            text=text,
            reference=reference,
            answers={"head:c1": reference, "lora:d1": wrong, "fewshot:b1": None if index % 3 == 0 else wrong},
            scores={"head:c1": 1.0, "lora:d1": 0.0, "fewshot:b1": None if index % 3 == 0 else 0.4},
        )
        for index, (text, reference, wrong) in enumerate(plain)
    ]


def make_classes() -> list[ClassRow]:
    names = ["card_swallowed", "pending_top_up", "change_pin", "卡片丢失", EVIL, EVIL_ATTRIBUTE, "card_arrival"]
    names += [f"topic_{index}" for index in range(11)]
    return [
        ClassRow(
            label=name,
            n_rows=9 + index,
            recall={
                "head:c1": min(1.0, 0.35 + 0.05 * index),
                "lora:d1": min(1.0, 0.3 + 0.06 * index),
                "fewshot:b1": min(1.0, 0.2 + 0.045 * index),
            },
        )
        for index, name in enumerate(names)
    ]


def make_decision(**changes: Any) -> Decision:
    values: dict[str, Any] = {
        "verdict": "dont_fine_tune",
        "recommended": "head:c1",
        "runner_up": "lora:d1",
        "headline": Text(
            en="A head on MiniLM embeddings is as good as LoRA here, answers ten times faster, and needs no trained language model.",
            zh="在这个任务上，MiniLM 向量加分类头与 LoRA 一样好，速度快十倍，而且不需要训练语言模型。",
        ),
        "reasons": [
            Text(
                en="The head is ahead of few-shot prompting by 12.6 points on the same 297 rows.",
                zh="在同样的 297 条测试数据上，分类头比少样本提示高 12.6 个百分点。",
            ),
            Text(
                en="LoRA is within the margin of the head, and the simpler arm wins ties.",
                zh="LoRA 与分类头的差距在界限之内，得分相当时取更简单的方案。",
            ),
        ],
        "would_change": [
            Text(
                en="A margin below 1 point: then about 2,400 test rows would be needed.",
                zh="如果界限小于 1 个百分点，则需要约 2,400 条测试数据。",
            ),
            Text(
                en="A task that needs written answers: a head can only choose labels.",
                zh="如果任务需要生成文字：分类头只能选标签。",
            ),
        ],
        "seed_rows": [
            SeedFinding(
                row="Y1",
                finding="overturned",
                why=Text(
                    en="A structured task, but tuning did not raise accuracy over the head.",
                    zh="任务结构清晰，但微调的准确率没有超过分类头。",
                ),
            ),
            SeedFinding(
                row="Q1",
                finding="open",
                why=Text(
                    en="2,000 rows: fewer than the 5,000 the rule asks for.",
                    zh="只有 2,000 条数据，不到该法则要求的 5,000 条。",
                ),
            ),
            SeedFinding(
                row="N3",
                finding="confirmed",
                why=Text(
                    en="Constrained output gave the format without tuning.", zh="约束输出不需要微调就保证了格式。"
                ),
            ),
        ],
    }
    return Decision(**(values | changes))


def make_advice(**changes: Any) -> Advice:
    def rule(name: str, row: str, stance: Any, en: str, zh: str) -> FiredRule:
        return FiredRule(
            id=name, seed_rows=[row], stance=stance, weight=1, recommends=["head"], reason=Text(en=en, zh=zh), facts=[]
        )

    values: dict[str, Any] = {
        "headline": Text(en="Try a classifier first.", zh="先试分类头。"),
        "expected": "head",
        "facts": [],
        "self_test": SelfTest(answers=[], yes=1, unknown=4, threshold=3),
        "rules": [
            rule("format-only", "N3", "against", "A format needs no tuning.", "只为格式不必微调。"),
            rule("structured", "Y1", "for", f"Structured work gains. {EVIL}", f"结构化任务有收益。{EVIL}"),
            rule("often", "Y4", "for", "Many calls.", "调用很多。"),
        ],
        "contradictions": [],
        "ranking": [
            RankedApproach(
                approach="head",
                title=Text(en="classifier on embeddings", zh="向量加分类头"),
                score=2,
                rules_for=["format-only"],
                rules_against=[],
            ),
            RankedApproach(
                approach="lora", title=Text(en="LoRA", zh="LoRA 微调"), score=1, rules_for=[], rules_against=[]
            ),
        ],
        "costs": [],
        "pros_cons": [],
        "missing": [],
        "path": [],
        "task_yaml": "",
    }
    return Advice(**(values | changes))


def make_data() -> DataSummary:
    return DataSummary(
        files={"train.jsonl": "9f2c" * 16, "测试.csv": "aa11" * 16},
        n_read=2531,
        n_rejected=7,
        n_groups=2204,
        n_leaks=24,
        n_train=2000,
        n_dev=200,
        n_test=300,
        split_digest="c0de" * 16,
        inferred=[
            Text(
                en="Kind: label, because 77 different outputs cover 2,524 rows.",
                zh="输出类型为分类标签：2,524 条数据中只有 77 种不同的输出。",
            ),
            Text(en="Metric: accuracy, because the kind is label.", zh="指标为准确率：因为输出是分类标签。"),
        ],
        warnings=[
            Text(
                en="24 rows of your test file repeat training rows and were left out.",
                zh="测试文件中有 24 条数据与训练数据重复，已排除。",
            ),
            DOUBT,
        ],
        doubts=[DOUBT],
    )


def make_provenance() -> Provenance:
    return Provenance(
        version="0.1.0",
        git=None,
        created="2026-03-14T09:26:53+00:00",
        command=f"tuneworth run train.jsonl {EVIL_ATTRIBUTE}",
        seed=17,
        machine={
            "processor": "Example CPU @ 2.0 GHz",
            "cores": 2,
            "memory_gb": 23.4,
            "system": "Linux",
            "python": "3.12.1",
            "gpu": None,
        },
        libraries={"numpy": "2.4.0", "torch": "2.13.0"},
        models={
            "smollm2-135m": {
                "source": "package registry",
                "sha256": "beef" * 16,
                "dtype": "float32",
                "attention": "sdpa",
                "probe": {"float32": 1234.5, "bfloat16": float("nan")},
            },
            "minilm": {"source": EVIL},
        },
    )


def make_result(**changes: Any) -> RunResult:
    values: dict[str, Any] = {
        "run_id": "20260314-bank",
        "task": Task(
            name=f"bank questions 银行问题 {EVIL_TEMPLATE}",
            instruction="Say what the customer wants.",
            kind="label",
            labels=("card_swallowed", "pending_top_up"),
            metric="accuracy",
            limits=Limits(private=True, p95_ms=250, min_quality=0.8),
        ),
        "data": make_data(),
        "advice": make_advice(),
        "metrics": ["accuracy", "macro_f1", "my_metrics.py:tone"],
        "primary_metric": "accuracy",
        "arms": make_arms(),
        "comparisons": [
            comparison("head:c1", "lora:d1", 0.006, -0.013, 0.0172, "equivalent"),
            comparison("head:c1", "fewshot:b1", 0.126, 0.081, 0.169, "better", p_adjusted=0.0000004),
            comparison("lora:d1", "fewshot:b1", 0.12, -0.004, 0.21, "cant_tell", rows_needed=820),
        ],
        "decision": make_decision(),
        "disagreements": make_rows(),
        "classes": make_classes(),
        "wall_seconds": 754.2,
        "peak_memory_mb": 2310.0,
        "provenance": make_provenance(),
    }
    return RunResult(**(values | changes))
