"""Records ``cassettes/``: answers in the shapes that services document, made by a server on this machine.

    PYTHONPATH=src:tests/models python tests/models/record_shapes.py

The shapes differ from one another where services do: where reasoning stands, how cached tokens are told, what a total holds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import vcr

from tuneworth.models.api.opening import open_chat_model
from tuneworth.testing.chat_models import asking
from tuneworth.testing.chat_server import ChatServer

FOLDER = Path(__file__).parent / "cassettes"
ADDRESS = "http://127.0.0.1:8"
"""Stands in the cassettes for the server that has gone; nothing listens there."""
MESSAGES = {"protocol": "messages"}


def chat(message: dict[str, Any], usage: dict[str, Any], **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": usage,
        **more,
    }


SHAPES: dict[str, dict[str, Any]] = {
    "openai": chat(
        {"content": "bug", "refusal": None, "annotations": []},
        {
            "prompt_tokens": 1400,
            "completion_tokens": 70,
            "total_tokens": 1470,
            "prompt_tokens_details": {"cached_tokens": 1024, "cache_write_tokens": 128, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 64, "accepted_prediction_tokens": 0},
        },
        service_tier="default",
    ),
    "deepseek": chat(
        {"content": "bug", "reasoning_content": "The customer tells of a crash."},
        {
            "prompt_tokens": 1400,
            "completion_tokens": 70,
            "total_tokens": 1470,
            "prompt_cache_hit_tokens": 1024,
            "prompt_cache_miss_tokens": 376,
            "completion_tokens_details": {"reasoning_tokens": 64},
        },
    ),
    "moonshot": chat(
        {"content": "bug"}, {"prompt_tokens": 1400, "completion_tokens": 6, "total_tokens": 1406, "cached_tokens": 1024}
    ),
    "mistral": chat(
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "A crash."}]},
                {"type": "text", "text": "bug"},
            ]
        },
        {"prompt_tokens": 1400, "completion_tokens": 70, "total_tokens": 1470},
    ),
    "reasoning_beside_completion": chat(
        {"content": "bug"},
        {
            "prompt_tokens": 1400,
            "completion_tokens": 6,
            "total_tokens": 1470,
            "completion_tokens_details": {"reasoning_tokens": 64},
        },
    ),
    "anthropic": {
        "id": "msg",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "thinking", "thinking": "A crash.", "signature": "x"}, {"type": "text", "text": "bug"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 248,
            "cache_creation_input_tokens": 128,
            "cache_read_input_tokens": 1024,
            "output_tokens": 70,
            "output_tokens_details": {"thinking_tokens": 64},
        },
    },
}


def _kept(response: dict[str, Any]) -> dict[str, Any]:
    return {**response, "headers": {"content-type": response["headers"]["content-type"]}}


def main() -> None:
    for name, body in SHAPES.items():
        (FOLDER / f"{name}.yaml").unlink(missing_ok=True)
        path = "/v1/messages" if name == "anthropic" else "/v1/chat/completions"
        with ChatServer(routes={path: lambda asked, body=body: (200, body)}) as server:

            def _asked(request: Any, here: str = server.root) -> Any:
                request.uri = request.uri.replace(here, ADDRESS)
                request.headers = {}
                return request

            tape = vcr.VCR(before_record_request=_asked, before_record_response=_kept)
            with tape.use_cassette(str(FOLDER / f"{name}.yaml")):
                address = server.root if name == "anthropic" else server.address
                model = open_chat_model(f"{address}#m", services={address: MESSAGES if name == "anthropic" else {}})
                model.generate(asking(1), max_new_tokens=8)


if __name__ == "__main__":
    main()
