"""Models behind an API, against a server on this machine: time at a latency, and a storm of failures.

    python benchmarks/api.py speed
    python benchmarks/api.py storm

``speed``: 150 rows at 200 ms, one after the other, 8 at once, and at the pace that is found. ``storm``: 2,000 rows while 20 % of the calls
fail with 429, 500, a cut connection or half an answer, and what has failed for now is asked again by further starts; what the store and the ledger
of the run hold against what the server counted: no row lost, none scored twice, every charge in the ledger.
"""

from __future__ import annotations

import argparse
import collections
import tempfile
import time
from pathlib import Path

from tuneworth.core.outcome import Outcome
from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.costs.prices import Rates
from tuneworth.metrics._parts.catalog import load_metric
from tuneworth.models import catalog
from tuneworth.models.api.opening import open_chat_model
from tuneworth.models.api.pace import Pace
from tuneworth.models.base import Constraint, Request
from tuneworth.race.arms import plan_arms
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.ledger import Ledger
from tuneworth.race.runner import Runner
from tuneworth.race.store import Store
from tuneworth.race.watch import Silent
from tuneworth.testing.chat_server import Asked, ChatServer, storm

LABELS = tuple(f"label {at:02d}" for at in range(77))
RATES = Rates(input=0.10, output=0.50)


def rows(n: int) -> list[Request]:
    system = Message("system", "Classify the input.\n" + "\n".join(LABELS))
    form = Constraint(labels=LABELS)
    return [Request((system, Message("user", f"row {at}: {LABELS[at % 77]}")), form, n_shared=1) for at in range(n)]


def sorts(asked: Asked) -> str:
    return asked.question.partition(": ")[2]


def speed(n: int, latency_ms: float) -> None:
    print(f"{n} rows, {latency_ms:g} ms each")
    seconds: dict[str, float] = {}
    for name in ("one after the other", "8 at once", "at the pace found"):
        with ChatServer(answer=sorts, latency_ms=latency_ms) as server:
            model = open_chat_model(f"{server.address}#m")
            if name == "8 at once":
                model._pace = Pace(8, most=8)
            requests, started = rows(n), time.perf_counter()
            if name == "one after the other":
                for request in requests:
                    model.generate([request], max_new_tokens=8)
            else:
                model.generate(requests, max_new_tokens=8)
            seconds[name] = time.perf_counter() - started
            assert server.charged.total() == n
        gain = seconds["one after the other"] / seconds[name]
        print(f"  {name:20} {seconds[name]:6.1f} s  {gain:4.1f} times as fast, {server.most_at_once} at once at most")


def start(folder: Path, name: str, n: int) -> tuple[list[Outcome], Store, str]:
    """One start of a run's arm ``prompt`` on ``n`` rows: what failed for now in an earlier one is asked again."""
    task = Task(name="storm", instruction="Classify the input.", kind="label", labels=LABELS, metric="accuracy")
    asked = [
        Example(Query(str(at), (Message("user", f"row {at}: {LABELS[at % 77]}"),)), LABELS[at % 77]) for at in range(n)
    ]
    store = Store(folder / "store.sqlite")
    model, ledger = open_chat_model(name, {name: RATES}), Ledger(store)
    model.attach(ledger)
    [arm, *_] = plan_arms(task, asked, [model], ["prompt"], "storm").arms
    metrics, encoder = [load_metric("accuracy", folder, LABELS)], SharedEncoder(catalog.open_encoder, ())
    runner = Runner(task, asked[:1], asked, metrics, store, folder, 0, encoder, 8, Silent(), ledger=ledger)
    return runner.measure(runner.fit(arm), "dev", asked).outcomes, store, arm.key


def weather(n: int, share: float, latency_ms: float, most_starts: int = 3) -> None:
    faults = ("rate_limit", "server_error", "cut", "truncated")
    with (
        ChatServer(answer=sorts, latency_ms=latency_ms, faults=storm(share, faults)) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        began, failed_for_now = time.perf_counter(), list[int]()
        while len(failed_for_now) < most_starts and 0 not in failed_for_now:
            outcomes, store, arm_key = start(Path(folder), f"{server.address}#m", n)
            failed_for_now.append(sum(one.may_pass for one in outcomes))
            kept, calls = store.outcomes(arm_key, "dev"), list(store.calls())
            store.close()
        whole = [call for call in calls if call.state == "answered"]
        charged = [call for call in calls if call.state == "answered" or call.usd != 0]
        unknown = sum(call.usd is None for call in charged)
        right = sum(one.scores.get("accuracy") == 1.0 for one in outcomes)
        print(f"{n} rows, {share:.0%} of the calls fail ({', '.join(faults)}), {time.perf_counter() - began:.0f} s")
        print(f"  failed for now after each start {failed_for_now}")
        print(f"  rows in the store {len(kept)}, scored right {right}; whole answers that were paid for {len(whole)}")
        print(f"  calls received {server.received.total()}")
        print(f"  calls charged by the server {server.charged.total()}, in the ledger {len(charged)}")
        paid = collections.Counter(server.charged.values())
        print(f"  of these not known what they cost {unknown}; charges per row: {dict(sorted(paid.items()))}")
        assert len(outcomes) == n, "a row was lost"
        assert right + failed_for_now[-1] == n, "a row was scored wrongly"
        assert len(kept) + failed_for_now[-1] == n, "the store holds what may pass as final, or lacks a row"
        assert len(whole) == right, "a row was scored twice"
        assert len(charged) == server.charged.total(), "not all that was paid for is in the ledger"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "storm"))
    parser.add_argument("--rows", type=int)
    options = parser.parse_args()
    if options.what == "speed":
        speed(options.rows or 150, 200.0)
    else:
        weather(options.rows or 2000, 0.2, 20.0)


if __name__ == "__main__":
    main()
