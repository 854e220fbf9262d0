"""How well, how fast and how freshly passages are found.

    python benchmarks/retrieval.py quality --data DATA [--only xquad_zh]  # recall on xquad_en and xquad_zh, all test questions
    python benchmarks/retrieval.py quality --data DATA --reranker FOLDER [--depth 10]  # English, hybrid search read again
    python benchmarks/retrieval.py update --data DATA     # seconds to absorb the new documents
    python benchmarks/retrieval.py scale [--rows 20000]   # time and memory to index, latency of a query
    python benchmarks/retrieval.py scale --no-model       # the index alone: vectors of hashed words, in no time

DATA holds xquad_en and xquad_zh: docs.jsonl (whole paragraphs), chunks.jsonl (cut at sentence ends), test.jsonl.
The embedding model is the embedded one for the language: MiniLM, or multilingual-e5-small for Chinese. The passages of
``scale`` are made here, by recombining clauses; their questions are the first nine words of a passage.
Prints Markdown.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import tempfile
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.documents import Passage
from tuneworth.core.task import Language
from tuneworth.models import catalog
from tuneworth.models.base import Encoder, TextRole
from tuneworth.models.encoders import encoder_for
from tuneworth.retrieval import measure
from tuneworth.retrieval.hits import Hit, Mode
from tuneworth.retrieval.index import RERANK_DEPTH, PassageIndex, open_or_build
from tuneworth.retrieval.rerank import Reranker, open_reranker
from tuneworth.stats.intervals import mean_interval

DEPTHS = (1, 5, 10)


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def as_passage(row: dict[str, Any], *, with_title: bool = True) -> Passage:
    """A row of docs.jsonl or chunks.jsonl."""
    title = row["title"] if with_title else ""
    digest = hashlib.sha256(f"{title}\0{row['text']}".encode()).hexdigest()
    return Passage(
        id=row["id"],
        document_id=row.get("doc_id", row["id"]),
        title=title,
        text=row["text"],
        digest=digest,
        doc_set=row["doc_set"],
    )


_SETS: tuple[tuple[str, Language], ...] = (("xquad_en", "en"), ("xquad_zh", "zh"))


def quality(data: Path, reranker: str | None, depth: int, only: str | None = None) -> str:
    """Recall, MRR and nDCG of every way to search, for whole passages, without their titles, and for chunks.

    With a reranker: of the hybrid search of the whole English passages, without it and with it.
    """
    reader = open_reranker(reranker) if reranker is not None else None
    columns = ["passages", "search", *(f"recall@{k} (95 %)" for k in DEPTHS), "MRR", "nDCG@10", "answer@5", "ms"]
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for name, language in _SETS[: 1 if reader is not None else None]:
        if only not in (None, name):
            continue
        used = catalog.open_encoder(encoder_for(language))
        folder = data / name
        whole = read_rows(folder / "docs.jsonl")
        kinds = {
            "": [as_passage(row) for row in whole],
            " without titles": [as_passage(row, with_title=False) for row in whole],
            " chunks": [as_passage(row) for row in read_rows(folder / "chunks.jsonl")],
        }
        if reader is not None:
            kinds = {"": kinds[""]}
        questions = read_rows(folder / "test.jsonl")
        for kind, passages in kinds.items():
            with tempfile.TemporaryDirectory() as place:
                index, _ = open_or_build(Path(place), passages, used, language)
                gold = "chunk_id" if kind == " chunks" else "doc_id"
                title = f"{name}{kind} ({len(passages)})"
                if reader is not None:
                    reranked = Reranked(index, reader, depth)
                    lines += [_quality_line(each, "hybrid", questions, title, gold) for each in (index, reranked)]
                    continue
                for mode in sorted(index.modes, key=("text", "vector", "hybrid").index):
                    lines.append(_quality_line(index, mode, questions, title, gold))
    return "\n".join(lines)


@dataclass(frozen=True)
class Reranked:
    """An index whose ``depth`` best passages are read again."""

    index: PassageIndex
    reranker: Reranker
    depth: int

    def search(self, questions: Sequence[str], k: int, *, mode: Mode) -> list[list[Hit]]:
        return self.index.search(questions, k, mode=mode, rerank=self.reranker, rerank_depth=self.depth)


def _quality_line(
    index: PassageIndex | Reranked, mode: Mode, rows: list[dict[str, Any]], name: str, gold_field: str
) -> str:
    started = time.perf_counter()
    found = index.search([row["input"] for row in rows], max(DEPTHS), mode=mode)
    per_query_ms = 1000 * (time.perf_counter() - started) / len(rows)
    ranked, gold = measure.passage_ids(found), [{row[gold_field]} for row in rows]
    cells = [name, f"{mode}, {index.depth} reranked" if isinstance(index, Reranked) else mode]
    for k in DEPTHS:
        scores = measure.recall_at(k, ranked, gold)
        interval = mean_interval(scores, binary=True, rng=np.random.default_rng(0))
        cells.append(f"{scores.mean():.3f} ({interval.low:.3f}–{interval.high:.3f})")
    texts = [[hit.passage.text for hit in hits] for hits in found]
    answered = measure.answer_recall_at(5, texts, [row["answers"] for row in rows])
    cells += [f"{measure.reciprocal_rank(ranked, gold).mean():.3f}", f"{measure.ndcg_at(10, ranked, gold).mean():.3f}"]
    cells += [f"{np.nanmean(answered):.3f}", f"{per_query_ms:.1f}"]
    return f"| {' | '.join(cells)} |"


def update(data: Path) -> str:
    """An index of the old documents absorbs the new ones: seconds, and recall@1 before and after."""
    lines = [
        "| set | old | new | built in s | embedded | updated in s | embedded | recall@1 before | after | built at once |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, language in _SETS:
        used = catalog.open_encoder(encoder_for(language))
        passages = [as_passage(row) for row in read_rows(data / name / "docs.jsonl")]
        rows = read_rows(data / name / "test.jsonl")
        old = [passage for passage in passages if passage.doc_set == "old"]
        with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as other:
            before, built = open_or_build(Path(place), old, used, language)
            after, updated = open_or_build(Path(place), passages, used, language)
            at_once, _ = open_or_build(Path(other), passages, used, language)
            recalls = [_recall_at_1(index, rows) for index in (before, after, at_once)]
        counts = [name, len(old), updated.added, f"{built.seconds:.2f}", built.embedded, f"{updated.seconds:.2f}"]
        lines.append(f"| {' | '.join(map(str, [*counts, updated.embedded, *recalls]))} |")
    return "\n".join(lines)


def _recall_at_1(index: PassageIndex, rows: list[dict[str, Any]]) -> str:
    ranked = measure.passage_ids(index.search([row["input"] for row in rows], 1))
    return f"{measure.recall_at(1, ranked, [{row['doc_id']} for row in rows]).mean():.3f}"


class Timed:
    """An encoder, and how long it worked; without one, unit vectors of hashed words."""

    def __init__(self, encoder: Encoder | None):
        self.encoder = encoder
        self.seconds = 0.0

    @property
    def id(self) -> str:
        return self.encoder.id if self.encoder else "hashed-words"

    def encode(self, texts: Sequence[str], *, role: TextRole = "text") -> NDArray[np.float32]:
        started = time.perf_counter()
        vectors = self.encoder.encode(texts, role=role) if self.encoder else _hashed(texts)
        self.seconds += time.perf_counter() - started
        return vectors

    def describe(self) -> dict[str, Any]:
        return {"id": self.id}


def _hashed(texts: Sequence[str]) -> NDArray[np.float32]:
    vectors = np.full((len(texts), 384), 1e-3, dtype=np.float32)
    for row, text in enumerate(texts):
        np.add.at(vectors[row], [zlib.crc32(word.encode()) % 384 for word in text.split()], 1)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def scale(n_rows: int, *, with_model: bool) -> str:
    """``n_rows`` made passages: build, one small update, a start with nothing to do, and queries one at a time."""
    encoder = Timed(catalog.open_encoder() if with_model else None)
    base_gb = _peak_gb()
    passages = made_passages(n_rows)
    lines = [f"{n_rows:,} passages of {np.mean([len(p.text) for p in passages]):.0f} characters on average.", ""]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        index, built = open_or_build(folder, passages, encoder)
        lines.append(f"- built in {built.seconds:.1f} s, of which {encoder.seconds:.1f} s embedding by {encoder.id}")
        lines.append(f"- peak memory {_peak_gb():.2f} GB, of which {base_gb:.2f} GB before the first passage")
        lines.append(f"- on disk {sum(f.stat().st_size for f in folder.rglob('*') if f.is_file()) / 2**20:.0f} MB")
        lines += _query_times(index, encoder, passages)
        newer = [*passages[:-100], *made_passages(100, seed=8, prefix="n")]
        _, updated = open_or_build(folder, newer, encoder)
        lines.append(f"- 100 passages replaced in {updated.seconds:.1f} s, {updated.embedded} embedded")
        _, same = open_or_build(folder, newer, encoder)
        lines.append(f"- opened with nothing to do in {same.seconds:.1f} s")
        text_only = Path(place) / "text"
        _, words = open_or_build(text_only, passages, None)
        lines.append(f"- by words only, built in {words.seconds:.1f} s")
    return "\n".join(lines)


def _query_times(index: PassageIndex, encoder: Encoder, passages: Sequence[Passage]) -> Iterable[str]:
    rng = np.random.default_rng(1)
    targets = rng.choice(len(passages), 200, replace=False).tolist()
    questions = [" ".join(passages[at].text.split()[:9]) for at in targets]
    encode = _times_ms(lambda question: encoder.encode([question]), questions)
    yield f"- embedding a question: p50 {encode[0]:.1f} ms, p95 {encode[1]:.1f} ms"
    modes: tuple[Mode, ...] = ("text", "vector", "hybrid")
    for mode in modes:

        def ask(question: str, mode: Mode = mode) -> None:
            index.search([question], 10, mode=mode)

        took = _times_ms(ask, questions)
        yield f"- query by {mode}: p50 {took[0]:.1f} ms, p95 {took[1]:.1f} ms (embedding included, k = 10)"
    found = measure.passage_ids(index.search(questions, 10, mode="text"))
    recall = measure.recall_at(10, found, [{passages[at].id} for at in targets]).mean()
    yield f"- recall@10 of the passage whose words were asked for, by text: {recall:.3f}"


def _times_ms(work: Any, questions: Sequence[str]) -> tuple[float, float]:
    for question in questions[:5]:
        work(question)
    took: list[float] = []
    for question in questions:
        started = time.perf_counter()
        work(question)
        took.append(1000 * (time.perf_counter() - started))
    return float(np.percentile(took, 50)), float(np.percentile(took, 95))


def _peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


SUBJECTS = "the valve|a courier|the archive|our treasurer|the northern depot|every intern|the turbine|a visiting judge"
VERBS = "records|delays|inspects|returns|replaces|signs for|doubts|insures|weighs|relocates|photographs|calibrates"
OBJECTS = "the shipment|three invoices|a cracked lens|the seed bank|all permits|the copper roof|a sealed crate|the map"
PLACES = "in the harbour|near the old mill|on the third floor|beyond the river|at the border post|under the stage"
TIMES = "before noon|after the audit|each leap year|during the strike|once a month|when the alarm rings|by telegraph"


def made_passages(n: int, *, seed: int = 7, prefix: str = "p") -> list[Passage]:
    """Four sentences a passage, of recombined clauses, with made names and numbers as real documents have them."""
    rng = np.random.default_rng(seed)
    parts = [column.split("|") for column in (SUBJECTS, VERBS, OBJECTS, PLACES, TIMES)]
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "ar", "en", "il")]
    names = ["".join(rng.choice(syllables, 3)).capitalize() for _ in range(5_000)]
    rows: list[dict[str, Any]] = []
    for at in range(n):
        sentences: list[str] = []
        for _ in range(4):
            clause = " ".join(column[int(rng.integers(len(column)))] for column in parts)
            name = names[int(rng.integers(len(names)))]
            sentences.append(f"{name} says that {clause}, file {int(rng.integers(100_000))}.")
        text = " ".join(sentences)
        rows.append({"id": f"{prefix}{at}", "title": names[at % 50], "text": text, "doc_set": "made"})
    return [as_passage(row) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("quality", "update", "scale"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--no-model", action="store_true")
    parser.add_argument(
        "--reranker", help="a cross-encoder: a folder (benchmarks/reranker.py makes one), or owner/name"
    )
    parser.add_argument("--depth", type=int, default=RERANK_DEPTH, help="passages that the reranker reads per question")
    parser.add_argument("--only", choices=[name for name, _ in _SETS], help="recall on this set alone")
    args = parser.parse_args()
    if args.part == "scale":
        print(scale(args.rows, with_model=not args.no_model))
    elif args.data is None:
        parser.error("--data is needed: the folder that holds xquad_en and xquad_zh")
    elif args.part == "update":
        print(update(args.data))
    else:
        print(quality(args.data, args.reranker, args.depth, args.only))


if __name__ == "__main__":
    main()
