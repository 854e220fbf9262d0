"""What a service says of a failure, and what follows from it."""

from __future__ import annotations

import sys
import time

import pytest

from tuneworth.errors import EnvironmentProblem
from tuneworth.models.api.failures import retry_after, trouble_of
from tuneworth.models.catalog import open_model
from tuneworth.testing.chat_models import asking
from tuneworth.testing.chat_server import ChatServer, always, at_first

OPENAI_PER_MINUTE = (
    "Rate limit reached for m on requests per min (RPM): Limit 3. Please try again in 20s. Please add a payment method: "
    "https://platform.openai.com/account/billing"
)
GEMINI_PER_MINUTE = (
    "You exceeded your current quota, please check your plan and billing details. Please retry in 34.07s."
)
OPENAI_NOTHING_LEFT = "You exceeded your current quota, please check your plan and billing details."


def told(status: int, message: str, code: str = "") -> str:
    """The kind of trouble that the SDK's error for such an answer is."""
    import httpx2
    import openai

    body = {"message": message, "code": code}
    answer = httpx2.Response(status, request=httpx2.Request("POST", "http://127.0.0.1/v1"))
    return trouble_of(openai.APIStatusError(message, response=answer, body=body), openai, "").kind


@pytest.mark.parametrize(
    ("message", "code", "kind"),
    [
        (OPENAI_PER_MINUTE, "rate_limit_exceeded", "busy"),
        (GEMINI_PER_MINUTE, "", "busy"),
        (OPENAI_NOTHING_LEFT, "insufficient_quota", "quota"),
        ("Your credit balance is too low", "", "quota"),
    ],
    ids=["per_minute", "called_a_quota", "nothing_left", "credit"],
)
def test_a_full_minute_is_not_an_empty_account(message, code, kind):
    """The one is waited for, the other ends the run."""
    assert told(429, message, code) == kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("max_tokens must be at most 13010", "rejected"),
        ("names of fields are case-sensitive", "rejected"),
        ("系统检测到输入可能包含敏感内容 code 1301", "filtered"),
        ("the input is sensitive", "filtered"),
    ],
)
def test_what_is_refused_for_a_field_is_no_refusal_of_the_row(message, kind):
    assert told(400, message) == kind


@pytest.mark.parametrize("value", ["Wed, 32 Oct 2099 07:28:00 GMT", "Wed, 21 Oct 99999 07:28:00 GMT", "soon", ""])
def test_a_time_to_wait_until_that_is_none_is_passed_over(value):
    assert retry_after({"retry-after": value}) is None


def test_a_service_that_wants_an_hour_is_not_waited_for():
    """Rows behind those that it turned away wait no more than these."""
    with ChatServer(faults=at_first(2, "rate_limit"), retry_after_seconds=3600) as server:
        model = open_model(f"{server.address}#m")
        started = time.perf_counter()
        answers = model.generate(asking(40), max_new_tokens=8)
    assert time.perf_counter() - started < 20
    assert any(answer.may_pass for answer in answers)
    assert all(answer.may_pass or answer.finish_reason == "stop" for answer in answers)


def test_a_file_of_certificates_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    with pytest.raises(EnvironmentProblem, match=r"SSL_CERT_FILE: /nowhere\.pem cannot be read"):
        open_model("https://api.example.com/v1#m")


@pytest.mark.parametrize("proxy", ["http://me:hush@127.0.0.1:port", "gopher://me:hush@127.0.0.1"])
def test_a_proxy_that_is_none_is_named_by_its_variable(monkeypatch, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(EnvironmentProblem, match=r"HTTPS_PROXY.*cannot be used") as caught:
        open_model("https://api.example.com/v1#m")
    assert "hush" not in str(caught.value)


def test_socks_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(EnvironmentProblem, match="pip install socksio"):
        open_model("https://api.example.com/v1#m")


def test_names_that_a_service_tells_do_not_steer_a_terminal():
    with ChatServer(models=("\x1b[31mmodel-a",), faults=always("unknown_model")) as server:
        model = open_model(f"{server.address}#model-b")
        with pytest.raises(Exception, match="does not know the model") as caught:
            model.generate(asking(1), max_new_tokens=8)
    assert "\x1b" not in str(caught.value)


def test_a_shutdown_date_that_is_no_text_is_passed_over():
    with ChatServer(models=("m",), shutdown_dates={"m": 1_790_000_000}) as server:  # pyright: ignore[reportArgumentType]
        model = open_model(f"{server.address}#m")
    assert model.describe()["shutdown_date"] is None


def test_a_name_that_answers_does_not_steer_a_terminal():
    with ChatServer(answer=lambda asked: "yes", faults=always("renamed")) as server:
        model = open_model(f"{server.address}#\x1b[31mm")
        model.generate(asking(1), max_new_tokens=8)
    assert not any("\x1b" in name for name in model.describe()["answered_by"])
