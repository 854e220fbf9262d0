"""The page on documents: from the stored findings to tables and sentences in one language.

The sentences tell what was measured. What follows from it is the decision's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from tuneworth.core.knowledge import DocumentsResult, Grounding, Injection, LossSplit, Recall, UpdateCost
from tuneworth.core.run import ArmResult, RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages import Fact
from tuneworth.report.pages.arms import ArmRow, arm_labels
from tuneworth.report.pages.documents_tables import (
    ExampleView,
    FoundRow,
    RecallRow,
    age_rows,
    amount,
    between,
    counted,
    example_view,
    grounding_row,
    injection_row,
    loss_row,
    no_answer_row,
    recall_row,
    search_name,
    update_row,
)
from tuneworth.report.plain import clean, one_line
from tuneworth.words import numbers
from tuneworth.words.names import joined, listed, quoted
from tuneworth.words.say import say, table

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
        ranked: ranks were measured, which takes gold passages.
        found, lost, renewed, updating: one sentence each on the arms that a reader would pick; empty without figures.
        ages_by: how old and new knowledge were told apart.
        retrains: some arm has to be trained again when documents change.
        abstaining: arms that could say "not in the documents".
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
    ranked: bool
    lost: str
    losses: tuple[FoundRow, ...]
    renewed: str
    ages_by: str
    ages: tuple[FoundRow, ...]
    updating: str
    often: str
    updates: tuple[FoundRow, ...]
    retrains: bool
    grounding: tuple[FoundRow, ...]
    abstaining: tuple[FoundRow, ...]
    injection: tuple[FoundRow, ...]
    examples: tuple[ExampleView, ...]
    brief: tuple[str, ...]
    words: dict[str, str]


def build_documents(result: RunResult, arms: Sequence[ArmRow], lang: Lang) -> DocumentsSection | None:
    """``None`` for a run without documents."""
    if result.documents is None:
        return None
    return _Builder(result, result.documents, arms, lang).section()


class _Builder:
    """Puts one run's findings into one language.

    Attributes:
        rows: the arms in the order of the report.
        shown: the few arms that matter to somebody who has to choose: retrieving, retrieving and tuned, tuned only.
        leader: the recommended arm if it looks things up, else the best that does.
    """

    def __init__(self, result: RunResult, found: DocumentsResult, arms: Sequence[ArmRow], lang: Lang):
        self.result, self.found = result, found
        self.lang: Lang = lang
        self.rows = {row.arm_id: row for row in arms}
        self.names = arm_labels(result, lang)
        by_id = {arm.arm_id: arm for arm in result.arms if not arm.yardstick}
        chosen = by_id.get(result.decision.recommended or "")
        ordered = [by_id[arm_id] for arm_id in self.rows if arm_id in by_id]
        of_kind: dict[tuple[bool, bool], ArmResult] = {}
        for arm in (chosen, *ordered):
            if arm is not None and (arm is chosen or arm.reads_documents or arm.tuned):
                of_kind.setdefault((arm.reads_documents, arm.tuned), arm)
        self.shown = [arm for arm in ordered if arm in of_kind.values()]
        readers = [arm for arm in self.shown if arm.reads_documents]
        self.leader = next(iter([arm for arm in readers if arm is chosen] + readers), None)

    def section(self) -> DocumentsSection:
        found, lang = self.found, self.lang
        words = {key: text.to(lang) for key, text in table("documents.labels").items()}
        # How the right passage is known is the same for recall and for loss.
        judge = next((each.judge for each in (*found.recalls, *found.losses)), None)
        way, lost, on_new, updating = self._searching(), self._lost(), self._on_new(), self._updating()
        searched = self._found(way) if way else None
        n_unread = len(found.problems)
        unread = say("documents.unread.many", n=n_unread) if n_unread > 1 else say("documents.unread.one")
        brief = (
            None if judge else table("documents.labels")["no_judge"],
            lost,
            searched,
            on_new,
            updating,
            unread if n_unread else None,
        )
        controlled = any(each.control and each.arm_id in self.rows for each in found.injection)
        return DocumentsSection(
            answer=next((self._say(s.why) for s in self.result.decision.seed_rows if s.row == SETTLES), ""),
            rules=self._rules(),
            facts=self._facts(words),
            encoder=one_line(found.index.encoder) if found.index.encoder else words["no_encoder"],
            problems=tuple(self._say(problem) for problem in found.problems),
            ks=tuple(sorted({k for recall in found.recalls for k in recall.at})),
            judged=table("documents.judges")[judge].to(lang) if judge else "",
            axis=table("documents.axes")[judge].to(lang) if judge else "",
            found=self._say(searched),
            recalls=self._recalls(way),
            ranked=any(recall.mrr or recall.ndcg for recall in found.recalls),
            lost=self._say(lost),
            losses=self._table(found.losses, loss_row),
            renewed=self._say(on_new),
            ages_by=self._say(found.ages_by),
            ages=age_rows(found.ages, self.rows, lang),
            updating=self._say(updating),
            often=self._often(),
            updates=self._table(found.updates, update_row),
            retrains=any(cost.absorbs == "retrain" and cost.arm_id in self.rows for cost in found.updates),
            grounding=self._table(found.grounding, grounding_row),
            abstaining=self._table((each for each in found.grounding if each.no_answer), no_answer_row),
            injection=self._table(found.injection, partial(injection_row, controlled=controlled)),
            examples=tuple(example_view(each, self.names, lang) for each in found.examples),
            brief=tuple(self._say(text) for text in brief if text is not None),
            words=words,
        )

    def _say(self, text: Text | None) -> str:
        return clean(text.to(self.lang)) if text is not None else ""

    def _name(self, arm: ArmResult) -> Text:
        return quoted(self.names[arm.arm_id])

    def _table(
        self, findings: Iterable[_Finding], row_of: Callable[[_Finding, ArmRow, Lang], FoundRow]
    ) -> tuple[FoundRow, ...]:
        """Findings about arms that are in the report, in its order."""
        rows = (row_of(each, self.rows[each.arm_id], self.lang) for each in findings if each.arm_id in self.rows)
        return tuple(sorted(rows, key=lambda row: row.arm.number))

    def _rules(self) -> tuple[RuleView, ...]:
        seeds = {seed.row: seed for seed in self.result.decision.seed_rows}
        return tuple(
            RuleView(
                row,
                say(f"rules.{row}").to(self.lang),
                seed.finding,
                say(f"report.findings.{seed.finding}").to(self.lang),
            )
            for row in BEARS_ON
            if (seed := seeds.get(row)) is not None
        )

    def _facts(self, words: dict[str, str]) -> tuple[Fact, ...]:
        index, lang = self.found.index, self.lang
        facts = [
            Fact(words["n_documents"], numbers.count(index.n_documents).to(lang)),
            Fact(words["n_passages"], numbers.count(index.n_passages).to(lang)),
            Fact(words["passage_size"], numbers.count(index.passage_tokens).to(lang)),
        ]
        if index.seconds is not None:
            facts.append(Fact(words["index_time"], numbers.duration(index.seconds).to(lang)))
        if index.update_passages is not None:
            name = say("documents.update_time", n=index.update_passages).to(lang)
            facts.append(Fact(name, numbers.duration(index.update_seconds).to(lang)))
        return tuple(facts)

    # -- searching ---------------------------------------------------------------------------------------------

    def _is_own(self, recall: Recall) -> bool:
        """Whether the leading arm searches in this very way."""
        config = self.leader.config if self.leader else {}
        size = config.get("passage_tokens") or self.found.index.passage_tokens
        own = (config.get("mode"), size, bool(config.get("rerank")))
        return (recall.mode, recall.passage_tokens, recall.reranked) == own

    def _searching(self) -> Recall | None:
        """The way of searching that the leading arm uses, else the best; on the test rows where there are any."""
        usual = self.found.index.passage_tokens

        def fit(recall: Recall) -> tuple[bool, bool, bool, float]:
            on_test, best = recall.stage == "test", recall.at[max(recall.at)].value
            return self._is_own(recall), on_test, recall.passage_tokens == usual, best

        return max((recall for recall in self.found.recalls if recall.at), key=fit, default=None)

    def _recalls(self, told: Recall | None) -> tuple[RecallRow, ...]:
        """Test rows first, then the task's own passage size, then as stored."""
        usual = self.found.index.passage_tokens
        ks = sorted({k for recall in self.found.recalls for k in recall.at})
        chosen = told if told is not None and self._is_own(told) else None
        ordered = sorted(self.found.recalls, key=lambda each: (each.stage != "test", each.passage_tokens != usual))
        return tuple(
            recall_row(each, ks, usual=each.passage_tokens == usual, chosen=each is chosen, lang=self.lang)
            for each in ordered
        )

    def _found(self, recall: Recall) -> Text:
        """How often the first passage, and the first few, are the right ones."""
        ks = sorted(recall.at)
        places = [
            say(f"documents.first.{recall.judge}") if k == 1 else say(f"documents.among_first.{recall.judge}", k=k)
            for k in ks
        ]
        shares = [numbers.score(recall.at[k]) for k in ks]
        first = say(f"documents.found.{recall.judge}", share=shares[0], place=places[0])
        mode, rows = search_name(recall), counted(recall.at[ks[-1]].n_rows, recall.stage)
        if len(ks) == 1:
            return say("documents.found.one", mode=mode, first=first, rows=rows)
        more = say("documents.found.more", share=shares[-1], place=places[-1])
        return say("documents.found.two", mode=mode, first=first, more=more, rows=rows)

    # -- the arms that a reader would pick ---------------------------------------------------------------------

    def _lost(self) -> Text | None:
        """How much the leader loses, and of that in reading and in retrieval, with the intervals."""
        split = next((each for each in self.found.losses if self.leader and each.arm_id == self.leader.arm_id), None)
        if split is None or self.leader is None:
            return None
        score = 1 - split.reading.value - split.retrieval.value
        rows = counted(split.n_rows, split.stage)
        scores = say("documents.lost.scores", arm=self._name(self.leader), score=numbers.percent(score), rows=rows)
        if split.n_found == 0:
            return say("documents.lost.unseen", scores=scores)
        reading, retrieval = (
            joined((amount(part), numbers.in_parentheses(between(part)))) for part in (split.reading, split.retrieval)
        )
        if split.retrieval.value < 0:
            return say("documents.lost.in_reading", scores=scores, reading=reading)
        points = f"{100 * (1 - score):.1f}"
        return say("documents.lost.in_both", scores=scores, points=points, reading=reading, retrieval=retrieval)

    def _on_new(self) -> Text | None:
        """Scores on new knowledge, side by side."""
        scores = {age.arm_id: numbers.score(age.score) for age in self.found.ages if age.age == "new"}
        arms = [
            say("documents.on_new_arm", arm=self._name(arm), score=scores[arm.arm_id])
            for arm in self.shown
            if arm.arm_id in scores
        ]
        return say("documents.on_new", arms=listed(arms)) if arms else None

    def _updating(self) -> Text | None:
        """What one update takes, side by side."""
        costs, arms = {cost.arm_id: cost for cost in self.found.updates}, list[Text]()
        for arm in self.shown:
            cost, name = costs.get(arm.arm_id), self._name(arm)
            if cost is None:
                continue
            if cost.absorbs == "nothing":
                arms.append(say("reasons.update.nothing", arm=name))
            elif not numbers.is_known(cost.seconds):
                arms.append(say(f"documents.updates_unknown.{cost.absorbs}", arm=name))
            else:
                arms.append(say(f"documents.updates.{cost.absorbs}", arm=name, time=numbers.duration(cost.seconds)))
        return say("documents.update", arms=listed(arms)) if arms else None

    def _often(self) -> str:
        """How often knowledge changes; empty where the task does not say."""
        days = self.found.knowledge_every_days
        if not days:
            return ""
        n = f"{days:g}"
        return (say("documents.changes.daily") if n == "1" else say("documents.changes.days", n=n)).to(self.lang)
