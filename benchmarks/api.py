"""Models behind an API, against a server on this machine: time at a latency, and a storm of failures.

    python benchmarks/api.py speed
    python benchmarks/api.py storm

``speed``: 150 rows at 200 ms, one after the other, 8 at once, and at the pace that is found. ``storm``: 2,000 rows while 20 % of the calls
fail with 429, 500, a cut connection or half an answer; what the ledger of a run holds against what the server counted.
"""

from __future__ import annotations

import argparse
import collections
import tempfile
import time
from pathlib import Path

from tuneworth.core.task import Message
from tuneworth.costs.prices import Rates
from tuneworth.models.api.chat_model import ChatModel
from tuneworth.models.api.opening import open_chat_model
from tuneworth.models.api.pace import Pace
from tuneworth.models.base import Constraint, Request
from tuneworth.race.ledger import Ledger
from tuneworth.race.store import Store
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


def weather(n: int, share: float, latency_ms: float) -> None:
    faults = ("rate_limit", "server_error", "cut", "truncated")
    with (
        ChatServer(answer=sorts, latency_ms=latency_ms, faults=storm(share, faults)) as server,
        tempfile.TemporaryDirectory() as folder,
        Store(Path(folder) / "store.sqlite") as store,
    ):
        name = f"{server.address}#m"
        model: ChatModel = open_chat_model(name, {name: RATES})
        ledger = Ledger(store)
        model.attach(ledger)
        requests, started = rows(n), time.perf_counter()
        done = [one for at in range(0, n, 250) for one in model.generate(requests[at : at + 250], max_new_tokens=8)]
        seconds = time.perf_counter() - started
        right = sum(one.text == LABELS[at % 77] for at, one in enumerate(done))
        paid = collections.Counter(server.charged.values())
        print(f"{n} rows, {share:.0%} of the calls fail ({', '.join(faults)}), {seconds:.0f} s")
        print(
            f"  rows answered rightly {right}, failed for now {sum(one.may_pass for one in done)}, lost {n - len(done)}"
        )
        print(f"  calls received {server.received.total()}, failed tries {dict(model.record.tries)}")
        calls = list(store.calls())
        charged = [call for call in calls if call.state == "answered" or call.usd != 0]
        unknown = sum(call.usd is None for call in charged)
        print(f"  calls charged by the server {server.charged.total()}, in the ledger {len(charged)}")
        print(f"  of these not known what they cost {unknown}; charges per row: {dict(sorted(paid.items()))}")
        print(f"  set aside and not settled {ledger.under_way_usd:g} USD; at once {model.describe()['at_once']}")
        assert len(charged) == server.charged.total()
        assert right + sum(one.may_pass for one in done) == n


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
