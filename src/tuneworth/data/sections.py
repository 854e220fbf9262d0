"""The sections of a task file: what a user may say about rows, answers, documents and settings."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from tuneworth.core.task import LABELLED, OutputKind
from tuneworth.core.text import Text
from tuneworth.costs.figures import Figure, read_figure
from tuneworth.costs.prices import STATED, Rates
from tuneworth.costs.table import own_table
from tuneworth.data.schema import schema_fault
from tuneworth.errors import InputError
from tuneworth.words.say import say


class Section(BaseModel):
    """Unknown keys and loose types are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Fields(Section):
    """Names of the fields of a row; what is not given is found by name."""

    input: str | list[str] | None = Field(
        default=None, description="field with the input; several are joined as `name: value` lines, empty ones left out"
    )
    output: str | None = Field(default=None, description="field with the answer")
    id: str | None = Field(default=None, description="field with a unique name of the row; `id` is found by itself")
    references: str | None = Field(
        default=None,
        description="field with further accepted answers; `references` and `answers` are found by themselves",
    )
    choices: str | None = Field(default=None, description="field with the list of answers allowed for the row")
    group: str | None = Field(
        default=None,
        description="rows with the same value stay on one side of the split and count as one group; none: look for no such field",
    )
    gold: str | None = Field(
        default=None, description="field with the ids of the documents, or passages, that hold the answer"
    )
    doc_set: str | None = Field(default=None, description="field with the part of the documents that the row is about")
    date: str | None = Field(
        default=None, description="field with the date of the row, or of the knowledge that it asks for"
    )

    @property
    def input_names(self) -> tuple[str, ...]:
        if self.input is None:
            return ()
        return (self.input,) if isinstance(self.input, str) else tuple(self.input)

    @model_validator(mode="after")
    def _both(self) -> Fields:
        if bool(self.input_names) != (self.output is not None):
            raise refused(say("task.rule.input_and_output"))
        return self


class Output(Section):
    """What answers look like."""

    kind: OutputKind | None = Field(
        default=None, description="label, choice, multilabel, number, json or text; inferred when left out"
    )
    labels: list[str] | None = Field(default=None, description="all classes; rows with another answer are set aside")
    ignore_case: bool = Field(default=False, description="labels that differ only in case or spaces are one")
    json_schema: dict[str, Any] | None = Field(
        default=None, alias="schema", description="JSON schema of the answers; inferred when left out"
    )

    @model_validator(mode="after")
    def _agree(self) -> Output:
        if self.labels is not None and self.kind not in (None, *LABELLED):
            raise refused(say("task.rule.labels_kind", kind=self.kind))
        if self.json_schema is not None and self.kind not in (None, "json"):
            raise refused(say("task.rule.schema_kind", kind=self.kind))
        if self.labels is not None and self.json_schema is not None:
            raise refused(say("task.rule.labels_or_schema"))
        return self

    @field_validator("labels")
    @classmethod
    def _different(cls, labels: list[str] | None) -> list[str] | None:
        if labels is not None and len(set(labels)) < max(len(labels), 2):
            raise refused(say("task.rule.two_labels"))
        return labels

    @field_validator("json_schema")
    @classmethod
    def _valid_schema(cls, schema: dict[str, Any] | None) -> dict[str, Any] | None:
        if schema is not None:
            what = schema_fault(schema)
            if what is not None:
                raise refused(say("task.rule.json_schema", what=what))
        return schema


class RowCaps(Section):
    """Most rows of each side."""

    train: int | None = Field(default=None, ge=8, description="most train rows; all when left out")
    dev: int | None = Field(default=None, ge=3, description="most dev rows; 150 when left out")
    test: int | None = Field(default=None, ge=6, description="most test rows; 300 when left out")


class SplitRules(Section):
    """How rows are dealt to train, dev and test."""

    by: Literal["chance", "date"] = Field(
        default="chance",
        description="chance, or date: train on the oldest rows, choose on newer ones, test on the newest",
    )


class Documents(Section):
    """The documents that answers may be looked up in."""

    source: str | list[str] = Field(min_length=1, description="folder, file, glob, hf://…, or a list of them")
    passage_tokens: int = Field(default=240, ge=16, le=4096, description="longest passage, in tokens of the model")
    encoder: str | None = Field(
        default=None,
        description="embedding model: a folder, owner/name or service/model; the embedded one for English when left out",
    )
    reranker: str | None = Field(default=None, description="cross-encoder that reads the best passages again")
    no_answer: str | None = Field(
        default=None, min_length=1, description="what a row answers when the documents do not hold it"
    )
    min_similarity: float | None = Field(
        default=None, ge=0, le=1, description="cosine the nearest passage must reach; below, the answer is `no_answer`"
    )

    @property
    def sources(self) -> list[str]:
        return [self.source] if isinstance(self.source, str) else self.source


class Updates(Section):
    """How fast things change."""

    knowledge_every_days: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="days between two changes of the documents"
    )


Stated = Any
"""What ``costs.figures.read_figure`` reads: a number, a list of two, or either as people write it: ``50k``, ``20k-50k``, ``2000/day``."""


class StatedTraffic(Section):
    """How many calls there are and when they come (``costs/traffic.py``)."""

    calls_per_month: Stated = Field(default=None, description="calls a month, now: a number or a range")
    shape: Any = Field(default=None, description="when they come: flat, daytime or office_hours")
    peak: Stated = Field(default=None, description="calls of the busiest hour over those of the mean hour")
    growth_per_month: Stated = Field(default=None, description="0.05: 5 % more calls each month")
    share_repeated: Stated = Field(default=None, description="share of calls whose text came before")
    share_nearly_repeated: Stated = Field(default=None, description="the same but for case, digits and punctuation")
    months: Any = Field(default=None, description="months that costs are looked at for")

    @field_validator("*")
    @classmethod
    def _is_read(cls, value: object, info: ValidationInfo) -> object:
        from tuneworth.costs.traffic import read_traffic  # numpy: advice does without

        try:
            read_traffic({} if value is None else {info.field_name or "": value})
        except InputError as error:
            raise told_in_full(error) from None
        return value

    @property
    def given(self) -> dict[str, Any]:
        """What was stated, by name."""
        return self.model_dump(exclude_none=True)


class StatedCosts(Section):
    """What else the costs of arms hang on (docs/cost.md)."""

    log: str | None = Field(
        default=None, description="a log of your own calls, JSONL or CSV: its rate, peak and repeats are the traffic"
    )
    zone: str | None = Field(default=None, description="time zone of the log's times without one: Asia/Shanghai")
    wage: Stated = Field(default=None, description="an hour of work, US dollars: a number or a range")
    hours: dict[str, Stated] = Field(default={}, description="strategy: hours of work to set it up")
    prices: str | None = Field(default=None, description="a file with prices of your own")

    @field_validator("wage", "hours")
    @classmethod
    def _are_read(cls, value: Any, info: ValidationInfo) -> Any:
        try:
            for each in value.values() if isinstance(value, dict) else [value]:
                if each is not None:
                    unit = "hour" if isinstance(value, dict) else "usd/hour"
                    read_figure(each, info.field_name or "", unit, cny_per_usd=own_table().cny_per_usd)
        except InputError as error:
            raise told_in_full(error) from None
        return value

    def figures(self, cny_per_usd: float | None) -> list[Figure]:
        """The wage and the hours, by name."""
        stated = {f"hours.{name}": each for name, each in self.hours.items()} | {"wage": self.wage}
        return [
            read_figure(each, name, "usd/hour" if name == "wage" else "hour", source=STATED, cny_per_usd=cny_per_usd)
            for name, each in stated.items()
            if each is not None
        ]


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _number(value: object) -> object:
    """YAML 1.1 reads ``1e-4`` as text: it wants ``1.0e-4``, which nobody writes."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


_Usd = Annotated[float, BeforeValidator(_number), Field(ge=0, allow_inf_nan=False)]


class StatedPrice(Section):
    """What a model costs, US dollars per million tokens."""

    input: _Usd = Field(description="tokens that it reads")
    output: _Usd = Field(description="tokens that it writes, reasoning among them; 0 where they cost nothing")
    cached_input: _Usd | None = Field(
        default=None, description="tokens that it reads from a cache; as `input` if left out"
    )
    cache_write: _Usd | None = Field(default=None, description="tokens written to a cache; as `input` when left out")
    batch_share: float | None = Field(
        default=None, gt=0, le=1, description="part of all this that a call in a batch costs; all of it when left out"
    )

    def rates(self) -> Rates:
        return Rates(self.input, self.output, self.cached_input, self.cache_write, batch_share=self.batch_share)


_Counts = Annotated[list[Annotated[int, Field(ge=1)]], BeforeValidator(_listed), Field(min_length=1)]
_Rate = Annotated[float, BeforeValidator(_number), Field(gt=0, lt=1)]
_Rates = Annotated[list[_Rate], BeforeValidator(_listed), Field(min_length=1)]
_Layers = Annotated[list[Literal["all", "upper_third"]], BeforeValidator(_listed), Field(min_length=1)]
_Tokens = Annotated[list[Annotated[int, Field(ge=16, le=4096)]], BeforeValidator(_listed), Field(min_length=1)]


_Calibrations = Annotated[list[Literal["none", "batch", "fitted"]], BeforeValidator(_listed), Field(min_length=1)]
_Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
_Efforts = Annotated[list[_Effort], BeforeValidator(_listed), Field(min_length=1)]


class PromptSettings(Section):
    """Values of the settings of what asks a model as it is: one, or a list."""

    reasoning: _Efforts | None = Field(
        default=None, description="how much a model behind an API thinks before it answers: none, low, medium, high, …"
    )


class DecisionSettings(Section):
    """Values of the decision arms' settings: one, or a list."""

    calibration: _Calibrations | None = Field(
        default=None, description="none: as it comes; batch: bias towards labels corrected; fitted: weights fitted"
    )


class FewShotSettings(PromptSettings):
    """Values of few-shot's settings: one, or a list."""

    k: _Counts | None = Field(default=None, description="demonstrations per request")


class LoraSettings(Section):
    """Values of LoRA's settings: one, or a list."""

    rank: _Counts | None = Field(default=None, description="rank of the adapter matrices")
    learning_rate: _Rates | None = Field(default=None, description="peak learning rate")
    epochs: _Counts | None = Field(default=None, description="most passes over the rows")
    layers: _Layers | None = Field(default=None, description="layers that learn: all, or upper_third")


class RagSettings(PromptSettings):
    """Values of RAG's settings: one, or a list."""

    k: _Counts | None = Field(default=None, description="passages per question")
    passage_tokens: _Tokens | None = Field(default=None, description="longest passage, in tokens of the model")


class LoraRagSettings(LoraSettings):
    """Values of the settings of LoRA with RAG: one, or a list."""

    k: _Counts | None = Field(default=None, description="passages per question")


class StatedService(Section):
    """What is to be known of a service beyond the built-in table, or differs from it."""

    protocol: Literal["chat", "messages"] | None = Field(
        default=None, description="chat: OpenAI's chat completions; messages: Anthropic's"
    )
    address: str | None = Field(default=None, min_length=1, description="base URL")
    key_variable: Annotated[list[str], BeforeValidator(_listed)] | None = Field(
        default=None, description="environment variable that holds the key; an empty list: none is asked for"
    )
    means: Annotated[list[Literal["strict", "tool", "json_mode"]], BeforeValidator(_listed)] | None = Field(
        default=None, description="how answers can be held to a form, best first: strict, tool, json_mode"
    )
    max_tokens: Literal["max_tokens", "max_completion_tokens"] | None = Field(
        default=None, description="name of the field for the most tokens of an answer"
    )
    reasoning: Literal["effort", "thinking", "enable_thinking", "nested", "adaptive", "none"] | None = Field(
        default=None, description="how the effort to think is said"
    )
    temperature: bool | None = Field(default=None, description="whether temperature 0 is sent")
    context_tokens: int | None = Field(default=None, ge=256, description="longest prompt plus answer")
    embeds: int | None = Field(default=None, ge=1, description="most texts of one request for embeddings")
    decisions: Literal["openai", "systemone", "none"] | None = Field(
        default=None, description="how typed questions are asked: POST /decisions, or POST /systemone"
    )
    decides: Annotated[list[str], BeforeValidator(_listed)] | None = Field(
        default=None, description="models that answer typed questions; * stands for any"
    )
    most_choices: int | None = Field(default=None, ge=2, description="most options of a typed question")
    writes: bool | None = Field(default=None, description="whether its models write text")
    batches: str | None = Field(
        default=None, description="endpoint that batches are about, where it has them: /v1/chat/completions"
    )
    requests_per_minute: float | None = Field(
        default=None, gt=0, description="most requests a minute; no limit of ours when left out"
    )
    at_once: int | None = Field(default=None, ge=1, le=256, description="requests under way at the start; it adapts")
    timeout_seconds: float | None = Field(default=None, gt=0, description="longest wait for one answer")
    allow_http: bool | None = Field(default=None, description="send key and rows without encryption to another machine")

    @field_validator("key_variable")
    @classmethod
    def _names(cls, variables: list[str] | None) -> list[str] | None:
        """A key that was written here itself would end up in messages and in the record."""
        if not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in variables or ()):
            raise refused(say("task.rule.key_variable"))
        return variables


class Settings(Section):
    """Values of strategies' settings that are tried in place of their own choice; several make several arms."""

    prompt: PromptSettings = Field(default=PromptSettings(), description="prompt")
    decision: DecisionSettings = Field(default=DecisionSettings(), description="decision")
    fewshot: FewShotSettings = Field(default=FewShotSettings(), description="few-shot")
    lora: LoraSettings = Field(default=LoraSettings(), description="LoRA")
    rag: RagSettings = Field(default=RagSettings(), description="RAG")
    oracle: PromptSettings = Field(default=PromptSettings(), description="gold passage given")
    lora_rag: LoraRagSettings = Field(default=LoraRagSettings(), description="LoRA with RAG")

    def of(self, strategy: str) -> dict[str, list[Any]]:
        """Setting → the values to try, of the settings that were given."""
        section = getattr(self, strategy, None)
        return section.model_dump(exclude_none=True) if isinstance(section, Section) else {}


class Repeats(Section):
    """How often a model that may answer differently each time is asked the same."""

    answers: int = Field(
        default=3, ge=1, le=20, description="answers to a row, the first among them; 1: never ask again"
    )
    rows: int = Field(
        default=60, ge=1, description="dev rows and test rows of a finalist that are asked again, at most"
    )


def told_in_full(error: InputError) -> PydanticCustomError:
    """What is wrong with a value, as it is told elsewhere as well: the value is named in it."""
    return PydanticCustomError("told_in_full", "{en}", dict(error.problems[0].message.by_lang))


def refused(rule: Text) -> PydanticCustomError:
    """A broken rule in both languages, for a validator to raise."""
    return PydanticCustomError("tuneworth", "{en}", dict(rule.by_lang))
