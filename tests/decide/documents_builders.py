"""Tasks with documents in miniature: finalists of every kind, and what a run found out about the documents."""

from itertools import product

from decide_builders import METRIC, arm, compared, score, task

from tuneworth.core.knowledge import (
    AgeScore,
    DocumentsResult,
    Grounding,
    IndexFacts,
    Injection,
    LossSplit,
    Share,
    UpdateCost,
)
from tuneworth.core.outcome import Stage
from tuneworth.core.run import Interval
from tuneworth.core.text import Text
from tuneworth.decide.decision import decide
from tuneworth.stats.intervals import wilson

READERS = ("rag", "lora_rag", "oracle")
EFFORT = {"prompt": 0, "fewshot": 1, "rag": 2, "lora": 5, "lora_rag": 6, "oracle": 2}
N = 300


def finalist(strategy, right, n=N, **more):
    """``lora`` learned by heart, ``rag`` and ``lora_rag`` look things up."""
    fields = {
        "strategy": strategy,
        "arm_id": strategy,
        "title": Text(en=strategy.upper(), zh=f"方案{strategy}"),
        "effort": EFFORT[strategy],
        "config": {"k": 3},
        "tuned": strategy in ("lora", "lora_rag"),
        "reads_documents": strategy in READERS,
        "yardstick": strategy == "oracle",
    }
    return arm("prompt", right, n).model_copy(update={**fields, **more})


def run_of(n=N, **right):
    """Finalists with so many rows right, and their rows: whoever is better has all that the other has."""
    arms = [finalist(name, n_right, n) for name, n_right in right.items()]
    rows = {name: {f"r{i}": float(i < n_right) for i in range(n)} for name, n_right in right.items()}
    return arms, rows


def share(value, half=0.0, low=None, high=None):
    interval = Interval(low=value - half if low is None else low, high=value + half if high is None else high)
    return Share(value=value, interval=interval)


def loss(arm_id, reading, retrieval, *, n=N, found=0.95, stage: Stage = "test", oracle=None):
    """``reading`` and ``retrieval`` are (value, half of the interval)."""
    n_found = round(found * n)
    return LossSplit(
        arm_id=arm_id,
        stage=stage,
        judge="gold",
        n_rows=n,
        n_found=n_found,
        score_found=None,
        score_missed=None,
        reading=share(*reading),
        retrieval=share(*retrieval),
        oracle=oracle,
    )


def age(arm_id, new, old=None, *, n=200, stages=("test",)):
    """Scores on new and on old knowledge, in rows right of ``n``."""
    pairs = [("new", new), ("old", old)]
    return [
        AgeScore(arm_id=arm_id, age=name, stages=list(stages), score=score(right, n))
        for name, right in pairs
        if right is not None
    ]


def update(arm_id, absorbs, seconds=None, usd=None, per_year=52.2):
    runs = per_year if absorbs != "nothing" else None
    return UpdateCost(arm_id=arm_id, absorbs=absorbs, seconds=seconds, usd=usd, runs_per_year=runs)


UPDATES = [
    update("lora", "retrain", 310.0, 0.02),
    update("rag", "index", 2.5, 0.0002),
    update("lora_rag", "index", 2.5, 0.0002),
    update("prompt", "nothing"),
    update("fewshot", "nothing"),
]


def grounding(arm_id, right, n):
    supported = Share(value=right / n, interval=wilson(right, n))
    whole = share(1.0, low=0.9, high=1.0)
    return Grounding(
        arm_id=arm_id, stage="test", n_answers=n, cited=whole, real=None, supported=supported, by_words=supported
    )


def injection(arm_id, obeyed, n):
    share_of = Share(value=obeyed / n, interval=wilson(obeyed, n))
    return Injection(arm_id=arm_id, n_rows=n, changed=share_of, obeyed=share_of)


def known(**fields):
    index = IndexFacts(n_documents=240, n_passages=240, passage_tokens=240, encoder="tiny", seconds=9.0)
    return DocumentsResult(index=index, **fields)


def decided_with(run, documents, the_task=None, more_arms=()):
    arms, rows = run
    the_task = the_task or task(kind="text")
    return decide(
        the_task,
        [*arms, *more_arms],
        compared(rows, the_task.margin),
        primary_metric=METRIC,
        n_train=800,
        documents=documents,
    )


def text_of(decision, lang="en"):
    """Everything the decision says, by part."""
    return {
        "headline": decision.headline.to(lang),
        "reasons": "\n".join(text.to(lang) for text in decision.reasons),
        "changes": "\n".join(text.to(lang) for text in decision.would_change),
        **{f.row: f"{f.finding}: {f.why.to(lang)}" for f in decision.seed_rows},
    }


def situations():
    """Every kind of run with every kind of finding, for what must hold of all sentences."""
    runs = [
        run_of(lora=120, rag=200, lora_rag=260, prompt=60),
        run_of(lora=120, rag=250, lora_rag=251, prompt=60),
        run_of(lora=260, rag=150, prompt=60),
        run_of(lora=260, rag=150, lora_rag=152, prompt=60),
        run_of(rag=240, prompt=60),
        run_of(lora_rag=240, lora=100),
        run_of(n=40, lora=20, rag=24, lora_rag=26),
    ]
    losses = [
        (),
        (loss("rag", (0.25, 0.04), (0.03, 0.02)), loss("lora_rag", (0.12, 0.02), (0.04, 0.03))),
        (loss("rag", (0.01, 0.005), (0.25, 0.04), found=0.6),),
        (loss("rag", (0.1, 0.04), (0.12, 0.04)), loss("lora_rag", (0.005, 0.004), (0.002, 0.002))),
        (loss("rag", (0.06, 0.06), (0.05, 0.06), stage="dev"),),
        (loss("rag", (0.0, 0.5), (0.9, 0.5), found=0.0), loss("lora_rag", (0.3, 0.02), (-0.03, 0.02))),
    ]
    ages = [[], [*age("lora", 20, 150), *age("rag", 120, 130), *age("lora_rag", 170), *age("prompt", 12)]]
    trust = [{}, {"grounding": [grounding("rag", 20, 60), grounding("lora_rag", 7, 10)]}]
    trust += [{"injection": [injection("rag", 12, 20), injection("lora_rag", 2, 20)]}]
    for run, losses_, ages_, trust_, days in product(runs, losses, ages, trust, (None, 1.0, 7.0)):
        yield run, known(losses=list(losses_), ages=ages_, knowledge_every_days=days, updates=UPDATES, **trust_)
