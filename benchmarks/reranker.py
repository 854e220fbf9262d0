"""A cross-encoder for passages, trained here: where no hub can be reached there is none to measure retrieval with.

    python benchmarks/reranker.py --data DATA --out FOLDER [--set xquad_en] [--negatives 3] [--epochs 1]

Starts from the weights of the embedded MiniLM with a new output layer, and learns from the training rows of the set to
tell a question's own passage from the ones that a search of the old documents ranks highest besides it (binary cross-entropy,
Nogueira & Cho 2019, 1901.04085). The new documents and the test questions are not looked at. FOLDER can then be named to
``benchmarks/retrieval.py quality --reranker FOLDER``, or in a task as ``documents: {reranker: FOLDER}``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from datasets import Dataset
from sentence_transformers.cross_encoder import CrossEncoder, CrossEncoderTrainer, CrossEncoderTrainingArguments
from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss

from retrieval import as_passage, read_rows
from tuneworth.models import catalog
from tuneworth.models.local.sources import MINILM, fetch
from tuneworth.retrieval.fulltext import searched_text
from tuneworth.retrieval.index import open_or_build

MAX_TOKENS = 384


def pairs(folder: Path, n_negatives: int) -> list[tuple[str, str, float]]:
    """Question, passage, and whether they belong together."""
    passages = [as_passage(row) for row in read_rows(folder / "docs.jsonl") if row["doc_set"] == "old"]
    by_id = {passage.id: passage for passage in passages}
    rows = read_rows(folder / "train.jsonl")
    with tempfile.TemporaryDirectory() as place:
        index, _ = open_or_build(Path(place), passages, catalog.open_encoder())
        found = index.search([row["input"] for row in rows], n_negatives + 1)
    made: list[tuple[str, str, float]] = []
    for row, hits in zip(rows, found, strict=True):
        gold = by_id[row["doc_id"]]
        wrong = [hit.passage for hit in hits if hit.passage.id != gold.id][:n_negatives]
        made += [(row["input"], searched_text(each), float(each is gold)) for each in (gold, *wrong)]
    return made


def train(made: list[tuple[str, str, float]], out: Path, epochs: int, n_negatives: int) -> float:
    """Seconds that it took."""
    import torch

    start = str(fetch(MINILM.name))
    model = CrossEncoder(start, num_labels=1, max_length=MAX_TOKENS)
    questions, texts, labels = (list(column) for column in zip(*made, strict=True))
    rows = Dataset.from_dict({"question": questions, "passage": texts, "label": labels})
    with tempfile.TemporaryDirectory() as place:
        arguments = CrossEncoderTrainingArguments(
            output_dir=place,
            num_train_epochs=epochs,
            per_device_train_batch_size=16,
            learning_rate=5e-5,
            warmup_steps=0.1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=0,
        )
        loss = BinaryCrossEntropyLoss(model, pos_weight=torch.tensor(float(n_negatives)))
        started = time.perf_counter()
        CrossEncoderTrainer(model=model, args=arguments, train_dataset=rows, loss=loss).train()
        seconds = time.perf_counter() - started
    model.save_pretrained(str(out))
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--set", default="xquad_en")
    parser.add_argument("--negatives", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=1)
    options = parser.parse_args()
    made = pairs(options.data / options.set, options.negatives)
    seconds = train(made, options.out, options.epochs, options.negatives)
    print(json.dumps({"pairs": len(made), "epochs": options.epochs, "seconds": round(seconds)}))


if __name__ == "__main__":
    main()
