"""Names of models behind an API, where they are, and what is refused before anything is sent there."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tuneworth.errors import EnvironmentProblem, InputError
from tuneworth.models.api.services import Service, endpoint_of, is_loopback, services
from tuneworth.models.catalog import check_names, name_kind, open_model
from tuneworth.testing.chat_server import ChatServer

KEY = "sk-not-to-be-seen"


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch):
    for service in (*services().values(), Service()):
        for variable in (service.address_variable, *service.key_variable):
            monkeypatch.delenv(variable, raising=False)


def test_every_service_says_where_its_facts_are_from_and_what_it_could_not_confirm():
    for name, service in services().items():
        assert service.title, name
        assert service.read is not None, name
        assert service.sources, name
        assert service.unconfirmed, name
        assert service.address or service.address_variable, name
        if service.address:
            assert service.address.startswith("https://") or is_loopback(service.address), name
            assert not service.address.endswith("/"), name


@pytest.mark.parametrize(
    "prefix",
    [
        "openai",
        "anthropic",
        "gemini",
        "deepseek",
        "dashscope",
        "zhipu",
        "moonshot",
        "ark",
        "siliconflow",
        "openrouter",
        "together",
        "fireworks",
        "groq",
        "mistral",
        "azure",
        "bedrock",
        "ollama",
        "volcengine",
        "together_ai",
    ],
)
def test_names_as_people_write_them(prefix, monkeypatch):
    service = services()[prefix]
    monkeypatch.setenv(service.address_variable, "https://mine.example.com/v1/")
    if service.key_variable:
        monkeypatch.setenv(service.key_variable[-1], f"  {KEY}\n")
    name = f"{prefix}/a/b:c"
    assert name_kind(name) == "api"
    endpoint = endpoint_of(name)
    assert (endpoint.model, endpoint.address) == ("a/b:c", "https://mine.example.com/v1")
    assert endpoint.key() == (KEY if service.key_variable else "none")
    check_names([name])


def test_the_key_of_a_service_is_not_sent_to_an_address(monkeypatch):
    """Whoever writes an address has not said that OpenAI's key may go there."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ChatServer() as server:
        open_model(f"{server.address}#m")
        endpoint = endpoint_of(f"{server.address}#m")
    assert endpoint.key() == "none"
    monkeypatch.setenv("TUNEWORTH_API_KEY", "another")
    assert endpoint.key() == "another"


def test_a_task_file_adds_and_overrides(monkeypatch):
    monkeypatch.setenv("MY_KEY", KEY)
    said = {
        "corp": {"address": "https://llm.corp.example/v1", "key_variable": ["MY_KEY"], "means": ["json_mode"]},
        "openai": {"requests_per_minute": 60.0},
        "http://10.1.2.3:8000/v1": {"allow_http": True, "context_tokens": 9000},
    }
    assert name_kind("corp/m", said) == "api"
    assert name_kind("corp/m") == "hub"
    corp = endpoint_of("corp/m", said)
    assert (corp.address, corp.key(), corp.service.means) == ("https://llm.corp.example/v1", KEY, ("json_mode",))
    openai = endpoint_of("openai/m", said)
    assert openai.service.requests_per_minute == 60
    assert openai.service.address == services()["openai"].address
    assert endpoint_of("http://10.1.2.3:8000/v1#m", said).service.context_tokens == 9000


def test_what_was_stated_of_a_service_is_in_the_record_and_opens_it_again():
    with ChatServer() as server:
        said = {"corp": {"address": server.address, "key_variable": []}, "other": {"address": "https://h/v1"}}
        described = json.loads(json.dumps(open_model("corp/m", services=said).describe()))
        assert described["stated"] == {"corp": said["corp"]}
        assert open_model("corp/m", services=described["stated"]).id == "corp/m"
        assert open_model(f"{server.address}#m").describe()["stated"] is None


@pytest.mark.parametrize(
    ("name", "variables", "where", "says"),
    [
        ("openai/m", {}, "openai/m", "set the environment variable OPENAI_API_KEY"),
        ("gemini/m", {}, "gemini/m", "set the environment variable GEMINI_API_KEY or GOOGLE_API_KEY"),
        ("azure/m", {"AZURE_OPENAI_API_KEY": KEY}, "azure/m", "set the environment variable AZURE_OPENAI_BASE_URL"),
        ("openai/m", {"OPENAI_API_KEY": f"{KEY}\n{KEY}"}, "OPENAI_API_KEY", "spaces, line breaks"),
        ("openai/m", {"OPENAI_API_KEY": f"{KEY} x"}, "OPENAI_API_KEY", "was more copied than the key?"),
        ("openai/m", {"OPENAI_API_KEY": "“sk”"}, "OPENAI_API_KEY", "characters that no key has"),
        ("openai/m", {"OPENAI_BASE_URL": "api.example.com/v1"}, "OPENAI_BASE_URL", "is not an address"),
        ("openai/m", {"OPENAI_BASE_URL": "https://"}, "OPENAI_BASE_URL", "is not an address"),
        ("openai/m", {"OPENAI_BASE_URL": "https://h:port/v1"}, "OPENAI_BASE_URL", "is not an address"),
        ("openai/m", {"OPENAI_BASE_URL": "http://api.example.com/v1"}, "OPENAI_BASE_URL", "is not encrypted"),
        ("http://10.1.2.3:8000/v1#m", {}, "http://10.1.2.3:8000/v1#m", "allow_http: true"),
        ("https://me:secret@h/v1#m", {}, "https://…@h/v1#m", "put the key into its environment variable"),
        ("https://h/v1?key=secret#m", {}, "https://h/v1#m", "put the key into its environment variable"),
        ("ftp://h/v1#m", {}, "ftp://h/v1#m", "is not an address"),
        ("http://localhost:8000/v1", {}, "http://localhost:8000/v1", "write http://localhost:8000/v1#MODEL"),
        ("openai/", {}, "openai/", "no such service"),
        ("openai:gpt-6-luna", {}, "openai:gpt-6-luna", "did you mean openai/gpt-6-luna?"),
        ("opanai:gpt-6-luna", {}, "opanai:gpt-6-luna", "did you mean openai/gpt-6-luna?"),
        ("cohere/command", {}, "cohere/command", "https://HOST/v1#MODEL"),
    ],
)
def test_what_cannot_be_used_is_told_before_anything_is_sent(name, variables, where, says, monkeypatch):
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        check_names([name])
    [problem] = caught.value.problems
    assert problem.where == where
    for lang in ("en", "zh"):
        assert KEY not in problem.to(lang)
        assert "secret" not in problem.message.to(lang)


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://127.8.9.1/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://127.0.0.1.example.com/v1", False),
        ("http://127.0.0.1@example.com/v1", False),
        ("http://0.0.0.0:8000/v1", False),
        ("http://192.168.0.1/v1", False),
    ],
)
def test_what_is_on_this_machine(address, here):
    assert is_loopback(address) is here


@pytest.mark.parametrize("name", ["http://127.0.0.1:8000/v1#m", "http://localhost:8000/v1#m", "ollama/m"])
def test_a_private_task_may_ask_this_machine(name):
    check_names([name], private=True)


@pytest.mark.parametrize(
    ("name", "variable"),
    [("openai/m", None), ("https://h/v1#m", None), ("ollama/m", "OLLAMA_BASE_URL"), ("bedrock/m", None)],
)
def test_a_private_task_may_ask_nothing_else(name, variable, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    if variable is not None:
        monkeypatch.setenv(variable, "https://h/v1")
    with pytest.raises(InputError, match="rows may not leave this machine"):
        check_names([name], private=True)
    with pytest.raises(InputError, match="rows may not leave this machine"):
        open_model(name, private=True)


def test_a_server_that_is_not_there_is_told_when_the_model_is_opened():
    with pytest.raises(EnvironmentProblem, match="cannot be reached"):
        open_model("http://127.0.0.1:9/v1#m")


def test_a_key_that_is_refused_is_told_when_the_model_is_opened(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ChatServer(key="another") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        with pytest.raises(EnvironmentProblem, match="refuses the key; check OPENAI_API_KEY") as caught:
            open_model("openai/m")
    assert KEY not in str(caught.value)
    assert not server.asked


def test_an_unknown_model_is_told_with_near_names_before_any_row_is_sent(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ChatServer(models=["gpt-6-luna", "gpt-6-sol", "text-embedding-4"]) as server:
        monkeypatch.setitem(services(), "openai", services()["openai"].model_copy(update={"address": server.address}))
        with pytest.raises(
            InputError, match=r"does not know the model gpt-6-lunar; did you mean gpt-6-luna, gpt-6-sol\?"
        ):
            open_model("openai/gpt-6-lunar")
        assert open_model("openai/gpt-6-luna").id == "openai/gpt-6-luna"
    assert not server.asked


def test_it_works_without_torch_and_imports_no_sdk_before_it_is_used():
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('torch', 'transformers', 'llguidance')))\n"
        "from tuneworth.models.catalog import check_names, open_model\n"
        "from tuneworth.testing.chat_server import ChatServer\n"
        "from tuneworth.models.base import Request\n"
        "from tuneworth.core.task import Message\n"
        "check_names(['ollama/m'])\n"
        "assert not {'openai', 'anthropic', 'httpx2'} & set(sys.modules)\n"
        "with ChatServer() as server:\n"
        "    model = open_model(server.address + '#m')\n"
        "    print(model.generate([Request((Message('user', 'hello'),))], max_new_tokens=5)[0].text)\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("hello\n", "")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("https://me:hush@ry@host/v1#m", "https://…@host/v1"),
        ("https://host/v1?api_key=hush#m", "https://host/v1"),
    ],
    ids=["password", "query"],
)
def test_what_is_refused_for_a_secret_in_it_does_not_tell_the_secret(name, place):
    with pytest.raises(InputError) as caught:
        endpoint_of(name)
    assert "hush" not in str(caught.value)
    assert "@ry" not in str(caught.value)
    assert place in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["http://[::1/v1", "https://exa mple.com/v1", "https://h\n/v1", "https://ho\x1b[31mst/v1"],
    ids=["bracket", "space", "line_break", "escape"],
)
def test_an_address_that_is_none_is_named_without_what_steers_a_terminal(address):
    with pytest.raises(InputError, match="is not an address") as caught:
        endpoint_of(f"{address}#m")
    assert "\x1b" not in str(caught.value)
