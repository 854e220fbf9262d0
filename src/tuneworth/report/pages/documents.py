"""The page on documents: from the stored findings to tables and sentences in one language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tuneworth.core.knowledge import (
    AgeScore,
    DocumentsResult,
    Grounding,
    IndexFacts,
    Injection,
    Judge,
    LossSplit,
    Recall,
    UpdateCost,
)
from tuneworth.core.run import ArmResult, RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages import documents_sentences as sentences
from tuneworth.report.pages.arms import ArmRow, arm_labels
from tuneworth.report.pages.documents_rows import (
    EMPTY,
    AgeRow,
    ExampleView,
    GroundingRow,
    InjectionRow,
    LossRow,
    RecallRow,
    UpdateRow,
    age_rows,
    example_view,
    grounding_row,
    injection_row,
    loss_row,
    recall_row,
    update_row,
)
from tuneworth.report.pages.documents_words import AXES, JUDGES, LABELS
from tuneworth.report.pages.rules import RULES
from tuneworth.report.pages.verdict import Fact
from tuneworth.report.plain import clean, one_line
from tuneworth.report.words import FINDINGS
from tuneworth.words import numbers

_Finding = TypeVar("_Finding", LossSplit, UpdateCost, Grounding, Injection)

SETTLES = "X3"
"""The contradiction that documents settle: retrieve only, or tune too."""
BEARS_ON = ("X3", "N2", "A2", "A5", "T3", "C6", "X5", "K2")
"""Rules of thumb that are about knowledge and its updates, the most telling first."""


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule of thumb and what the run says about it."""

    id: str
    rule: str
    finding: str
    finding_word: str


@dataclass(frozen=True, slots=True)
class DocumentsSection:
    """Documents as shown to a reader.

    Attributes:
        answer: what the decision says about retrieval and tuning; empty when it says nothing.
        facts: the index in figures.
        problems: files that could not be read.
        ks: places that recall was measured at.
        judged: how it is known what the right passage is; ``axis`` says so in a few words.
        found, lost, renewed, updating: one sentence each on the arms that a reader would pick; empty without figures.
        ages_by: how old and new knowledge were told apart.
        brief: the sentences for a reader with little room, most telling first.
    """

    answer: str
    rules: tuple[RuleView, ...]
    facts: tuple[Fact, ...]
    encoder: str
    problems: tuple[str, ...]
    ks: tuple[int, ...]
    judged: str
    axis: str
    found: str
    recalls: tuple[RecallRow, ...]
    lost: str
    losses: tuple[LossRow, ...]
    renewed: str
    ages_by: str
    ages: tuple[AgeRow, ...]
    updating: str
    often: str
    updates: tuple[UpdateRow, ...]
    grounding: tuple[GroundingRow, ...]
    injection: tuple[InjectionRow, ...]
    examples: tuple[ExampleView, ...]
    brief: tuple[str, ...]
    words: dict[str, str]

    @property
    def sides(self) -> tuple[tuple[RecallRow, ...], tuple[RecallRow, ...]]:
        """Ways of searching on the side that counts most, and on the other."""
        first = self.recalls[0].stage if self.recalls else ""
        here = tuple(row for row in self.recalls if row.stage == first)
        return here, tuple(row for row in self.recalls if row.stage != first)

    @property
    def ranked(self) -> bool:
        """Whether ranks were measured, which takes gold passages."""
        return any(row.mrr != EMPTY or row.ndcg != EMPTY for row in self.recalls)

    @property
    def controlled(self) -> bool:
        """Whether a harmless remark was planted as well."""
        return any(row.control != EMPTY for row in self.injection)

    @property
    def retrains(self) -> bool:
        return any(row.retrains for row in self.updates)

    @property
    def abstaining(self) -> tuple[GroundingRow, ...]:
        """Arms that could say "not in the documents"."""
        return tuple(row for row in self.grounding if row.no_answer)


def build_documents(result: RunResult, arms: Sequence[ArmRow], lang: Lang) -> DocumentsSection | None:
    """``None`` for a run without documents."""
    if result.documents is None:
        return None
    return _Builder(result, result.documents, {row.arm_id: row for row in arms}, lang).section()


@dataclass(frozen=True, slots=True)
class _Builder:
    """Puts one run's findings into one language; ``rows`` are the arms in the order of the report."""

    result: RunResult
    found: DocumentsResult
    rows: Mapping[str, ArmRow]
    lang: Lang

    def section(self) -> DocumentsSection:
        found, lang = self.found, self.lang
        judge = self._judge()
        ks = sorted({k for recall in found.recalls for k in recall.at})
        return DocumentsSection(
            answer=self._answer(),
            rules=self._rules(),
            facts=_facts(found.index, lang),
            encoder=one_line(found.index.encoder) if found.index.encoder else LABELS["no_encoder"].to(lang),
            problems=tuple(clean(problem.to(lang)) for problem in found.problems),
            ks=tuple(ks),
            judged=JUDGES[judge].to(lang) if judge else "",
            axis=AXES[judge].to(lang) if judge else "",
            found=self._say(sentences.found(recall) if (recall := self._searching()) else None),
            recalls=self._recalls(ks),
            lost=self._say(self._lost()),
            losses=tuple(loss_row(split, row, lang) for split, row in self._known(found.losses)),
            renewed=self._say(self._on_new()),
            ages_by=clean(found.ages_by.to(lang)) if found.ages_by else "",
            ages=age_rows(found.ages, self.rows, lang),
            updating=self._say(self._updating()),
            often=sentences.how_often(found.knowledge_every_days).to(lang) if found.knowledge_every_days else "",
            updates=tuple(update_row(cost, row, lang) for cost, row in self._known(found.updates)),
            grounding=tuple(grounding_row(each, row, lang) for each, row in self._known(found.grounding)),
            injection=tuple(injection_row(each, row, lang) for each, row in self._known(found.injection)),
            examples=tuple(example_view(each, arm_labels(self.result, lang), lang) for each in found.examples),
            brief=self._brief(),
            words={key: text.to(lang) for key, text in LABELS.items()},
        )

    def _judge(self) -> Judge | None:
        """How the right passage is known: the same for recall and for loss."""
        if self.found.recalls:
            return self.found.recalls[0].judge
        return self.found.losses[0].judge if self.found.losses else None

    # -- which arms the sentences are about ------------------------------------------------------------------

    def _shown(self) -> list[ArmResult]:
        """The few arms that matter to somebody who has to choose: retrieving, retrieving and tuned, tuned only."""
        by_id = {arm.arm_id: arm for arm in self.result.arms if not arm.yardstick}
        ordered = [by_id[arm_id] for arm_id in self.rows if arm_id in by_id]
        kinds = ((True, False), (True, True), (False, True))
        firsts = [next((a for a in ordered if (a.reads_documents, a.tuned) == kind), None) for kind in kinds]
        chosen = by_id.get(self.result.decision.recommended or "")
        picked = [arm for arm in (chosen, *firsts) if arm is not None]
        kept = {(arm.reads_documents, arm.tuned): arm for arm in reversed(picked)}
        return [arm for arm in ordered if arm in kept.values()]

    def _leader(self) -> ArmResult | None:
        """The recommended arm if it looks things up, else the best that does."""
        readers = [arm for arm in self._shown() if arm.reads_documents]
        recommended = [arm for arm in readers if arm.arm_id == self.result.decision.recommended]
        return next(iter([*recommended, *readers]), None)

    def _name(self, arm_id: str) -> Text:
        en, zh = (arm_labels(self.result, lang).get(arm_id, clean(arm_id)) for lang in ("en", "zh"))
        return Text(en=f"“{en}”", zh=f"“{zh}”")

    # -- sentences -------------------------------------------------------------------------------------------

    def _answer(self) -> str:
        seeds = self.result.decision.seed_rows
        return next((clean(seed.why.to(self.lang)) for seed in seeds if seed.row == SETTLES), "")

    def _rules(self) -> tuple[RuleView, ...]:
        seeds = {seed.row: seed for seed in self.result.decision.seed_rows}
        return tuple(
            RuleView(row, RULES[row].to(self.lang), seed.finding, FINDINGS[seed.finding].to(self.lang))
            for row in BEARS_ON
            if (seed := seeds.get(row)) is not None
        )

    def _is_own(self, recall: Recall) -> bool:
        """Whether the leading arm searches in this very way."""
        leader = self._leader()
        config = leader.config if leader else {}
        size = config.get("passage_tokens") or self.found.index.passage_tokens
        own = (config.get("mode"), size, bool(config.get("rerank")))
        return (recall.mode, recall.passage_tokens, recall.reranked) == own

    def _searching(self) -> Recall | None:
        """The way of searching that the leading arm uses, else the best; on the test rows where there are any."""
        ways = [recall for recall in self.found.recalls if recall.at]
        usual = self.found.index.passage_tokens

        def fit(recall: Recall) -> tuple[bool, bool, bool, float]:
            return (
                self._is_own(recall),
                recall.stage == "test",
                recall.passage_tokens == usual,
                recall.at[max(recall.at)].value,
            )

        return max(ways, key=fit, default=None)

    def _lost(self) -> Text | None:
        leader = self._leader()
        splits = {split.arm_id: split for split in self.found.losses}
        if leader is None or leader.arm_id not in splits:
            return None
        return sentences.lost(splits[leader.arm_id], self._name(leader.arm_id))

    def _updating(self) -> Text | None:
        by_arm: dict[str, UpdateCost] = {cost.arm_id: cost for cost in self.found.updates}
        costs = [(self._name(arm.arm_id), by_arm[arm.arm_id]) for arm in self._shown() if arm.arm_id in by_arm]
        return sentences.one_update(costs) if costs else None

    def _on_new(self) -> Text | None:
        by_arm: dict[str, AgeScore] = {age.arm_id: age for age in self.found.ages if age.age == "new"}
        scores = [(self._name(arm.arm_id), by_arm[arm.arm_id]) for arm in self._shown() if arm.arm_id in by_arm]
        return sentences.on_new(scores) if scores else None

    def _brief(self) -> tuple[str, ...]:
        recall = self._searching()
        unread = sentences.unread(len(self.found.problems)) if self.found.problems else None
        unjudged = None if self._judge() else LABELS["no_judge"]
        told = [
            unjudged,
            self._lost(),
            sentences.found(recall) if recall else None,
            self._on_new(),
            self._updating(),
            unread,
        ]
        return tuple(clean(text.to(self.lang)) for text in told if text is not None)

    def _say(self, text: Text | None) -> str:
        return clean(text.to(self.lang)) if text is not None else ""

    # -- tables ----------------------------------------------------------------------------------------------

    def _recalls(self, ks: Sequence[int]) -> tuple[RecallRow, ...]:
        """Test rows first, then the task's own passage size, then as stored."""
        usual, told = self.found.index.passage_tokens, self._searching()
        chosen = told if told is not None and self._is_own(told) else None
        ordered = sorted(self.found.recalls, key=lambda each: (each.stage != "test", each.passage_tokens != usual))
        return tuple(
            recall_row(each, ks, usual=each.passage_tokens == usual, chosen=each is chosen, lang=self.lang)
            for each in ordered
        )

    def _known(self, findings: Iterable[_Finding]) -> list[tuple[_Finding, ArmRow]]:
        """Findings with the row of their arm, in the order of the report."""
        known = [(each, self.rows[each.arm_id]) for each in findings if each.arm_id in self.rows]
        return sorted(known, key=lambda pair: pair[1].number)


def _facts(index: IndexFacts, lang: Lang) -> tuple[Fact, ...]:
    words = {key: text.to(lang) for key, text in LABELS.items()}
    facts = [
        Fact(words["n_documents"], numbers.count(index.n_documents).to(lang)),
        Fact(words["n_passages"], numbers.count(index.n_passages).to(lang)),
        Fact(words["passage_size"], numbers.count(index.passage_tokens).to(lang)),
    ]
    if index.seconds is not None:
        facts.append(Fact(words["index_time"], numbers.duration(index.seconds).to(lang)))
    if index.update_passages is not None:
        name = words["update_time"].replace("{n}", f"{index.update_passages:,}")
        facts.append(Fact(name, numbers.duration(index.update_seconds).to(lang)))
    return tuple(facts)
