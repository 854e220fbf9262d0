"""Is a cap on money kept, and is it used? Does a killed run pay twice?

    python benchmarks/money_cap.py                    # 200 made-up runs, about 15 minutes on one core
    python benchmarks/money_cap.py --kills 20         # a real run against a server on this machine, killed at 20 random points

**Caps.** Made-up tasks, models with made-up prices, lengths and skills, no network; the race, the finals, the ledger and the store are the
real ones. Each run is played without a cap to know what it needs, then under a cap of 0.1 to 1.5 times that. The bound on a
call is one to four times too high, as bounds by bytes are, and answers are mostly much shorter than they may be.

**Kills.** `tuneworth run` in a process of its own, `kill -9` after a random time, then again until it is done. The server counts.
Prints Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.outcome import Usage
from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.costs.prices import Price, Rates
from tuneworth.data.sections import Repeats
from tuneworth.metrics._parts.catalog import load_metric
from tuneworth.models.base import Capabilities, Completion, Meter, Request
from tuneworth.models.metering import all_settled, digest_of, metered
from tuneworth.race.arms import kind_of, plan_arms, training_sizes
from tuneworth.race.budget import Budget
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.estimate import Estimator, Job
from tuneworth.race.ledger import Ledger
from tuneworth.race.runner import Runner
from tuneworth.race.stages import Stages
from tuneworth.race.store import Store
from tuneworth.race.watch import Silent
from tuneworth.testing.chat_server import ChatServer

LABELS = ("north", "south", "east", "west")
AT_ONCE, ROOM_TOKENS, BUDGET_SECONDS = 8, 300, 3600.0
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None


def drawn(*parts: object) -> float:
    """A number in [0, 1) that belongs to ``parts``."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") / 2**64


@dataclass
class MadeUp:
    """A metered model: what it answers, and how long, follows from the request."""

    id: str
    price: Price
    skill: float
    per_shot: float
    mean_tokens: float
    loose: float
    capabilities: Capabilities = Capabilities(False, False, frozenset({"labels"}), 100_000, deterministic=False)
    truly_usd: list[float] = field(default_factory=list[float])
    meter: Meter | None = None
    asked: int = 0

    def attach(self, meter: Meter) -> None:
        self.meter = meter

    def count_tokens(self, text: str) -> int:
        return -(-len(text) // 4)

    def _prompt(self, request: Request) -> int:
        return sum(self.count_tokens(turn.content) for turn in request.messages)

    def most_usd(self, request: Request, *, max_new_tokens: int) -> float | None:
        return self.price.most_usd(math.ceil(self.loose * self._prompt(request)), max_new_tokens + ROOM_TOKENS)

    def generate(self, requests: Sequence[Request], *, max_new_tokens: int) -> list[Completion]:
        async def every() -> list[Completion]:
            turns = asyncio.Semaphore(AT_ONCE)

            async def one(request: Request) -> Completion:
                async with turns:
                    most = self.most_usd(request, max_new_tokens=max_new_tokens)
                    return await metered(
                        self.meter, digest_of(self.id, request), most, lambda: self._sent(request, max_new_tokens)
                    )

            return await all_settled(map(one, requests))

        return asyncio.run(every())

    async def _sent(self, request: Request, max_new_tokens: int) -> Completion:
        self.asked += 1
        await asyncio.sleep(0)
        question, shots = request.messages[-1].content, (len(request.messages) - 2) // 2
        written = int(min(max_new_tokens + ROOM_TOKENS, 1 - self.mean_tokens * math.log(1 - drawn("len", self.asked))))
        usage = Usage(
            prompt_tokens=self._prompt(request),
            cached_tokens=int(self._prompt(request) * 0.5 * drawn("cache", self.asked)),
            completion_tokens=written,
            reasoning_tokens=max(0, written - 3),
        )
        usd = self.price.usd(usage)
        self.truly_usd.append(usd)
        right = drawn("right", self.id, question) < self.skill + self.per_shot * min(shots, 8)
        text = question.split()[-1] if right else LABELS[int(4 * drawn("wrong", self.id, question))]
        return Completion(text, usage, 1.0, "stop", usd=usd)

    def load_adapter(self, name: str, folder: str) -> None:
        raise NotImplementedError

    def describe(self) -> dict[str, object]:
        return {"id": self.id}


class Hashed:
    """An encoder without a model."""

    id = "hashed"

    def encode(self, texts: Sequence[str], *, role: str = "text") -> NDArray[np.float32]:
        vectors = np.array([[drawn(text, at) - 0.5 for at in range(8)] for text in texts], dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def describe(self) -> dict[str, object]:
        return {"id": self.id}


def rows(side: str, n: int, words: float, rng: np.random.Generator) -> list[Example]:
    made: list[Example] = []
    for at in range(n):
        label, length = LABELS[rng.integers(4)], 1 + int(rng.exponential(words))
        text = f"{side} {at} " + "word " * length + label
        made.append(Example(Query(f"{side}-{at}", (Message("user", text),)), label, group=f"{side}-{at}"))
    return made


def models_of(rng: np.random.Generator) -> list[MadeUp]:
    made: list[MadeUp] = []
    for at in range(rng.integers(1, 4)):
        read = float(np.exp(rng.uniform(math.log(0.05), math.log(5))))
        rates = Rates(read, read * float(rng.uniform(2, 8)), cached_input=0.1 * read)
        price = Price(f"m{at}", "made up", None, ((-1, rates),))
        skill, per_shot, written = rng.uniform(0.4, 0.9), rng.uniform(-0.01, 0.03), rng.choice([3.0, 30.0, 120.0])
        made.append(MadeUp(f"m{at}", price, float(skill), float(per_shot), float(written), float(rng.uniform(1, 4))))
    return made


@dataclass(frozen=True)
class Played:
    charged: float
    truly: float
    n_calls: int
    n_tested: int
    n_finalists: int


def play(seed: int, usd: float | None) -> Played:
    """One run; the same for the same seed but for the cap."""
    rng = np.random.default_rng(seed)
    words = float(np.exp(rng.uniform(math.log(5), math.log(200))))
    sizes = (int(rng.integers(40, 200)), int(rng.integers(40, 160)), int(rng.integers(60, 300)))
    train, dev, test = (rows(side, n, words, rng) for side, n in zip(("train", "dev", "test"), sizes, strict=True))
    models = models_of(rng)
    task = Task(name="made up", kind="label", labels=LABELS, metric="accuracy", margin=0.02)
    plan = plan_arms(task, train, models, ["majority", "prompt", "fewshot"], f"basis {seed}")
    jobs = [
        Job(
            arm.arm_id,
            arm.model_id,
            arm.make().workload(task, arm.model, train, 64),
            training_sizes(arm, len(train)),
            arm.model is None,
            kind_of(arm),
            arm.price,
        )
        for arm in plan.arms
    ]
    with tempfile.TemporaryDirectory(dir=FAST) as folder, Store(Path(folder) / "store.sqlite") as store:
        ledger = Ledger(store)
        budget = Budget(BUDGET_SECONDS, usd=usd, charged_usd=ledger.charged_usd)
        ledger.usd_allowed = lambda: budget.usd_allowed
        for model in models:
            model.attach(ledger)
        encoder = SharedEncoder(Hashed, [row.query.text for row in train])
        metrics = [load_metric("accuracy", Path.cwd(), LABELS)]
        runner = Runner(
            task, train, dev, metrics, store, Path(folder), seed, encoder, 64, Silent(), None, BUDGET_SECONDS, ledger
        )
        estimator = Estimator(jobs, {}, n_train=len(train), n_dev=len(dev))
        stages = Stages(runner, budget, len(test), None, estimator, repeats=Repeats())
        raced = stages.race(plan)
        tested = stages.final(test)
        assert raced.race is not None
        n_tested = (stages.raced.race or raced.race).n_tested
        truly = math.fsum(usd for model in models for usd in model.truly_usd)
        return Played(ledger.total.usd, truly, ledger.total.n_calls, n_tested, len(tested.outcomes))


def caps(n_runs: int, first: int) -> None:
    print("| run | needs $ | cap $ | charged $ | of the cap | test rows | finalists |\n|---|---|---|---|---|---|---|")
    used: list[tuple[float, float, Played]] = []
    over = 0
    for seed in range(first, first + n_runs):
        needs = play(seed, None).truly
        cap = needs * float(np.exp(np.random.default_rng([seed, 1]).uniform(math.log(0.1), math.log(1.5))))
        played = play(seed, cap)
        over += played.truly > cap + 1e-9 or played.charged > cap + 1e-9
        used.append((needs, cap, played))
        share = played.truly / cap
        shown = f"{needs:.4f} | {cap:.4f} | {played.truly:.4f} | {100 * share:.1f} %"
        print(f"| {seed} | {shown} | {played.n_tested} | {played.n_finalists} |", flush=True)
    shares = np.array([played.truly / cap for needs, cap, played in used if needs > cap])
    every = np.array([played.truly / min(needs, cap) for needs, cap, played in used])
    low, median = np.quantile(shares, [0.05, 0.5])
    tested = np.mean([played.n_tested > 0 for needs, cap, played in used if needs > cap])
    print(
        f"\nOver the cap: {over} of {n_runs}. {shares.size} runs would need more than the cap: mean use {100 * shares.mean():.1f} %"
    )
    print(
        f"(median {100 * median:.1f} %, lowest twentieth {100 * low:.1f} %); test rows were asked in {100 * tested:.0f} %."
    )
    print(f"All runs, of the cap or of what they need: {100 * every.mean():.1f} %.")


# -- kills -------------------------------------------------------------------------------------------------


def task_folder(folder: Path, address: str) -> Path:
    rng = random.Random(5)
    with (folder / "rows.jsonl").open("w", encoding="utf-8") as out:
        for at in range(240):
            label = LABELS[at % 4]
            hints = " ".join(rng.choice([label, "wind", "road", "hill"]) for _ in range(5))
            print(json.dumps({"input": f"row {at}: {hints} to the {label}", "output": label}), file=out)
    task = folder / "task.yaml"
    task.write_text(
        f"train: rows.jsonl\nmodels: ['{address}#any']\nstrategies: [majority, prompt, fewshot]\n"
        f"settings: {{fewshot: {{k: [1, 4]}}}}\nprices: {{'{address}#any': {{input: 1.0, output: 4.0}}}}\n"
        "budget: {time: 30m, usd: 100}\nrepeats: {answers: 2, rows: 20}\nrows: {dev: 50, test: 60}\n",
        encoding="utf-8",
    )
    return task


def run_once(task: Path, out: Path, server: ChatServer, kill_at: int | None, pause: float = 0.0) -> bool:
    """Whether the run ended by itself, before the server had been asked ``kill_at`` times and so many seconds had passed."""
    command = [sys.executable, "-m", "tuneworth.cli.main", "run", str(task), "--out", str(out), "--yes", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    while process.poll() is None:
        if kill_at is not None and server.received.total() >= kill_at:
            time.sleep(pause)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return False
        time.sleep(0.002)
    assert process.returncode == 0, f"exit code {process.returncode}"
    return True


def outcomes_of(out: Path) -> dict[str, tuple[object, ...]]:
    """What was decided and scored, without times and money."""
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    found: dict[str, tuple[object, ...]] = {"": (result["decision"]["verdict"], result["decision"]["recommended"])}
    for arm in result["arms"]:
        scores = {name: score["value"] for name, score in {**arm["dev"], **arm["test"]}.items()}
        found[arm["arm_id"]] = (arm["state"], arm["finalist"], sorted(scores.items()), arm["dev_counts"])
    return found


def kills(n_kills: int) -> None:
    """Each is one run that is killed once, at a random call, and taken up again."""
    rng = random.Random(7)
    print(
        "| asked until then | under way | calls in all | undisturbed | extra | same outcomes |\n|---|---|---|---|---|---|"
    )
    with ChatServer(latency_ms=60) as server, tempfile.TemporaryDirectory() as folder:
        task, base = task_folder(Path(folder), server.address), Path(folder)
        assert run_once(task, base / "whole", server, None)
        calls, whole = server.charged.total(), outcomes_of(base / "whole")
        beyond, good = 0, 0
        for number in range(n_kills):
            out, before = base / f"run{number}", server.charged.total()
            run_once(task, out, server, before + rng.randrange(1, calls), rng.uniform(0.0, 0.1))
            time.sleep(0.5)  # what was under way arrives at the server
            until = server.charged.total() - before
            with Store(out / "store.sqlite") as store:
                lost = sum(call.state == "sent" for call in store.calls())
            assert run_once(task, out, server, None)
            total = server.charged.total() - before
            same = outcomes_of(out) == whole
            beyond, good = max(beyond, total - calls - lost), good + same
            print(f"| {until} | {lost} | {total} | {calls} | {total - calls} | {'yes' if same else 'NO'} |", flush=True)
    print(f"\nSame outcomes in {good} of {n_kills}; extra calls beyond those under way: {max(0, beyond)} at most.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--kills", type=int, default=0)
    options = parser.parse_args()
    if options.kills:
        kills(options.kills)
    else:
        caps(options.runs, options.first)


if __name__ == "__main__":
    main()
