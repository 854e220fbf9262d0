"""What a run stores: the contents of ``result.json``, version 1.

The models here are the contract between the pipeline, which fills them, and everything that reads
a saved run (decide, report, other programs). Fields are only ever added within a version.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field

from tuneworth.core.advice import Advice
from tuneworth.core.audit import AuditResult
from tuneworth.core.calibration import ArmCalibration
from tuneworth.core.costs import CostFigure, CostResult
from tuneworth.core.knowledge import DocumentsResult
from tuneworth.core.money import Money
from tuneworth.core.race import Forecast, Power, Race
from tuneworth.core.record import Answer, Interval, Record, Score
from tuneworth.core.task import Task
from tuneworth.core.text import Text

SCHEMA_VERSION = 1

Verdict = Literal["fine_tune", "dont_fine_tune", "not_yet", "cant_tell", "none_meets_limits"]
ArmState = Literal["measured", "skipped", "failed"]
RuleState = Literal["confirmed", "overturned", "open"]
"""How a rule of thumb fared."""


class ArmCost(Record):
    """What an arm cost to make and costs to use. ``None`` means not known, never zero.

    Attributes:
        latency_p95_high_ms: what the 95th percentile of the time for one row does not exceed, for 95 % sure; ``None`` from fewer
            than 59 rows.
        latency_rows: rows that were answered one at a time.
    """

    fit_seconds: float = 0.0
    fit_tokens: int = 0
    seconds_per_1k_rows: float | None = None
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    latency_p95_high_ms: float | None = None
    latency_rows: int = 0
    prompt_tokens_per_row: float | None = None
    cached_tokens_per_row: float | None = None
    completion_tokens_per_row: float | None = None
    fit_usd: float | None = None
    usd_per_1k_rows: float | None = None


class Counts(Record):
    scored: int = 0
    failed: int = 0
    refused: int = 0
    over_limit: int = 0


class AskedAgain(Record):
    """Rows that an arm of a model which may answer differently each time was asked several times, with the same words.

    Attributes:
        n_answers: passes over the rows, the first among them.
        changed: how likely another answer is when a row is asked again: of pairs of answers to one row, the share that differ.
        score_changed: the same of scores of the primary metric.
        scores: mean score of each pass, over the rows that every pass scored.
    """

    n_answers: int
    changed: Score
    score_changed: float
    scores: list[float]


class ArmResult(Record):
    """One arm: strategy × model × config.

    Attributes:
        local: rows stay on this machine; ``None`` when not known, which a private task does not accept.
        tuned: the arm changes the weights of a language model (this is what "fine-tune" means).
        yardstick: measured for scale (most frequent answer, nearest row, gold passages); the test rows that finalists were asked
            are answered by those without gold passages too.
        fallback: a yardstick that may be used as it is where nothing is shown to be better, and is recommended then.
        reads_documents: it looks things up in the task's documents before it answers.
        finalist: the arm was scored on the test rows.
        dev, test: metric id → score; ``test`` is empty unless the arm was a finalist.
        dev_counts, test_counts: rows by status.
        n_train: training rows that the scored fit was made on, for an arm that was tried on several sizes.
        repeats: test scores of further trainings with other seeds; ``test`` is that of the first.
        model_ends: day (``2027-01-14``) on which the service of its model will end it, as its list of models said; ``None``: not said.
        again: stage (``dev``, ``test``) → what changed when rows were asked again; empty for a model that answers the same
            each time, and where time or money did not reach. ``test`` and comparisons take the mean score of a row's answers.
        calibration: of an arm that says how likely its answers are: whether that can be trusted.
        solver_folder: where its solver is kept, from the run's folder.
        notes: what a reader should know (training stopped early, cut by the budget, …).
    """

    arm_id: str
    strategy: str
    model: str | None
    local: bool | None = None
    config: dict[str, Any]
    title: Text
    effort: int
    tuned: bool = False
    yardstick: bool = False
    fallback: bool = False
    reads_documents: bool = False
    finalist: bool = False
    state: ArmState
    why: Text | None = None
    dev: dict[str, Score] = Field(default_factory=dict)
    test: dict[str, Score] = Field(default_factory=dict)
    dev_counts: Counts = Counts()
    test_counts: Counts = Counts()
    cost: ArmCost = ArmCost()
    n_train: int | None = None
    repeats: list[Score] = Field(default_factory=list[Score])
    model_ends: str | None = None
    again: dict[str, AskedAgain] = Field(default_factory=dict[str, AskedAgain])
    calibration: ArmCalibration | None = None
    solver_folder: str | None = None
    notes: list[Text] = Field(default_factory=list[Text])
    fit_details: dict[str, Any] = Field(default_factory=dict)


class Comparison(Record):
    """Arm ``a`` against arm ``b`` on the test rows that both scored; ``difference`` is a − b.

    ``answer`` reads "a is … than b". ``rows_needed`` is the estimated number of test rows that
    would settle a ``cant_tell``; ``None`` when it cannot be estimated. ``n_groups`` are the groups of rows that belong together
    (near-copies, rows of one customer) and ``n_effective`` the independent rows that they are worth for this difference; both
    ``None`` when each row is on its own.
    """

    a: str
    b: str
    metric: str
    method: str
    difference: float
    interval: Interval
    p_value: float
    p_adjusted: float
    n_rows: int
    wins: int
    losses: int
    ties: int
    margin: float
    answer: Answer
    rows_needed: int | None = None
    n_groups: int | None = None
    n_effective: float | None = None


class SeedFinding(Record):
    """What the run says about a row of the seed article (ids N1 … X6)."""

    row: str
    finding: RuleState
    why: Text


class Decision(Record):
    """The verdict and everything a reader needs to trust or overturn it.

    Attributes:
        decided_by: the arms ``(a, b)`` whose comparison the verdict hangs on, when there is one.
        rows: for ``cant_tell``, how many more test rows are needed; for ``not_yet``, training rows.
        would_change: what would change the verdict.
        codes: of the headline and of the reasons, in their order: what they say, for programs. Empty in runs of old versions.
    """

    verdict: Verdict
    recommended: str | None
    runner_up: str | None
    decided_by: tuple[str, str] | None = None
    rows: int | None = None
    headline: Text
    reasons: list[Text]
    would_change: list[Text]
    seed_rows: list[SeedFinding] = Field(default_factory=list[SeedFinding])
    codes: list[str] = Field(default_factory=list[str])


class DataSummary(Record):
    """How the rows became a split.

    Attributes:
        inferred: what was inferred and why (fields, kind, metric), one sentence each.
        n_leaks: rows of the user's own test file left out because they repeat train rows.
        doubts: those of ``warnings`` that put any verdict on these rows in doubt: a column that matters is not read.
    """

    files: dict[str, str] = Field(default_factory=dict, description="file name → SHA-256")
    n_read: int
    n_rejected: int
    n_groups: int
    n_leaks: int = 0
    n_train: int
    n_dev: int
    n_test: int
    split_digest: str
    inferred: list[Text] = Field(default_factory=list[Text])
    warnings: list[Text] = Field(default_factory=list[Text])
    doubts: list[Text] = Field(default_factory=list[Text])


class RowView(Record):
    """A test row on which the finalists disagree: arm id → (answer, score of the primary metric)."""

    row_id: str
    source: str
    text: str
    reference: str
    answers: dict[str, str | None]
    scores: dict[str, float | None]


class ClassRow(Record):
    """One class on the test rows: arm id → share of its rows answered right."""

    label: str
    n_rows: int
    recall: dict[str, float]


class Destination(Record):
    """A model or encoder that is not on this machine.

    Attributes:
        host: of its address; empty when not known.
    """

    name: str
    host: str
    gets: Literal["rows", "documents_and_questions"]


class Sent(Record):
    """What may have left this machine.

    Attributes:
        personal: what became of personal data and secrets in it: none were found, they were masked, or sent as they are; or a library
            was missing to look for them. By all
            starts of the run: one that sent them as they are counts.
        n_rows, n_documents: that arms may send or be asked about, train, dev and test; ``_personal``: those that hold some.
        kinds: kind → rows and documents that hold it.
    """

    destinations: list[Destination]
    personal: Literal["none_found", "masked", "as_they_are", "not_looked_for"]
    n_rows: int
    n_rows_personal: int
    n_documents: int = 0
    n_documents_personal: int = 0
    kinds: dict[str, int] = Field(default_factory=dict[str, int])


class Provenance(Record):
    version: str
    git: str | None = None
    created: str
    command: str
    seed: int
    machine: dict[str, Any]
    libraries: dict[str, str]
    models: dict[str, dict[str, Any]] = Field(default_factory=dict)


class NewestScore(Record):
    """A finalist on the test rows that are dated ``since`` or later, and on the others.

    ``difference``: interval of newest − older, rows of the two sides being independent.
    """

    arm_id: str
    since: date
    newest: Score
    older: Score
    difference: Interval


class RunResult(Record):
    """A finished run.

    Attributes:
        against_yardsticks: finalists, and fallbacks, against each yardstick on the test rows; no family, so not adjusted. Empty in old runs.
        audit: what the rows themselves said before anything ran.
        advice: what was expected before anything ran; a run in which it was not asked has none.
        power: what the rows can show, as told before the start.
        race: how the dev rows were spent.
        forecasts: learning curves of the arms that were tried on several sizes.
        budget_seconds: the time that the run was allowed, money counted as the time that it pays for.
        usd_per_label: price of one more labelled row, when the task gives it.
        usd_per_error: what a wrong answer costs, when the task says so.
        documents: what was found out about the documents, for a task that has some.
        newest: the finalists on the newest test rows, where rows have dates.
        sent: what may have left this machine; ``None`` when nothing has, and in old runs.
        max_new_tokens: longest answer that a model was let write, in its tokens; who answers with an arm later needs it.
        money: what services were paid; ``None`` for a run in which no model is paid for by call.
        costs: what each arm costs at the user's volume; ``None`` in runs of old versions.
    """

    schema_version: int = SCHEMA_VERSION
    run_id: str
    task: Task
    data: DataSummary
    audit: AuditResult | None = None
    advice: Advice | None = None
    metrics: list[str]
    primary_metric: str
    arms: list[ArmResult]
    comparisons: list[Comparison]
    against_yardsticks: list[Comparison] = Field(default_factory=list[Comparison])
    decision: Decision
    disagreements: list[RowView] = Field(default_factory=list[RowView])
    classes: list[ClassRow] = Field(default_factory=list[ClassRow])
    machine_usd_per_hour: float | None = None
    budget_seconds: float | None = None
    usd_per_label: float | None = None
    usd_per_error: CostFigure | None = None
    power: Power | None = None
    race: Race | None = None
    forecasts: list[Forecast] = Field(default_factory=list[Forecast])
    documents: DocumentsResult | None = None
    newest: list[NewestScore] = Field(default_factory=list[NewestScore])
    sent: Sent | None = None
    max_new_tokens: int | None = None
    money: Money | None = None
    costs: CostResult | None = None
    wall_seconds: float
    peak_memory_mb: float
    provenance: Provenance

    def table(self) -> list[dict[str, Any]]:
        """One row an arm, plain values only, as for ``pandas.DataFrame``: scores of the primary metric with their 95 % ends.

        What was not measured is ``None``.
        """
        return [self._row(arm) for arm in self.arms]

    def _row(self, arm: ArmResult) -> dict[str, Any]:
        sides: dict[str, Any] = {}
        for name, scores in (("dev", arm.dev), ("test", arm.test)):
            score = scores.get(self.primary_metric)
            ends = (None, None, None) if score is None else (score.value, score.interval.low, score.interval.high)
            sides |= dict(zip((name, f"{name}_low", f"{name}_high"), ends))
        return {
            "arm": arm.title.en,
            "arm_id": arm.arm_id,
            "strategy": arm.strategy,
            "model": arm.model,
            "state": arm.state,
            "tuned": arm.tuned,
            "recommended": arm.arm_id == self.decision.recommended,
            **sides,
            "ms_per_row": arm.cost.seconds_per_1k_rows,  # seconds per 1,000 rows
            "fit_seconds": arm.cost.fit_seconds,
            "usd_per_1k_rows": arm.cost.usd_per_1k_rows,
        }
