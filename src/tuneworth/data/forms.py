"""Forms in which files write answers, and the answer inside: reasoning before it, a code fence or a list around it.

Rows are rewritten once, when they are read, so that nothing behind this knows of forms. Each form is decided on all
outputs of the training file and then read row by row, in a test file too.
"""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tuneworth.core.answers import after_reasoning
from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.data.fieldnames import key
from tuneworth.data.values import json_text, parse_structure
from tuneworth.words.say import say

NEARLY_ALL = 0.95
MAX_LITERAL_CHARS = 50_000
"""Longer Python literals are left alone: the parser's cost is not bounded by their length."""
_ACCEPTED = re.compile(
    r"(?:.*_)?(?:references|answers|ground_truths?|aliases|targets)|generation_gt|.*(?:参考答案|标准答案)"
)
"""Fields whose lists are answers that are all right, not a list to write."""
_WITH_COMMA = re.compile(
    r"(?P<before>[-+−(]?\s?[^\d\s.,]{0,5}\s?)(?P<whole>\d{1,3}(?:[. ]\d{3})+|\d+)(?:,(?P<part>\d+))?(?P<after>\s?[^\d.,]{0,20})"
)
_FENCED = re.compile(r"```\w*[ \t]*\r?\n(.*?)```", re.DOTALL)
_PLACED = {"text", "answer_start", "answer_end", "answer_id"}
Scalar = str | int | float | bool


@dataclass(slots=True)
class Forms:
    """How the outputs of a task are written.

    Attributes:
        steps: what turns the text of an output into the text of the answer, in order.
        accepted: every output is a list of accepted answers.
        notes: what was found, for a person to read.
    """

    steps: list[Callable[[str], str]] = field(default_factory=list)
    accepted: bool = False
    notes: list[Text] = field(default_factory=list)

    def read(self, output: str) -> tuple[str, tuple[str, ...]]:
        """The answer, and the further accepted ones."""
        for step in self.steps:
            output = step(output)
        if not self.accepted:
            return output, ()
        value = parse_structure(output)
        answers = (output,) if value is None else accepted_answers(value) or ("",)
        return answers[0], answers[1:]


def find_forms(outputs: Sequence[str], field_name: str, kind: OutputKind | None) -> Forms:
    """The forms of ``outputs``.

    Args:
        field_name: the field that they stand in.
        kind: the output kind, where the user gives it: ``json`` keeps its lists.
    """
    forms = Forms()
    n_thought = sum(after_reasoning(output) != output for output in outputs)
    forms.steps.append(after_reasoning)  # always: a test file may have it where the training file has none
    if n_thought:
        forms.notes.append(say("answers.form.reasoning", n=n_thought, rows=len(outputs)))
        outputs = [after_reasoning(output) for output in outputs]
    plain = sum(parse_structure(output) is not None for output in outputs)
    read = [as_json(output) for output in outputs]
    structures = [value for text in read if (value := parse_structure(text)) is not None]
    if len(structures) < NEARLY_ALL * len(outputs):
        if _have_decimal_commas(outputs):
            forms.steps.append(_with_decimal_point)
            forms.notes.append(say("answers.form.decimal_commas"))
        return forms
    if plain < len(structures):
        forms.steps.append(as_json)
        forms.notes.append(say("answers.form.rewritten", n=len(structures) - plain, rows=len(outputs)))
    if kind == "json":
        return forms
    accepted = [accepted_answers(value) for value in structures]
    if all(isinstance(value, list) and len(value) == 1 for value in structures) and all(accepted):
        forms.steps.append(_only_item)
        forms.notes.append(say("answers.form.one_item"))
    elif sum(map(bool, accepted)) >= NEARLY_ALL * len(structures) and (
        _ACCEPTED.fullmatch(key(field_name)) or kind == "text" or all(isinstance(value, dict) for value in structures)
    ):
        forms.accepted = True
        forms.notes.append(say("answers.form.accepted", name=field_name or "output"))
    return forms


def _have_decimal_commas(outputs: Sequence[str]) -> bool:
    """Whether ``outputs`` are numbers with decimal commas: some can be nothing else ("3,5", "1.234,56"), and all may be."""
    found = [match for output in outputs if (match := _with_comma(output))]
    sure = sum(bool(match["part"]) and (len(match["part"]) != 3 or "." in match["whole"]) for match in found)
    return sure > 0.05 * len(outputs) and len(found) >= NEARLY_ALL * len(outputs)


def _with_comma(output: str) -> re.Match[str] | None:
    return _WITH_COMMA.fullmatch(
        unicodedata.normalize("NFKC", output).strip()
    )  # narrow and fixed spaces are spaces then


def _with_decimal_point(output: str) -> str:
    match = _with_comma(output)
    if match is None:
        return output
    whole = re.sub(r"[.\s]", "", match["whole"])
    return match["before"] + whole + (f".{match['part']}" if match["part"] else "") + match["after"]


def as_json(output: str) -> str:
    """``output`` as JSON text where it is a structure in a code fence, the only one, in quotes, or as Python writes it; else as it is."""
    text = output.strip()
    if len(fenced := _FENCED.findall(text)) == 1:
        text = fenced[0].strip()
    if parse_structure(text) is not None:
        return text
    value = _quoted(text) if text.startswith('"') else _literal(text)
    return output if value is None else json_text(value)


def accepted_answers(value: Any) -> tuple[str, ...]:
    """The texts of a list of answers, of SQuAD's places of answers in a text in both of its forms, or of TriviaQA's; else none."""
    if isinstance(value, dict) and value.keys() == {"text", "answer_start"}:
        value = value["text"]
    elif isinstance(value, dict) and isinstance(value.get("aliases"), list) and "value" in value:
        value = [value["value"], *value["aliases"]]
    elif isinstance(value, list) and all(isinstance(one, dict) and {"text"} <= one.keys() <= _PLACED for one in value):
        value = [one["text"] for one in value]
    if not isinstance(value, list) or not all(isinstance(item, Scalar) for item in value):
        return ()
    written = (item if isinstance(item, str) else json_text(item) for item in value)
    return tuple(dict.fromkeys(text.strip() for text in written if text.strip()))


def _only_item(output: str) -> str:
    answers = accepted_answers(parse_structure(output))
    return answers[0] if len(answers) == 1 else output


def _quoted(text: str) -> Any:
    """The structure in a JSON string: JSON that was written as JSON twice."""
    try:
        inner = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parse_structure(inner) if isinstance(inner, str) else None


def _literal(text: str) -> Any:
    """The list or object that ``text`` is as a Python literal, if JSON can write it; nothing is run."""
    if not text.startswith(("{", "[", "(")) or len(text) > MAX_LITERAL_CHARS:
        return None
    try:
        value = _plain(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
    return value if isinstance(value, dict | list) else None


def _plain(value: Any) -> Any:
    """``value`` with the types of JSON.

    Raises:
        ValueError: it has others.
    """
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in value), key=str)
    if value is None or isinstance(value, Scalar):
        return value
    raise ValueError(f"{type(value).__name__} is not of JSON")
