"""promptfoo: ``results.json`` (or the same results one a line, ``.jsonl``).

Every provider with every prompt is a system. Metrics are ``pass``, ``score``, and the named scores of assertions. A row is its
variables: a test that was repeated is one row with several answers. A call that broke (``failureReason`` 2) has no score here, while
promptfoo counts it as failed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tuneworth.core.outcome import Usage
from tuneworth.data.logs.answered import Answered, Log, amount, as_text, number, references_of
from tuneworth.data.values import json_text

_BROKEN = 2
_LABEL = 40
"""Characters of a prompt's label that can stand in a name."""


def recognises(document: dict[str, Any]) -> bool:
    inner = document.get("results")
    return isinstance(inner, dict) and isinstance(inner.get("results"), list)


def recognises_row(row: dict[str, Any]) -> bool:
    return {"promptIdx", "testIdx", "success"} <= row.keys()


def read(results: Iterable[tuple[dict[str, Any], str]], file: str) -> list[Log]:
    """Args:
    results: each with its place.
    """
    systems: dict[tuple[str, str], list[Answered]] = {}
    prompts: dict[tuple[str, str], str] = {}
    for result, place in results:
        provider = result.get("provider")
        name = as_text((provider.get("label") or provider.get("id")) if isinstance(provider, dict) else provider)
        prompt = result.get("prompt")
        label, raw = (prompt.get("label"), prompt.get("raw")) if isinstance(prompt, dict) else (prompt, prompt)
        key = (name, str(result.get("promptIdx", raw)))  # old versions do not number them
        prompts.setdefault(key, as_text(label))
        systems.setdefault(key, []).append(_answered(result, place))
    names = [name for name, _ in systems]
    return [
        Log(
            name=(f"{name} · {_called(prompts[name, at], place)}" if names.count(name) > 1 else name)
            or Path(file).stem,
            file=file,
            tool="promptfoo",
            rows=rows,
            model=name or None,
        )
        for place, ((name, at), rows) in enumerate(sorted(systems.items()), start=1)
    ]


def _called(prompt: str, place: int) -> str:
    """A label that somebody gave; promptfoo's own is the whole prompt."""
    return prompt if len(prompt) <= _LABEL and "\n" not in prompt else f"#{place}"


def _answered(result: dict[str, Any], place: str) -> Answered:
    test = result["testCase"] if isinstance(result.get("testCase"), dict) else {}
    variables = result.get("vars") or test.get("vars") or {}
    checks = [one for one in test.get("assert") or () if isinstance(one, dict)]
    response = result["response"] if isinstance(result.get("response"), dict) else {}
    scores: dict[str, float] = {}
    if result.get("failureReason") != _BROKEN and not (result.get("error") and "gradingResult" not in result):
        named = result.get("namedScores")
        given = {
            "pass": result.get("success"),
            "score": result.get("score"),
            **(named if isinstance(named, dict) else {}),
        }
        scores = {name: found for name, value in given.items() if (found := number(value)) is not None}
    spent = result["tokenUsage"] if isinstance(result.get("tokenUsage"), dict) else {}
    latency = amount(result.get("latencyMs"))
    return Answered(
        id="" if variables else str(result.get("testIdx", "")),
        text=json_text(dict(sorted(variables.items()))) if variables else as_text(test.get("description")),
        scores=scores,
        place=place,
        fields={**(test.get("metadata") or {}), **variables},
        answer=as_text(response["output"]) if response.get("output") is not None else None,
        references=references_of([one["value"] for one in checks if one.get("type") == "equals" and "value" in one]),
        usage=_usage(spent),
        usd=amount(result.get("cost")) or None,  # 0 where promptfoo knows no price
        seconds=None if latency is None else latency / 1000,
    )


def _usage(spent: dict[str, Any]) -> Usage | None:
    prompt, answer = amount(spent.get("prompt")), amount(spent.get("completion"))
    if not prompt and not answer:
        return None  # nothing was counted, or all came from promptfoo's own cache
    details = spent.get("completionDetails")
    details = details if isinstance(details, dict) else {}
    return Usage(
        prompt_tokens=int(prompt or 0),
        cached_tokens=int(amount(details.get("cacheReadInputTokens")) or 0),
        cache_write_tokens=int(amount(details.get("cacheCreationInputTokens")) or 0),
        completion_tokens=int(answer or 0),
        reasoning_tokens=int(amount(details.get("reasoning")) or 0),
    )
