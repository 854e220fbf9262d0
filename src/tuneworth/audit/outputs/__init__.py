"""Are the answers whole, and do they keep one form?

Each fault is found by a module of ``output_faults``; here they become findings, patches and the facts
``output_kind``, ``format_regularity`` and ``clear_structure``. All rows are looked at.
"""

from __future__ import annotations

from tuneworth.audit import Checked, Subject, Tick, no_tick
from tuneworth.audit.outputs import by_format, by_words
from tuneworth.core.audit import AuditFact
from tuneworth.core.text import Text

_PARTS = 4


class Outputs:
    title = Text(en="Outputs", zh="输出")

    def skip(self, subject: Subject) -> Text | None:
        return None if subject.train else Text(en="there are no rows", zh="没有数据")

    def run(self, subject: Subject, tick: Tick = no_tick) -> Checked:
        form = _form(subject)
        tick(1, _PARTS)
        found = [*form.findings]
        patches = [*form.patches]
        facts = [_kind(subject), *form.facts]
        if subject.task.kind == "text":
            for done, part in enumerate((by_words.truncated, by_words.refused, by_words.repeated), start=2):
                found += part(subject)
                tick(done, _PARTS)
        found += by_words.placeholders(subject) + by_words.other_languages(subject)
        return Checked(found, len(subject.train), facts, patches)


def _form(subject: Subject) -> Checked:
    if subject.task.kind == "json":
        return by_format.json_answers(subject)
    return by_format.text_answers(subject) if subject.task.kind == "text" else by_format.label_answers(subject)


def _kind(subject: Subject) -> AuditFact:
    why = Text(en="the kind of the task file, or read from the answers", zh="来自任务文件，或由答案判断")
    return AuditFact(name="output_kind", value=subject.task.kind, why=why)


PLUGIN = Outputs()
