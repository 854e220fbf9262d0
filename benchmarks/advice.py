"""The advisor held against situations judged by hand, and against measurement.

    python benchmarks/advice.py [--only ID,ID] [--lang en|zh]
    python benchmarks/advice.py --runs FOLDER

Without ``--runs``: every situation of `situations.yaml`, written from the rows of the article and not from the
advisor's rules; prints a Markdown table and how often the two agree. With ``--runs``: for every finished run
``FOLDER/NAME/run/result.json`` (as `benchmarks/tasks.py` leaves them) the advice that a user would have got before the
run, the verdict after it, and the rows of the article that the measurement overturned. No model is loaded.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tuneworth.advisor.advise import advise
from tuneworth.advisor.facts import Situation, situation_of
from tuneworth.core.advice import Advice, Approach, Origin
from tuneworth.core.run import RunResult, Verdict
from tuneworth.core.text import Lang, Text

SITUATIONS = Path(__file__).with_name("situations.yaml")

Stand = Literal["yes", "no", "open"]
"""Whether to fine-tune a language model."""
First = Approach | Literal["nothing"]
TABLE_HEAD = Text(
    en="| situation | rows that decide it | advice given | fine-tune? | agrees? |\n|---|---|---|---|---|",
    zh="| 情境 | 起决定作用的条目 | 给出的建议 | 微调？ | 一致？ |\n|---|---|---|---|---|",
)
RUNS_HEAD = Text(
    en="| data set | rows cited | advice before | verdict after | agree? | rows overturned (bold: cited before) |\n"
    "|---|---|---|---|---|---|",
    zh="| 数据集 | 引用的条目 | 实测前的建议 | 实测后的结论 | 一致？ | 被推翻的条目（加粗：事先引用过） |\n"
    "|---|---|---|---|---|---|",
)
FATES_HEAD = Text(
    en="| row | confirmed | overturned | open |\n|---|---|---|---|",
    zh="| 条目 | 证实 | 推翻 | 未定 |\n|---|---|---|---|",
)
NOT_MEASURED = Text(en=" (not measured)", zh="（未实测）")
WORDS: dict[Stand, Text] = {
    "yes": Text(en="yes", zh="是"),
    "no": Text(en="no", zh="否"),
    "open": Text(en="open", zh="未定"),
}
MEANS: dict[Verdict, Stand] = {
    "fine_tune": "yes",
    "dont_fine_tune": "no",
    "not_yet": "no",
    "cant_tell": "open",
    "none_meets_limits": "open",
}


class Told(BaseModel):
    """A story with its facts, by where they come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str
    zh: str
    answered: dict[str, Any] = Field(default_factory=dict)
    data: dict[str, Any] = Field(default_factory=dict)
    measured: dict[str, Any] = Field(default_factory=dict)

    @property
    def story(self) -> Text:
        return Text(en=self.en, zh=self.zh)

    def situation(self) -> Situation:
        """The facts as the advisor takes them.

        Raises:
            pydantic.ValidationError: a fact is unknown or out of its range.
        """
        blocks: dict[Origin, dict[str, Any]] = {
            "answered": self.answered,
            "data": self.data,
            "measured": self.measured,
        }
        situation = Situation()
        for origin, facts in blocks.items():
            situation = situation.with_facts(origin, facts)
        return situation


class Case(Told):
    """A situation and what the article says of it; the fields are explained at the head of `situations.yaml`."""

    id: str
    decided_by: list[str]
    acceptable: set[First]
    never_first: set[First]
    fine_tune: Stand
    touches: set[str] = Field(default_factory=set)
    self_test: tuple[int, int] | None = None
    clear: bool = False

    @model_validator(mode="after")
    def _judgement_is_one(self) -> Case:
        both = self.acceptable & self.never_first
        if both or not self.acceptable:
            raise ValueError(f"{self.id}: acceptable must not be empty nor share {sorted(both)} with never_first")
        return self


class Table(BaseModel):
    """`situations.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fine_tunes: frozenset[Approach]
    situations: list[Case]
    datasets: dict[str, Told]


def read_table(path: Path = SITUATIONS) -> Table:
    """The hand-written situations.

    Raises:
        pydantic.ValidationError: the file does not have the shape above.
    """
    return Table.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Judged:
    """Advice held against a case.

    Attributes:
        wrong: what of the advice (what comes first, whether to fine-tune) is not what the rows say.
        unnamed: contradictions that the situation touches and the advice does not name.
        beyond: contradictions that it names and the case does not.
        miscounted: the self-test came out differently; ``None`` when the case does not say.
        uncited: deciding rows that the advice does not mention.
    """

    first: First
    fine_tune: Stand
    wrong: list[Text]
    unnamed: list[str]
    beyond: list[str]
    miscounted: bool | None
    uncited: list[str]


def first_of(advice: Advice) -> First:
    return advice.expected or "nothing"


def stand_of(advice: Advice, fine_tunes: frozenset[Approach]) -> Stand:
    """What the advice says of fine-tuning: changing a language model's weights, so a head on embeddings is none."""
    if advice.expected is None:
        return "open"
    return "yes" if advice.expected in fine_tunes else "no"


def cited(advice: Advice) -> set[str]:
    """Rows of the article that the advice argues with."""
    rows = {row for rule in advice.rules for row in rule.seed_rows}
    for clash in advice.contradictions:
        rows |= {clash.row, *clash.pulls_for, *clash.pulls_against}
    rows |= {item.row for item in advice.pros_cons}
    return rows | {answer.row for answer in advice.self_test.answers if answer.answer != "unknown"}


def judge(case: Case, advice: Advice, fine_tunes: frozenset[Approach]) -> Judged:
    """Where the advice departs from what the case accepts."""
    first, stand = first_of(advice), stand_of(advice, fine_tunes)
    wrong: list[Text] = []
    if first in case.never_first:
        wrong.append(Text(en=f"`{first}` must not come first", zh=f"`{first}` 不应排在首位"))
    elif first not in case.acceptable:
        accepted = _codes(case.acceptable)
        wrong.append(Text(en=f"first `{first}`, accepted {accepted}", zh=f"首选 `{first}`，可接受的是 {accepted}"))
    if case.fine_tune not in ("open", stand):
        said = WORDS[case.fine_tune]
        wrong.append(Text(en=f"rows say of fine-tuning: {said.en}", zh=f"是否微调，条目的回答是“{said.zh}”"))
    named = {clash.row for clash in advice.contradictions}
    counted = (advice.self_test.yes, advice.self_test.unknown)
    return Judged(
        first=first,
        fine_tune=stand,
        wrong=wrong,
        unnamed=sorted(case.touches - named),
        beyond=sorted(named - case.touches),
        miscounted=None if case.self_test is None else counted != case.self_test,
        uncited=[row for row in case.decided_by if row not in cited(advice)],
    )


def situations_table(table: Table, cases: Sequence[Case], lang: Lang) -> str:
    """All cases in Markdown, then how often the advisor agrees."""
    judged = [(case, judge(case, advise(case.situation()), table.fine_tunes)) for case in cases]
    lines = [TABLE_HEAD.to(lang)]
    for case, seen in judged:
        agrees = ("；" if lang == "zh" else "; ").join(fault.to(lang) for fault in seen.wrong) or WORDS["yes"].to(lang)
        cells = (
            f"{case.story.to(lang)} (`{case.id}`)",
            " ".join(case.decided_by) or "–",
            f"`{seen.first}`",
            WORDS[seen.fine_tune].to(lang),
            agrees,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(f"- {line.to(lang)}" for line in _counts(judged))])


def _counts(judged: Sequence[tuple[Case, Judged]]) -> list[Text]:
    agree = sum(not seen.wrong for _, seen in judged)
    clear = [seen for case, seen in judged if case.clear]
    clear_agree = sum(not seen.wrong for seen in clear)
    tested = [(case.id, seen.miscounted) for case, seen in judged if seen.miscounted is not None]
    unnamed = [f"{case.id} {row}" for case, seen in judged for row in seen.unnamed]
    uncited = [f"{case.id} {row}" for case, seen in judged for row in seen.uncited]
    beyond = Counter(row for _, seen in judged for row in seen.beyond)
    more = ", ".join(f"{row} {n}×" for row, n in sorted(beyond.items())) or "–"
    return [
        Text(
            en=f"advice agrees: {agree} of {len(judged)}; of the clear ones {clear_agree} of {len(clear)}",
            zh=f"建议一致：{len(judged)} 个中的 {agree} 个；其中明确的情境 {len(clear)} 个中的 {clear_agree} 个",
        ),
        _share("self-test counted alike", "自测计数一致", len(tested), [name for name, off in tested if off]),
        _share("contradictions named", "点出的矛盾", sum(len(case.touches) for case, _ in judged), unnamed),
        Text(en=f"contradictions named beyond the table: {more}", zh=f"表外另外点出的矛盾：{more}"),
        _share("deciding rows mentioned", "提到的关键条目", sum(len(case.decided_by) for case, _ in judged), uncited),
    ]


def _share(en: str, zh: str, total: int, missing: Sequence[str]) -> Text:
    got, names = total - len(missing), ", ".join(missing)
    return Text(
        en=f"{en}: {got} of {total}" + (f" (not: {names})" if missing else ""),
        zh=f"{zh}：{total} 个中的 {got} 个" + (f"（缺：{names}）" if missing else ""),
    )


def _codes(names: set[First]) -> str:
    return ", ".join(f"`{name}`" for name in (*get_args(Approach), "nothing") if name in names)


def before_run(told: Told, result: RunResult) -> Situation:
    """What is known of a data set before any arm is measured.

    What its owner would say, the task, and what the audit read from the rows when the run made one. Without an audit the
    number of good rows stays unknown.
    """
    found = [] if result.audit is None else result.audit.facts
    situation = situation_of(result.task, facts=found, answered=told.situation().facts)
    if situation.facts.total_rows is not None:
        return situation
    return situation.with_facts("data", {"total_rows": result.data.n_train + result.data.n_dev})


def runs_table(table: Table, folder: Path, lang: Lang) -> str:
    """All finished runs of ``folder`` in Markdown, then how every row of the article fared.

    Raises:
        SystemExit: no run in ``folder``, or one of a data set that `situations.yaml` has no story of.
    """
    found = {path.parts[-3]: path for path in sorted(folder.glob("*/run/result.json"))}
    untold = sorted(found.keys() - table.datasets.keys())
    if not found or untold:
        why = f"no story under `datasets:` for {', '.join(untold)}" if untold else f"no */run/result.json in {folder}"
        raise SystemExit(f"{why}; known: {', '.join(table.datasets)}")
    results = {name: RunResult.model_validate_json(path.read_text(encoding="utf-8")) for name, path in found.items()}
    lines = [RUNS_HEAD.to(lang)]
    for name, result in results.items():
        lines.append(_run_row(name, result, advise(before_run(table.datasets[name], result)), table.fine_tunes, lang))
    return "\n".join([*lines, "", *_fates(list(results.values()), lang)])


def _run_row(name: str, result: RunResult, advice: Advice, fine_tunes: frozenset[Approach], lang: Lang) -> str:
    before, after = stand_of(advice, fine_tunes), MEANS[result.decision.verdict]
    agree: Stand = "open" if "open" in (before, after) else "yes" if before == after else "no"
    rows = {row for rule in advice.rules for row in rule.seed_rows}
    rows |= {asked.row for asked in advice.self_test.answers if asked.answer != "unknown"}
    overturned = [found.row for found in result.decision.seed_rows if found.finding == "overturned"]
    marked = " ".join(f"**{row}**" if row in rows else row for row in overturned)
    said = f"`{first_of(advice)}`" + ("" if _was_measured(advice, result) else NOT_MEASURED.to(lang))
    cells = (name, " ".join(sorted(rows)), said, _verdict(result), WORDS[agree].to(lang), marked or "–")
    return f"| {' | '.join(cells)} |"


def _was_measured(advice: Advice, result: RunResult) -> bool:
    """Whether this run tried the approach advised at all; advice of nothing has nothing to try."""
    measured = {arm.strategy for arm in result.arms if arm.state == "measured" and not arm.yardstick}
    return advice.expected is None or advice.expected in measured


def _verdict(result: RunResult) -> str:
    decision = result.decision
    arms = {arm.arm_id: arm for arm in result.arms}
    if decision.recommended is None:
        return decision.verdict
    return f"{decision.verdict}, `{arms[decision.recommended].strategy}`"


def _fates(results: Sequence[RunResult], lang: Lang) -> list[str]:
    """Row by row: in which runs measurement confirmed it, overturned it, or left it open."""
    fates: dict[str, dict[str, list[str]]] = {}
    for result in results:
        for found in result.decision.seed_rows:
            fates.setdefault(found.row, {}).setdefault(found.finding, []).append(result.task.name)
    lines = [FATES_HEAD.to(lang)]
    for row, fate in sorted(fates.items()):
        cells = (", ".join(fate.get(finding, [])) for finding in ("confirmed", "overturned", "open"))
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=lambda text: text.split(","), help="ids of situations")
    parser.add_argument("--runs", type=Path, help="folder of finished runs")
    parser.add_argument("--lang", choices=get_args(Lang), default="en")
    options = parser.parse_args()
    table = read_table()
    if options.runs is not None:
        print(runs_table(table, options.runs, options.lang))
        return
    unknown = sorted(set(options.only or []) - {case.id for case in table.situations})
    if unknown:
        parser.error(f"no situation is called {', '.join(unknown)}")
    cases = [case for case in table.situations if not options.only or case.id in options.only]
    print(situations_table(table, cases, options.lang))


if __name__ == "__main__":
    main()
