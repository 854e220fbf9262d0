"""From a name to a model that can be asked."""

from __future__ import annotations

from collections.abc import Mapping

from tuneworth.costs.prices import Rates, price_of
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.models.api import loop
from tuneworth.models.api.anthropic_messages import AnthropicMessages
from tuneworth.models.api.batch_wires import job_wire
from tuneworth.models.api.chat_model import ChatModel
from tuneworth.models.api.decisions import DecidingModel, decides
from tuneworth.models.api.lists import ModelList, read_list, why_unknown
from tuneworth.models.api.openai_chat import OpenAIChat
from tuneworth.models.api.services import Endpoint, Stated, endpoint_of
from tuneworth.models.api.services import services as known_services
from tuneworth.words.say import say


def open_chat_model(
    name: str, stated: Mapping[str, Rates] | None = None, services: Stated | None = None, *, batch: bool = False
) -> ChatModel:
    """``service/model`` or ``address#model``. The list of models is read, which costs nothing and sends no rows; a service
    without one is not asked.

    Args:
        stated: prices that the user states, by such names.
        services: what a task file says of services.
        batch: gather what is asked into batches; the service must have them.

    Raises:
        InputError: there is no such service, or its list, which is whole, has no such model.
        EnvironmentProblem: no key is set, it is refused, the address cannot be reached, or the SDK is not installed.
    """
    endpoint = endpoint_of(name, services)
    wire = OpenAIChat(endpoint) if endpoint.service.protocol == "chat" else AnthropicMessages(endpoint)
    models = ModelList() if endpoint.service.lists == "none" else loop.run(read_list(wire, endpoint.model))
    kind = DecidingModel if decides(endpoint) else ChatModel
    jobs = job_wire(endpoint) if batch else None
    model = kind(endpoint, wire, price_of(name, stated=stated), models, job_wire=jobs)
    if models.trouble is not None:
        _raise_if_hopeless(model, models)
    elif models.listed is None and models.names and _is_whole(endpoint):
        where = f"{name} ({endpoint.address})"
        raise InputError(Problem(where, why_unknown(endpoint.model, models, "")))
    return model


def _is_whole(endpoint: Endpoint) -> bool:
    """Another server at the address of a variable may answer to more names than it lists."""
    usual = known_services().get(endpoint.name.partition("/")[0])
    return endpoint.service.lists == "all" and usual is not None and endpoint.address == usual.address


def _raise_if_hopeless(model: ChatModel, models: ModelList) -> None:
    """What every call would fail for is told before any row is sent; that there is no list is no such thing."""
    trouble = models.trouble
    assert trouble is not None
    if trouble.kind == "unknown_model":
        return
    if trouble.kind == "network" and not trouble.charged:
        where = f"{model.id} ({model.endpoint.address})"
        raise EnvironmentProblem(Problem(where, say("models.service.unreachable", said=trouble.said)))
    if (fatal := model.fatal(trouble)) is not None:
        raise fatal
