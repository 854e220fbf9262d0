"""Wrong labels: is the ranking right, and the estimated rate?

**Real errors.** noisy_agnews has labels by majority of three people and, in `audit_gold.jsonl`, the true ones. The
ranking is scored by AUROC and by the precision of its first 500 rows, the rate against the true one. The same inputs
with their true labels are audited as well: what is said of those is the error of the method.

**Planted errors.** In other sets the labels count as true and 10 % or 30 % of them are replaced: by any other label
("random"), or by the label that a classifier trained on the true ones likes second best, most often on rows that it
finds hard ("confusable", nearer to what people do).

**Clean sets.** What is said of sets as they are. Their true rate is not known; a high estimate would be the model's
own error.

**Style.** Consistency of voice of sets by one hand or in one genre, and of mixtures of two made from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tuneworth.audit import Embed, Subject
from tuneworth.audit.label_noise import Judged, judge
from tuneworth.audit.style.voice import consistency, halves_of
from tuneworth.core.task import Example
from tuneworth.data.load import load
from tuneworth.data.taskfile import task_file_for

CLEAN = ("sms_spam", "banking77", "csl_category_zh")
PLANTED = ("sms_spam", "banking77")
SHARES = (0.1, 0.3)
TOP = 500
VOICES = {
    "classical_zh outputs": (("classical_zh", "output"),),
    "classical_zh inputs": (("classical_zh", "input"),),
    "e2e_nlg outputs": (("e2e_nlg", "output"),),
    "mts_dialog outputs": (("mts_dialog", "output"),),
    "noisy_agnews inputs": (("noisy_agnews", "input"),),
    "classical + modern Chinese": (("classical_zh", "output"), ("classical_zh", "input")),
    "e2e_nlg + mts_dialog outputs": (("e2e_nlg", "output"), ("mts_dialog", "output")),
    "banking77 + sms_spam inputs": (("banking77", "input"), ("sms_spam", "input")),
}
"""What is measured as one text set; two parts are mixed half and half."""


class Case(NamedTuple):
    """A set of rows with labels of which ``wrong`` are known to be wrong; ``None`` where nobody knows."""

    name: str
    subject: Subject
    wrong: np.ndarray | None


def measure(data: Path) -> str:
    """Both tables as Markdown."""
    lines = [
        "### Wrong labels",
        "",
        "| labels | rows | true rate | estimate | range | confident learning | AUROC | precision at 500 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(case) for case in cases(data)]
    lines += ["", "### One voice or two", "", "| texts | judged | consistency | 95 % |", "|---|---|---|---|"]
    lines += [_voice(name, data) for name in VOICES]
    return "\n".join(lines)


def cases(data: Path) -> Iterator[Case]:
    """All cases, the real errors first."""
    news = _subject(data / "noisy_agnews")
    gold = _gold(data / "noisy_agnews")
    wrong = np.array([gold[row.id] != row.output for row in news.train])
    yield Case("noisy_agnews, by people", news, wrong)
    yield Case("noisy_agnews, true", _relabelled(news, [gold[row.id] for row in news.train]), np.zeros_like(wrong))
    for name in CLEAN:
        subject = _subject(data / name)
        yield Case(f"{name}, as it is", subject, None)
        if name in PLANTED:
            yield from _planted(name, subject)


def _planted(name: str, subject: Subject) -> Iterator[Case]:
    judged = judge(subject)
    rows = replace(subject, train=judged.rows)
    for share in SHARES:
        for how, labels in (("random", _random(judged, share)), ("confusable", _confusable(judged, share))):
            wrong = np.array([label != row.output for label, row in zip(labels, judged.rows)])
            yield Case(f"{name}, {share:.0%} {how}", _relabelled(rows, labels), wrong)


def _random(judged: Judged, share: float) -> list[str]:
    rng = np.random.default_rng(1)
    n, k = len(judged.rows), len(judged.names)
    moved = (judged.labels + rng.integers(1, k, n)) % k
    return [judged.names[at] for at in np.where(rng.random(n) < share, moved, judged.labels)]


def _confusable(judged: Judged, share: float) -> list[str]:
    rng = np.random.default_rng(2)
    n = len(judged.rows)
    others = judged.probabilities.copy()
    others[np.arange(n), judged.labels] = 0
    doubt = others.sum(axis=1)
    chance = np.clip(doubt / doubt.sum() * share * n, 0, 0.9)
    return [judged.names[at] for at in np.where(rng.random(n) < chance, others.argmax(axis=1), judged.labels)]


def _row(case: Case) -> str:
    from sklearn.metrics import roc_auc_score

    judged = judge(case.subject)
    rate, scored = judged.rate, ("", "", "")
    if case.wrong is not None:
        place = {row.id: at for at, row in enumerate(case.subject.train)}
        wrong = case.wrong[[place[row.id] for row in judged.rows]]
        first = wrong[np.argsort(-judged.doubts, kind="stable")[:TOP]]
        scored = (f"{wrong.mean():.1%}", "", "")
        if wrong.any():
            scored = (f"{wrong.mean():.1%}", f"{roc_auc_score(wrong, judged.doubts):.3f}", f"{first.mean():.1%}")
    told = f"{rate.estimate:.1%}" if rate.told else f"not told ({rate.estimate:.1%})"
    return (
        f"| {case.name} | {len(judged.rows):,} | {scored[0]} | {told} | {rate.interval.low:.1%} to "
        f"{rate.interval.high:.1%} | {rate.confident:.1%} | {scored[1]} | {scored[2]} |"
    )


def _voice(name: str, data: Path) -> str:
    texts: list[str] = []
    parts = [_texts(data / folder, field) for folder, field in VOICES[name]]
    size = min(map(len, parts)) if len(parts) > 1 else 3_000
    for at, part in enumerate(parts):  # the second part from other rows than the first
        texts += part[:size] if at == 0 else part[-size:]
    halves = halves_of(texts)
    found = consistency(halves, np.random.default_rng(1))
    low, high = found.interval.low, found.interval.high
    return f"| {name} | {len(halves.of_text):,} | {found.value:.2f} | {low:.2f} to {high:.2f} |"


def _texts(folder: Path, field: str) -> list[str]:
    lines = (folder / "train.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)[field] for line in lines][:3_000]


def _subject(folder: Path) -> Subject:
    loaded = load(task_file_for(folder / "train.jsonl"))
    embed = _remembered(_encoder()) if loaded.task.language == "en" else None
    return Subject(loaded.task, loaded.examples, embed=embed)


def _gold(folder: Path) -> dict[str, str]:
    lines = (folder / "audit_gold.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["id"]: row["gold"] for row in map(json.loads, lines)}


def _relabelled(subject: Subject, labels: Sequence[str]) -> Subject:
    rows: tuple[Example, ...] = tuple(
        replace(row, output=label, references=(label,)) for row, label in zip(subject.train, labels, strict=True)
    )
    return replace(subject, train=rows)


@cache
def _encoder() -> Embed:
    from tuneworth.models.catalog import open_encoder

    return open_encoder().encode


def _remembered(embed: Embed) -> Embed:
    """``embed`` that embeds a text once: every case of a set has the same inputs."""
    known: dict[str, np.ndarray] = {}

    def remember(texts: Sequence[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, embed(new)))
        return np.stack([known[text] for text in texts])

    return remember
