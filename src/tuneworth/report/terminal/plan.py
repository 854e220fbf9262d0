"""The plan of a run for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.text import Text as Styled

from tuneworth.core.plan import Prospect, RunPlan
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.arms import NOTHING
from tuneworth.report.pages.race import power_sentence
from tuneworth.report.plain import clean, sentence_case
from tuneworth.report.terminal.layout import HEADING, QUIET, below, bullets, ruled
from tuneworth.report.terminal.wrap import Wrapped
from tuneworth.words import numbers
from tuneworth.words.names import in_lang, joined, listed
from tuneworth.words.say import say, table

_SIGNS: dict[Prospect, str] = {
    "in_time": "✓",
    "cut": "◐",
    "in_part": "◐",
    "too_slow": "✗",
    "no_time": "✗",
    "cannot_run": "–",
}


def plan_summary(plan: RunPlan, lang: Lang) -> RenderableType:
    """Rows, arms with expected times, totals, what the budget leaves out, and what the rows can show."""
    words = in_lang(table("plan.labels"), lang)
    rows = say(
        "plan.rows",
        n_train=plan.n_train,
        n_dev=plan.n_dev,
        n_test=plan.n_test,
        metric=plan.metric,
        margin=numbers.points(plan.margin),
    )
    by_why: dict[Text, list[Text]] = {}  # arms that share a reason share a line
    for arm in plan.arms:
        if arm.why is not None:
            by_why.setdefault(arm.why, []).append(arm.title)
    left_out = (joined([listed(titles), say("units.marks.colon"), why]) for why, titles in by_why.items())

    def points(key: str, texts: Iterable[Text]) -> RenderableType | None:
        return bullets(words[key], (sentence_case(clean(text.to(lang))) for text in texts))

    parts = [
        Wrapped(clean(plan.task), HEADING),
        *(Wrapped(clean(line.to(lang)), QUIET) for line in plan.inferred),
        Wrapped(rows.to(lang)),
        _arms(plan, words, lang),
        points("time", _times(plan)),
        bullets(say("plan.outlay.label").to(lang), (clean(text.to(lang)) for text in plan.outlay_lines)),
        points("left_out", left_out),
        below(Wrapped(power_sentence(plan.power).to(lang))),
        points("warnings", plan.warnings),
    ]
    return Group(*(part for part in parts if part is not None))


def _arms(plan: RunPlan, words: dict[str, str], lang: Lang) -> RenderableType:
    shown = ruled(gap=1)
    shown.add_column(words["arm"], overflow="fold", ratio=1)
    with_usd = plan.machine_usd_per_hour is not None
    for key in ("fit", "dev", "all", *(["usd"] if with_usd else [])):
        shown.add_column(words[key], justify="right", no_wrap=True)
    for arm in plan.arms:
        cells = [*map(numbers.duration, (arm.fit_seconds, arm.dev_seconds, arm.seconds))]
        cells += [numbers.usd_sign(arm.usd)] if with_usd else []
        if arm.prospect == "cannot_run":
            cells = [numbers.plain(NOTHING)] * len(cells)
        mark = _SIGNS[arm.prospect] + (" · " if arm.yardstick else " ")
        name: RenderableType = Wrapped(mark + sentence_case(clean(arm.title.to(lang))), hang=2)
        if len(arm.sizes) > 1:
            sizes = joined([Text(en=f"{size:,}", zh=str(size)) for size in arm.sizes], say("units.names.between"))
            name = Group(name, Wrapped(f"    {say('plan.sizes', sizes=sizes).to(lang)}", QUIET, hang=4))
        shown.add_row(name, *(Styled(cell.to(lang)) for cell in cells))
    return below(shown, *(Wrapped(words[note], QUIET) for note in ("legend", "rough")))


def _times(plan: RunPlan) -> Iterable[Text]:
    """What everything takes, what a race under the budget takes, and the budget."""
    usd = numbers.in_parentheses(_cents(plan.usd_all)) if plan.usd_all is not None else ""
    race, final = numbers.duration(plan.race_seconds), numbers.duration(plan.final_seconds)
    if plan.seconds_all is None:
        yield say("plan.no_speeds")
    else:
        yield say("plan.everything", whole=numbers.duration(plan.seconds_all), usd=usd)
        yield say("plan.exhaustive" if plan.exhaustive else "plan.race", race=race, final=final)
    limit = numbers.duration(plan.budget_seconds)
    if plan.budget_usd is None:
        yield say("plan.budget", limit=limit)
    elif plan.machine_usd_per_hour is None:
        yield say("plan.budget_calls", limit=limit, usd=_cents(plan.budget_usd))
    else:
        yield say("plan.budget_usd", limit=limit, usd=_cents(plan.budget_usd))


def _cents(usd: float) -> str:
    return f"${usd:,.2f}"
