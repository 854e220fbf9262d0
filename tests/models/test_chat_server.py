"""The service that tests talk to: it speaks both protocols as the real SDKs expect, and counts what is paid."""

from __future__ import annotations

import anthropic
import openai
import pytest

from tuneworth.models.scripted import ScriptedModel
from tuneworth.testing.chat_server import ChatServer, always, answers_of, at_first, held_to, storm

ENUM = {
    "type": "object",
    "properties": {"answer": {"type": "string", "enum": ["billing", "bug"]}},
    "required": ["answer"],
    "additionalProperties": False,
}


def chat(server: ChatServer, question: str, **more):
    client = openai.OpenAI(base_url=server.address, api_key="k", max_retries=0, timeout=5)
    turns = [{"role": "system", "content": "Sort this."}, {"role": "user", "content": question}]
    with client:
        return client.chat.completions.create(model="m", messages=turns, **more)


def message(server: ChatServer, question: str, **more):
    client = anthropic.Anthropic(base_url=server.root, api_key="k", max_retries=0, timeout=5)
    with client:
        return client.messages.create(
            model="m", max_tokens=50, messages=[{"role": "user", "content": question}], **more
        )


def test_chat_completions_answer_by_a_function_and_hold_to_a_strict_schema():
    form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": ENUM}}
    tools = [{"type": "function", "function": {"name": "answer", "parameters": ENUM}}]
    with ChatServer() as server:
        free = chat(server, "is it a bug?")
        strict = chat(server, "is it a bug?", response_format=form)
        called = chat(server, "is it a bug?", tools=tools, tool_choice="required")
    assert free.choices[0].message.content == "is it a bug?"
    assert strict.choices[0].message.content == '{"answer": "bug"}'
    assert called.choices[0].message.tool_calls[0].function.arguments == '{"answer": "bug"}'
    assert free.usage.prompt_tokens == 6
    assert [asked.means for asked in server.asked] == ["", "strict", "tool"]


def test_messages_answer_by_a_model_and_hold_to_a_schema_or_a_tool():
    tool = {"name": "answer", "input_schema": ENUM}
    with ChatServer(answer=answers_of(ScriptedModel())) as server:
        strict = message(server, "a bug?", output_config={"format": {"type": "json_schema", "schema": ENUM}})
        called = message(server, "a bug?", tools=[tool], tool_choice={"type": "tool", "name": "answer"})
    assert strict.content[0].text == '{"answer": "bug"}'
    assert called.content[0].input == {"answer": "bug"}
    assert called.stop_reason == "tool_use"


def test_the_start_of_a_prompt_that_was_seen_is_told_as_cached():
    marked = [{"type": "text", "text": "Sort this. " * 10, "cache_control": {"type": "ephemeral"}}]
    with ChatServer(cache_from_tokens=2) as server:
        assert chat(server, "one").usage.prompt_tokens_details.cached_tokens == 0
        assert chat(server, "two").usage.prompt_tokens_details.cached_tokens == 2
        first, second = (message(server, question, system=marked).usage for question in ("one", "two"))
        unmarked = message(server, "three", system="Sort this. " * 10).usage
    assert (first.input_tokens, first.cache_creation_input_tokens, first.cache_read_input_tokens) == (1, 20, 0)
    assert (second.input_tokens, second.cache_creation_input_tokens, second.cache_read_input_tokens) == (1, 0, 20)
    assert unmarked.input_tokens == 21


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("rate_limit", openai.RateLimitError),
        ("server_error", openai.InternalServerError),
        ("wrong_key", openai.AuthenticationError),
        ("unknown_model", openai.NotFoundError),
        ("rejects_schema", openai.BadRequestError),
        ("cut", openai.APIConnectionError),
        ("truncated", ValueError),
    ],
)
def test_failures_arrive_as_the_sdk_tells_them_and_only_answers_are_charged(fault, error):
    with ChatServer(faults=at_first(1, fault), retry_after_seconds=7) as server:
        with pytest.raises(error) as caught:
            chat(server, "one")
        chat(server, "one")
    assert server.received["one"] == 2
    assert server.charged["one"] == (2 if fault in ("cut", "truncated") else 1)
    if fault == "rate_limit":
        assert caught.value.response.headers["retry-after"] == "7"


def test_what_is_not_known_is_refused_and_a_wrong_key_comes_first():
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": ENUM}}
    with ChatServer(supports=frozenset({"tools"}), key="right") as server:
        with pytest.raises(openai.AuthenticationError):
            chat(server, "one", response_format=form)
        server.key = "k"
        with pytest.raises(openai.BadRequestError, match="'json_schema' is not supported"):
            chat(server, "one", response_format=form)


def test_the_list_of_models_says_when_one_ends():
    with ChatServer(models=["a", "b"], shutdown_dates={"b": "2027-01-14"}) as server:
        with openai.OpenAI(base_url=server.address, api_key="k") as client:
            listed = client.models.list().data
        with pytest.raises(openai.NotFoundError):
            chat(server, "one")
    assert {each.id: each.shutdown_date for each in listed} == {"a": None, "b": "2027-01-14"}


def test_a_storm_hits_the_share_that_it_says_and_the_same_calls_every_time():
    with ChatServer(faults=storm(0.2, ["server_error", "rate_limit"])) as server:
        failed = []
        for number in range(200):
            try:
                chat(server, str(number))
            except openai.APIStatusError:
                failed.append(number)
    assert 25 <= len(failed) <= 55
    assert 200 - len(failed) == sum(server.charged.values())


def test_logprobs_and_further_paths():
    routes = {"/v1/decisions": lambda body: (200, {"choice": body["input"]})}
    with ChatServer(log_probabilities=lambda asked: {"bug": -0.1, "billing": -2.4}, routes=routes) as server:
        [token] = chat(server, "a bug?", logprobs=True, top_logprobs=2).choices[0].logprobs.content
        with openai.OpenAI(base_url=server.address, api_key="k") as client:
            told = client.post("/decisions", body={"input": "x"}, cast_to=dict)
    assert [(each.token, each.logprob) for each in token.top_logprobs] == [("bug", -0.1), ("billing", -2.4)]
    assert told == {"choice": "x"}


def test_always_means_every_call():
    with ChatServer(faults=always("empty")) as server:
        assert [chat(server, "one").choices[0].message.content for _ in range(2)] == ["", ""]


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        (ENUM, "a bug", {"answer": "bug"}),
        (ENUM, '{"answer": "billing"}', {"answer": "billing"}),
        ({"type": "array", "items": {"type": "integer"}}, "12 eggs", [12]),
        ({"type": "object", "properties": {"ok": {"type": "boolean"}}}, "?", {"ok": True}),
    ],
)
def test_an_answer_is_held_to_the_schema(schema, text, value):
    assert held_to(schema, text) == value
