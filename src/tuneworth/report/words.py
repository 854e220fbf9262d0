"""The words of a report in both languages.

``LABELS`` are headings and column names; the other tables turn the codes of ``core.run`` into words.
"""

from __future__ import annotations

from collections.abc import Mapping

from tuneworth.core.metricnames import METRICS as METRICS
from tuneworth.core.text import Lang, Text

VERDICTS: dict[str, Text] = {
    "fine_tune": Text(en="Fine-tune", zh="值得微调"),
    "dont_fine_tune": Text(en="Don’t fine-tune", zh="不必微调"),
    "not_yet": Text(en="Not yet", zh="先别微调"),
    "cant_tell": Text(en="Can’t tell yet", zh="还下不了结论"),
    "none_meets_limits": Text(en="No usable arm", zh="没有可用的方案"),
}

VERDICT_MEANINGS: dict[str, Text] = {
    "fine_tune": Text(
        en="A tuned model beats everything simpler by more than noise explains, and keeps your limits.",
        zh="微调后的模型明显优于所有更简单的做法，差距不是偶然波动能解释的，并且满足你的限制。",
    ),
    "dont_fine_tune": Text(
        en="Something simpler is better, or so close that the difference does not matter to you.",
        zh="更简单的做法更好，或者差距小到对你没有意义。",
    ),
    "not_yet": Text(
        en="Tuning is not ahead with the rows you have, but it was still gaining: bring more training rows, then ask again.",
        zh="以现有的数据，微调还没有领先，但得分仍在随数据增加而上升：请补充训练数据后再测一次。",
    ),
    "cant_tell": Text(
        en="What was measured does not settle it. Where more test rows would, their number is stated; until then use the recommended arm, if there is one.",
        zh="已有的测量分不出高下。如果补充测试数据就能分出来，报告会给出所需条数；在此之前先用推荐的方案（如果有）。",
    ),
    "none_meets_limits": Text(
        en="Every finalist breaks a limit you set, or left more than 5 % of its test rows unanswered. Relax a limit, or bring a "
        "stronger model or a faster machine.",
        zh="入围方案都违反了你设定的某项限制，或有超过 5% 的测试数据没有给出可用的答案。请放宽限制，或换更强的模型、更快的机器。",
    ),
}

ANSWERS: dict[str, Text] = {
    "better": Text(en="better", zh="更好"),
    "worse": Text(en="worse", zh="更差"),
    "equivalent": Text(en="equivalent", zh="相当"),
    "cant_tell": Text(en="can’t tell yet", zh="尚难判断"),
}

CERTAINTY: dict[str, Text] = {
    "gain": Text(en="Settled: tuning is ahead", zh="已有定论：微调领先"),
    "no_gain": Text(en="Settled: tuning gains nothing that matters", zh="已有定论：微调没有值得在意的提升"),
    "open": Text(en="Open", zh="尚无定论"),
    "forecast": Text(en="A forecast, not a measurement", zh="依据预测，尚未实测"),
    "limits": Text(en="Limits decide", zh="由限制条件决定"),
    "not_tuned": Text(en="Tuned and untuned were not compared", zh="没有比较过微调与不微调"),
    "none": Text(en="Nothing was compared", zh="没有可比的结果"),
}

FINDINGS: dict[str, Text] = {
    "confirmed": Text(en="confirmed", zh="证实"),
    "overturned": Text(en="overturned", zh="推翻"),
    "open": Text(en="open", zh="未定"),
}

STATES: dict[str, Text] = {
    "finalist": Text(en="finalist", zh="入围"),
    "measured": Text(en="dev only", zh="仅开发集"),
    "stopped": Text(en="stopped early", zh="提前停测"),
    "yardstick": Text(en="yardstick", zh="参照"),
    "skipped": Text(en="skipped", zh="已跳过"),
    "failed": Text(en="failed", zh="失败"),
}

STATUSES: dict[str, Text] = {
    "failed": Text(en="failed", zh="条失败"),
    "refused": Text(en="refused", zh="条被拒答"),
    "over_limit": Text(en="over the context", zh="条超出上下文"),
}

KINDS: dict[str, Text] = {
    "label": Text(en="label", zh="分类标签"),
    "choice": Text(en="multiple choice", zh="选择题"),
    "json": Text(en="JSON", zh="JSON"),
    "text": Text(en="free text", zh="自由文本"),
}

METHODS: dict[str, Text] = {
    "mcnemar_exact": Text(en="exact McNemar test", zh="精确 McNemar 检验"),
    "paired_bootstrap": Text(en="paired bootstrap", zh="配对自助法"),
    "paired_bootstrap_corpus": Text(en="paired bootstrap", zh="配对自助法"),
    "paired_trainings": Text(en="paired, mean of several trainings", zh="配对比较（多次训练取平均）"),
}

FACT_NAMES: dict[str, Text] = {
    "processor": Text(en="Processor", zh="处理器"),
    "cores": Text(en="Cores", zh="核数"),
    "memory_gb": Text(en="Memory, GB", zh="内存（GB）"),
    "memory_mb": Text(en="Memory, MB", zh="内存（MB）"),
    "gpu": Text(en="GPU", zh="GPU"),
    "device": Text(en="Device", zh="设备"),
    "system": Text(en="System", zh="操作系统"),
    "python": Text(en="Python", zh="Python"),
    "threads": Text(en="Threads", zh="线程数"),
    "dtype": Text(en="Number format", zh="数值格式"),
    "attention": Text(en="Attention", zh="注意力实现"),
    "source": Text(en="Source", zh="来源"),
    "sha256": Text(en="SHA-256", zh="SHA-256"),
    "parameters": Text(en="Parameters", zh="参数量"),
    "n_parameters": Text(en="Parameters", zh="参数量"),
    "context_tokens": Text(en="Context, tokens", zh="上下文（词元）"),
    "revision": Text(en="Revision", zh="版本"),
    "licence": Text(en="Licence", zh="许可证"),
    "license": Text(en="Licence", zh="许可证"),
}

LIMITS: dict[str, Text] = {
    "private": Text(en="rows stay on this machine", zh="数据不出本机"),
    "p95_ms": Text(en="95 % of rows answered within {n}", zh="95% 的数据须在 {n} 内答完"),
    "max_usd_per_1k": Text(en="cost per 1,000 rows at most {n}", zh="每千条费用不超过 {n}"),
    "min_quality": Text(en="quality at least {n}", zh="质量不低于 {n}"),
}

LABELS: dict[str, Text] = {
    "report": Text(en="report", zh="报告"),
    "verdict": Text(en="Verdict", zh="结论"),
    "recommended": Text(en="Recommended", zh="推荐方案"),
    "runner_up": Text(en="Runner-up", zh="次选方案"),
    "no_arm": Text(en="none", zh="无"),
    "how_sure": Text(en="How sure", zh="把握"),
    "per_1k": Text(en="1,000 rows take", zh="每千条用时"),
    "reasons": Text(en="Why", zh="理由"),
    "would_change": Text(en="What would change this verdict", zh="什么会改变结论"),
    "rows_training": Text(en="about {n} more training rows", zh="再补充约 {n} 条训练数据"),
    "rows_test": Text(en="about {n} more test rows", zh="再补充约 {n} 条测试数据"),
    "rows_needed": Text(en="Rows needed", zh="所需条数"),
    "rows_in_all": Text(en="Test rows needed in all", zh="总共所需测试数据"),
    "quality": Text(en="Quality", zh="质量"),
    "quality_lead": Text(
        en="Filled dots: test rows, which nothing had seen before. Hollow dots: dev rows, which were used for choosing and so flatter a little.",
        zh="实心点是测试集上的得分，这些数据此前从未用过；空心点是开发集上的得分，开发集用来挑选方案，得分会略偏乐观。",
    ),
    "test": Text(en="test", zh="测试集"),
    "dev": Text(en="dev", zh="开发集"),
    "score_dev": Text(en="Dev", zh="开发集"),
    "score_test": Text(en="Test", zh="测试集"),
    "arm": Text(en="Arm", zh="方案"),
    "arms": Text(en="All arms", zh="全部方案"),
    "model": Text(en="Model", zh="模型"),
    "state": Text(en="Stage", zh="阶段"),
    "unscored": Text(en="Rows without a score", zh="未得分的数据"),
    "differences": Text(en="Differences", zh="两两差异"),
    "differences_lead": Text(
        en="Both arms of a pair answered the same test rows. A bar clear of zero is a real difference; a bar inside the band is too small to matter to you.",
        zh="每一对方案回答的是同一批测试数据。区间不含零，说明差异真实存在；区间整个落在灰带内，说明差异小到没有实际意义。",
    ),
    "pair": Text(en="Pair", zh="对比"),
    "difference": Text(en="Difference", zh="差异"),
    "interval": Text(en="interval", zh="置信区间"),
    "answer": Text(en="Finding", zh="判断"),
    "wins_losses": Text(en="Won / lost / tied", zh="胜 / 负 / 平"),
    "p_adjusted": Text(en="p, adjusted", zh="校正后 p 值"),
    "method": Text(en="Test", zh="检验方法"),
    "margin": Text(en="Margin", zh="界限"),
    "no_comparison": Text(
        en="No pair of arms was compared on the test rows.", zh="没有任何一对方案在测试集上做过比较。"
    ),
    "speed": Text(en="Quality against time", zh="质量与用时"),
    "speed_lead": Text(
        en="Up is better, left is faster. The numbers are those of the table below.",
        zh="越靠上质量越好，越靠左速度越快。编号与下表一致。",
    ),
    "cost": Text(en="Time, tokens and money", zh="时间、词元与费用"),
    "fit_time": Text(en="Fit", zh="训练用时"),
    "fit_cost": Text(en="Fit cost", zh="训练费用"),
    "per_row": Text(en="Per row, batched", zh="每条用时（批量）"),
    "per_row_short": Text(en="Per row", zh="每条"),
    "alone": Text(en="One row alone, p50 / p95", zh="单条用时 p50 / p95"),
    "tokens_in": Text(en="Prompt tokens", zh="输入词元"),
    "tokens_cached": Text(en="reused", zh="复用"),
    "tokens_out": Text(en="Answer tokens", zh="输出词元"),
    "usd_per_1k": Text(en="$ per 1,000 rows", zh="每千条费用"),
    "usd_short": Text(en="$/1k", zh="每千条"),
    "classes": Text(en="Errors per class", zh="各类别的错误"),
    "classes_lead": Text(
        en="Share of each class answered right, worst first. A darker cell means more errors. Small classes jump about: read them as hints.",
        zh="每个类别答对的比例，最差的在前；颜色越深，错得越多。数据少的类别波动大，仅供参考。",
    ),
    "class_": Text(en="Class", zh="类别"),
    "n_rows": Text(en="Rows", zh="条数"),
    "more_classes": Text(en="Show the other classes", zh="显示其余类别"),
    "disagree": Text(en="Where the arms disagree", zh="各方案分歧之处"),
    "disagree_lead": Text(
        en="Test rows on which the finalists scored differently, the widest gaps first.",
        zh="入围方案在这些测试数据上得分不同，差距最大的在前。",
    ),
    "reference": Text(en="Right answer", zh="标准答案"),
    "no_answer": Text(en="no answer", zh="无答案"),
    "unscored_row": Text(en="not scored", zh="未计分"),
    "right": Text(en="✓ right", zh="✓ 正确"),
    "wrong": Text(en="✗ wrong", zh="✗ 错误"),
    "sends_rows": Text(en="Sends rows to another machine.", zh="数据会发送到别的机器。"),
    "more_rows": Text(en="Show more rows", zh="显示更多"),
    "skipped": Text(en="What was skipped", zh="跳过了什么"),
    "skipped_lead": Text(
        en="Arms that could not run or broke. They took no part in the verdict.",
        zh="无法运行或中途出错的方案，没有参与结论。",
    ),
    "why": Text(en="Why", zh="原因"),
    "no_reason": Text(en="no reason was recorded", zh="没有记录原因"),
    "expected": Text(en="What was expected", zh="事先的预期"),
    "expected_lead": Text(
        en="Advice from rules of thumb and the rows alone, given before anything ran, against the outcome.",
        zh="开跑之前仅凭经验法则和数据给出的建议，与实测结果的对照。",
    ),
    "seed": Text(en="Rules of thumb, checked", zh="经验法则核对"),
    "seed_lead": Text(
        en="Common advice on when to fine-tune, against what was measured here.",
        zh="关于何时该微调的常见说法，与这次实测结果的对照。",
    ),
    "data": Text(en="The data", zh="数据"),
    "rows_read": Text(en="rows read", zh="读入"),
    "rows_rejected": Text(en="rejected", zh="剔除"),
    "groups": Text(en="groups of near-duplicates", zh="近似重复组"),
    "leaks": Text(en="test rows that leaked from train", zh="与训练集重复的测试数据"),
    "train": Text(en="train", zh="训练集"),
    "files": Text(en="Files", zh="文件"),
    "split_digest": Text(en="Split", zh="划分摘要"),
    "inferred": Text(en="Inferred from the rows", zh="由数据推断"),
    "warnings": Text(en="Worth knowing", zh="需要留意"),
    "task": Text(en="Task", zh="任务"),
    "instruction": Text(en="Instruction", zh="任务说明"),
    "limits": Text(en="Limits", zh="限制"),
    "no_limits": Text(en="no limits set", zh="未设限制"),
    "made": Text(en="How this was made", zh="如何得出"),
    "run": Text(en="Run", zh="运行"),
    "run_id": Text(en="Run", zh="运行编号"),
    "created": Text(en="Made on", zh="时间"),
    "command": Text(en="Command", zh="命令"),
    "random_seed": Text(en="Random seed", zh="随机种子"),
    "version": Text(en="tuneworth", zh="tuneworth"),
    "git": Text(en="Git", zh="git"),
    "wall": Text(en="Wall time", zh="总用时"),
    "memory": Text(en="Peak memory", zh="内存峰值"),
    "machine": Text(en="Machine", zh="机器"),
    "machine_price": Text(en="Price per hour", zh="机器每小时价格"),
    "libraries": Text(en="Libraries", zh="软件库"),
    "models": Text(en="Models", zh="模型"),
    "configs": Text(en="Every arm’s configuration", zh="各方案的配置"),
    "metrics_all": Text(en="All metrics", zh="全部指标"),
    "metric": Text(en="Metric", zh="指标"),
    "read_me": Text(en="How to read a verdict", zh="怎样读结论"),
    "points_axis": Text(en="difference, percentage points", zh="差异（百分点）"),
    "time_axis": Text(en="time per row, ms (log scale)", zh="每条用时，毫秒（对数刻度）"),
    "first_better": Text(en="first is better →", zh="前者更好 →"),
    "second_better": Text(en="← second is better", zh="← 后者更好"),
    "legend_test": Text(en="test rows", zh="测试集"),
    "legend_dev": Text(en="dev rows", zh="开发集"),
    "legend_repeats": Text(en="further trainings", zh="换种子重训"),
    "legend_yardstick": Text(en="yardstick", zh="参照"),
    "legend_recommended": Text(en="recommended", zh="推荐"),
    "race_and_forecast": Text(en="Race and forecast", zh="筛选与预测"),
    "contents": Text(en="Contents", zh="目录"),
    "language": Text(en="Language", zh="语言"),
    "notes": Text(en="Notes", zh="说明"),
    "report_at": Text(en="Report", zh="报告"),
    "price_unknown": Text(
        en="No price is known for this machine, so money is shown as unknown. State one to see costs.",
        zh="没有给出这台机器的价格，所以费用显示为未知。给出价格即可看到费用。",
    ),
}


def label(key: str, lang: Lang) -> str:
    return LABELS[key].to(lang)


def labels(lang: Lang) -> dict[str, str]:
    """All labels in one language, for templates."""
    return {key: text.to(lang) for key, text in LABELS.items()}


def named(table: Mapping[str, Text], code: str, lang: Lang) -> str:
    """The word for ``code``; a code without a word (a user's own metric) stands for itself."""
    return table[code].to(lang) if code in table else code
