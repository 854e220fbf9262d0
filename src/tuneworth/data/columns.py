"""Columns beside the question and the answer: which of them belong to what is asked.

A column that is left out can make a task unanswerable, and a column that came with the answer makes it trivial; both look
healthy. So every column that nothing reads is tested (``evidence.py``).

A column that by its name can only belong to the question joins the input; one whose name leaves it open joins where a
test says so. Any other that passes a test is named loudly and stays out: nothing in a file tells whether a value was there
before the answer was. A column that is the answer in other words, or comes with it by its name, never joins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tuneworth.core.text import Text
from tuneworth.data.evidence import Sampled, evidence_of
from tuneworth.data.fieldnames import (
    GENERAL_ANSWERS,
    HISTORIES,
    INPUTS,
    MADE_AFTER,
    MAYBE_INPUTS,
    METADATA,
    OBJECTS,
    OPINIONS,
    SYSTEM_TURNS,
    in_yaml,
    is_system,
    is_truth,
    key,
    words,
)
from tuneworth.words.say import say

_DOCUMENT_TEXTS = words("text body content message email article review comment description 正文 内容 文本 描述")
_HEADS = words("title subject heading headline 标题 主题")


@dataclass(slots=True)
class Judged:
    """What becomes of the columns that nothing reads.

    Attributes:
        joined: belong to the input, in the order of the file.
        notes: why some joined, and why some that look like it stay out.
        warnings: columns that stay out although a test says that they matter.
        said: the columns of all these.
    """

    joined: list[str] = field(default_factory=list[str])
    notes: list[Text] = field(default_factory=list[Text])
    warnings: list[Text] = field(default_factory=list[Text])
    said: set[str] = field(default_factory=set[str])


def judge(
    sample: Sampled, *, read: Sequence[str], may_join: bool, documents: bool, others: Sequence[str] = ()
) -> Judged:
    """Which columns of ``sample`` join the input.

    Args:
        read: columns that are read already, the answer last; a conversation alone.
        may_join: False where the user has named the fields: then what would join is a warning.
        documents: answers are looked up in documents, so a passage beside the question is no input.
        others: columns that answer too and lost against the answer.
    """
    judged, few = Judged(), len(set(sample.answers)) <= sample.n / 2
    about_text = any(key(name) in _DOCUMENT_TEXTS for name in read[:-1])
    *asked, answer = read
    for name, values in sample.columns.items():
        if not any(values):
            continue
        before = len(judged.notes) + len(judged.warnings)
        if name in others or is_system(name):
            judged.notes.append(say("columns.system", name=name))
            judged.said.add(name)
            continue
        own = key(name)
        found = evidence_of(values, sample)
        sure = own in INPUTS or own in SYSTEM_TURNS or own in HISTORIES
        head = few and ((own in _HEADS and about_text) or (own in OBJECTS and key(answer) in OPINIONS))
        maybe, answers = own in MAYBE_INPUTS, is_truth(name) or own in GENERAL_ANSWERS or found.names_it
        if found.is_answer or own in MADE_AFTER or (answers and not (sure or head or maybe)):
            if found.any or found.is_answer or found.names_it:
                judged.notes.append(say("columns.made_after", name=name))
        elif documents and (found.holds or own in INPUTS):
            judged.notes.append(say("columns.looked_up", name=name, why=found.said()))
        elif may_join and (sure or head or (maybe and not found.names_it and (found.any or found.shapes))):
            judged.joined.append(name)
            judged.notes.append(say("columns.joined", name=name, why=found.said()))
        elif found.any and (own not in METADATA or found.holds):
            if asked:
                fields = {"inputs": in_yaml(*asked, name), "output": in_yaml(answer)}
                judged.warnings.append(say("columns.unused", name=name, why=found.said(), **fields))
            else:
                judged.warnings.append(say("columns.unused_chat", name=name, why=found.said()))
        if len(judged.notes) + len(judged.warnings) > before:
            judged.said.add(name)
    return judged
