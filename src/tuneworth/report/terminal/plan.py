"""The plan of a run for a terminal, readable at 80 columns and without colour."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Styled

from tuneworth.core.plan import PlannedArm, Prospect, RunPlan
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.race import power_sentence
from tuneworth.report.plain import clean, sentence_case
from tuneworth.report.terminal.wrap import Wrapped
from tuneworth.words import numbers

HEADING = "bold"
QUIET = "dim"
NOTHING = "–"
_SIGNS: dict[Prospect, str] = {
    "in_time": "✓",
    "cut": "◐",
    "in_part": "◐",
    "too_slow": "✗",
    "no_time": "✗",
    "cannot_run": "–",
}
_WORDS: dict[str, Text] = {
    "arm": Text(en="arm", zh="方案"),
    "rows": Text(en="training rows", zh="训练条数"),
    "fit": Text(en="fit", zh="训练"),
    "dev": Text(en="dev rows", zh="开发集"),
    "all": Text(en="all", zh="合计"),
    "usd": Text(en="$", zh="美元"),
    "left_out": Text(en="Not measured, or not in full", zh="不测或测不完的方案"),
    "warnings": Text(en="Before you start", zh="开始前请注意"),
    "time": Text(en="Time", zh="时间"),
}
_LEGEND = Text(
    en="✓ in time   ◐ in part   ✗ no time   – cannot run   · yardstick. "
    "fit: once, on all training rows; dev rows: one fit on all of them; all: every training size on all dev rows.",
    zh="✓ 来得及　◐ 只够一部分　✗ 来不及　– 不能运行　· 参照。训练：用全部训练数据训练一次；开发集：训练后答完整个开发集；"
    "合计：每种训练量各训练一次，并答完整个开发集。",
)
_ROUGH = Text(
    en="Times are rough estimates from token counts and a short test of the model on this machine, off by a factor of two or more at times; "
    "a run corrects them as it goes. The audit of the rows is not counted.",
    zh="时间由词元数和模型在本机上的短时测速估算而来，与实际相差一倍也属正常；运行时会随实测修正。数据检查的时间没有计入。",
)


def plan_summary(plan: RunPlan, lang: Lang) -> RenderableType:
    """Rows, arms with expected times, totals, what the budget leaves out, and what the rows can show."""
    parts = [
        _head(plan, lang),
        _arms(plan, lang),
        _section(_WORDS["time"], _times(plan), lang),
        _section(_WORDS["left_out"], _left_out(plan), lang),
        Padding(Wrapped(power_sentence(plan.power).to(lang)), (1, 0, 0, 0)),
        _section(_WORDS["warnings"], plan.warnings, lang),
    ]
    return Group(*(part for part in parts if part is not None))


def _head(plan: RunPlan, lang: Lang) -> RenderableType:
    rows = Text(
        en=f"{plan.n_train:,} train, {plan.n_dev:,} dev, {plan.n_test:,} test rows; metric {plan.metric}, margin "
        f"{numbers.points(plan.margin).to('en')}",
        zh=f"训练集 {plan.n_train:,} 条，开发集 {plan.n_dev:,} 条，测试集 {plan.n_test:,} 条；指标 {plan.metric}，界限 "
        f"{numbers.points(plan.margin).to('zh')}",
    )
    inferred = (Wrapped(clean(line.to(lang)), QUIET) for line in plan.inferred)
    return Group(Wrapped(clean(plan.task), HEADING), *inferred, Wrapped(rows.to(lang)))


def _arms(plan: RunPlan, lang: Lang) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style=QUIET)
    table.add_column(_WORDS["arm"].to(lang), overflow="fold", ratio=1)
    names = ["fit", "dev", "all", *(["usd"] if plan.machine_usd_per_hour is not None else [])]
    for name in names:
        table.add_column(_WORDS[name].to(lang), justify="right", no_wrap=True)
    for arm in plan.arms:
        table.add_row(*_cells(arm, lang, with_usd="usd" in names))
    notes = (Wrapped(_LEGEND.to(lang), QUIET), Wrapped(_ROUGH.to(lang), QUIET))
    return Padding(Group(table, *notes), (1, 0, 0, 0))


def _cells(arm: PlannedArm, lang: Lang, *, with_usd: bool) -> list[RenderableType]:
    mark = _SIGNS[arm.prospect] + (" · " if arm.yardstick else " ")
    name: RenderableType = Wrapped(mark + sentence_case(clean(arm.title.to(lang))), hang=2)
    if len(arm.sizes) > 1:
        sizes = ", ".join(f"{size:,}" for size in arm.sizes) if lang == "en" else "、".join(map(str, arm.sizes))
        note = f"{_WORDS['rows'].to(lang)}{'：' if lang == 'zh' else ': '}{sizes}"
        name = Group(name, Wrapped(f"    {note}", QUIET, hang=4))
    if arm.prospect == "cannot_run":
        return [name, *(Styled(NOTHING) for _ in range(4 if with_usd else 3))]
    times = (arm.fit_seconds, arm.dev_seconds, arm.seconds)
    cells = [numbers.duration(seconds).to(lang) for seconds in times]
    return [name, *map(Styled, [*cells, numbers.usd_sign(arm.usd).to(lang)] if with_usd else cells)]


def _times(plan: RunPlan) -> Iterable[Text]:
    """What everything takes, what a race under the budget takes, and the budget."""
    whole = _both(plan.seconds_all)
    money = "" if plan.usd_all is None else f" (${plan.usd_all:,.2f})"
    yield Text(
        en=f"Everything, every training size on all dev rows: about {whole.en}{money}.",
        zh=f"每种训练量都在整个开发集上测完：约 {whole.zh}{money.replace(' (', '（').replace(')', '）')}。",
    )
    race, final = _both(plan.race_seconds), _both(plan.final_seconds)
    if plan.exhaustive:
        yield Text(
            en=f"This run, with --exhaustive: about {race.en}, and up to {final.en} for the finalists on the test rows.",
            zh=f"这次运行（--exhaustive）：约 {race.zh}，另为入围方案测试集留出最多 {final.zh}。",
        )
    else:
        yield Text(
            en=f"A race in which all arms turn out equally good: about {race.en}, and up to {final.en} kept for the finalists "
            "on the test rows. Arms that fall behind are stopped, which makes it shorter.",
            zh=f"假如各方案不分上下，筛选约需 {race.zh}，另为入围方案测试集留出最多 {final.zh}。落后的方案会提前停测，实际用时通常更短。",
        )
    yield _budget(plan)


def _budget(plan: RunPlan) -> Text:
    limit = _both(plan.budget_seconds)
    if plan.budget_usd is None:
        return Text(en=f"Budget: {limit.en}.", zh=f"预算：{limit.zh}。")
    usd = f"${plan.budget_usd:,.2f}"
    return Text(
        en=f"Budget: {limit.en}, the tighter of the time and {usd}.",
        zh=f"预算：{limit.zh}（时间与 {usd} 中较紧的一个）。",
    )


def _left_out(plan: RunPlan) -> Iterable[Text]:
    """Arms that share a reason share a line."""
    by_why: dict[Text, list[Text]] = {}
    for arm in plan.arms:
        if arm.why is not None:
            by_why.setdefault(arm.why, []).append(arm.title)
    for why, titles in by_why.items():
        en, zh = "; ".join(title.en for title in titles), "；".join(title.zh for title in titles)
        yield Text(en=f"{en}: {why.en}", zh=f"{zh}：{why.zh}")


def _section(title: Text, sentences: Iterable[Text], lang: Lang) -> RenderableType | None:
    """A heading with one bullet a sentence, or nothing without sentences."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column()
    for sentence in sentences:
        grid.add_row(Styled("•", style=QUIET), Wrapped(sentence_case(clean(sentence.to(lang)))))
    return Padding(Group(Styled(title.to(lang), style=HEADING), grid), (1, 0, 0, 0)) if grid.row_count else None


def _both(seconds: float | None) -> Text:
    return Text(en=numbers.duration(seconds).to("en"), zh=numbers.duration(seconds).to("zh"))
