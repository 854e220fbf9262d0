"""Findings on what the answers say of themselves: cut off, refused, copied, empty, in another language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tuneworth.audit import Subject
from tuneworth.audit._mentions import mentions
from tuneworth.audit.outputs.refusals import is_refusal
from tuneworth.audit.outputs.scripts import name_of, odd_ones
from tuneworth.audit.outputs.truncation import Sign, common_limit, cut_off
from tuneworth.core.audit import Finding, Measure, Severity
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.data.neardup import plain

_MANY, _FEW = 0.05, 0.01
_ECHO_MIN_CHARS = 30

_EMPTY_WORDS = "n/a na none null nil nan undefined todo tbd - -- ? … ... . x 无 暂无 待定 待补充 空 略 不详"
_NOTHING = frozenset(_EMPTY_WORDS.split())
_SIGNS: dict[Sign, Text] = {
    "limit": Text(en="stops at the length at which many answers stop", zh="停在许多答案共同的长度上"),
    "announces": Text(en="ends where something must follow", zh="在话没说完处结束"),
    "open": Text(en="a bracket or code fence is left open", zh="括号或代码块没有闭合"),
    "no_end": Text(en="no final mark, unlike nearly all answers", zh="没有句末标点，而几乎所有答案都有"),
}


def truncated(subject: Subject) -> list[Finding]:
    """Answers that look cut off."""
    rows, outputs = subject.train, [row.output for row in subject.train]
    signs = cut_off(outputs)
    if not signs:
        return []
    limit, n = common_limit(outputs), len(signs)
    at_en = f"; many stop at {limit:,} characters" if limit else ""
    at_zh = f"，许多停在第 {limit:,} 个字符" if limit else ""
    shown = [(rows[at], _joined([_SIGNS[sign] for sign in found])) for at, found in signs.items()]
    finding = Finding(
        id="outputs.truncated",
        severity="serious" if limit and n >= _FEW * len(rows) else _severity(n, len(rows)),
        title=Text(en=f"{n:,} outputs look cut off{at_en}", zh=f"{n:,} 条输出疑似被截断{at_zh}"),
        measures=_share(n, len(rows)),
        why=Text(
            en="A model tuned on answers that stop halfway learns to stop halfway; a metric compares whole answers with halves.",
            zh="用半截答案微调，模型就会学着半途而止；评测时也等于拿完整答案去比半截答案。",
        ),
        seed_rows=["K4", "P2"],
        fix=Text(
            en="Export these rows again without a limit on length; drop those that cannot be completed.",
            zh="取消长度限制后重新导出这些行；补不全的就删掉。",
        ),
        rows=mentions(subject, shown),
        n_rows=n,
    )
    return [finding]


def refused(subject: Subject) -> list[Finding]:
    """Answers in which a model declines."""
    found = [row for row in subject.train if is_refusal(row.output)]
    if not found:
        return []
    finding = Finding(
        id="outputs.refusals",
        severity=_severity(len(found), len(subject.train)),
        title=Text(en=f"{len(found):,} outputs are refusals of a model", zh=f"{len(found):,} 条输出是模型的拒答"),
        measures=_share(len(found), len(subject.train)),
        why=Text(
            en="They show that a model wrote some of the answers, and a tuned model learns to refuse as well.",
            zh="这说明部分答案由模型生成；用它们微调，模型也会学着拒答。",
        ),
        seed_rows=["K4", "P1"],
        fix=Text(
            en="Drop them, unless refusing is what the task asks for on these inputs.",
            zh="除非任务本来就要求对这类输入拒答，否则应删除。",
        ),
        rows=mentions(subject, ((row, None) for row in found)),
        n_rows=len(found),
    )
    return [finding]


def repeated(subject: Subject) -> list[Finding]:
    """Answers that repeat their input, whole or as their beginning."""
    found = [(row, how) for row in subject.train if (how := _copies(row)) is not None]
    if not found:
        return []
    finding = Finding(
        id="outputs.copies",
        severity=_severity(len(found), len(subject.train)),
        title=Text(en=f"{len(found):,} outputs repeat their input", zh=f"{len(found):,} 条输出照抄了输入"),
        measures=_share(len(found), len(subject.train)),
        why=Text(
            en="Copying is the easiest thing to learn. Where it is not wanted it hides how well the task itself was learnt.",
            zh="照抄最容易学会；如果这不是任务本意，它会掩盖模型真正学到了多少。",
        ),
        seed_rows=["K4"],
        fix=Text(
            en="Check whether nothing was to be changed in these rows, or whether the answer is missing and the question was "
            "exported in its place.",
            zh="检查这些行是本来就无需改动，还是答案缺失、导出时误把输入填了进去。",
        ),
        rows=mentions(subject, found),
        n_rows=len(found),
    )
    return [finding]


def placeholders(subject: Subject) -> list[Finding]:
    """Answers that say nothing ("N/A", "无"), where answers are not labels."""
    if subject.task.kind in ("label", "choice"):
        return []
    found = [row for row in subject.train if row.output.strip().casefold().rstrip(".。") in _NOTHING or not _says(row)]
    if not found:
        return []
    finding = Finding(
        id="outputs.empty",
        severity="warning" if len(found) >= _MANY * len(subject.train) else "note",
        title=Text(en=f"{len(found):,} outputs say nothing", zh=f"{len(found):,} 条输出没有内容"),
        measures=_share(len(found), len(subject.train)),
        why=Text(
            en='An answer such as "N/A" is either a real answer ("nothing to report") or a gap that was filled; '
            "a model learns to write it in both cases.",
            zh="“无”“N/A”之类的答案，可能确实表示“没有”，也可能只是缺失值的占位；无论哪种，模型都会照着学。",
        ),
        seed_rows=["K4"],
        fix=Text(en="Keep the first kind, drop the second.", zh="前一种保留，后一种删除。"),
        rows=mentions(subject, ((row, None) for row in found)),
        n_rows=len(found),
    )
    return [finding]


def other_languages(subject: Subject) -> list[Finding]:
    """Text answers in another language than nearly all. Values of JSON are names as often as not."""
    if subject.task.kind != "text":
        return []
    usual, odd = odd_ones([row.output for row in subject.train])
    if not odd:
        return []
    main, n = name_of(usual), len(odd)
    which = Counter(odd.values()).most_common(3)
    en = ", ".join(f"{name_of(script).en} {k:,}" for script, k in which)
    zh = "、".join(f"{name_of(script).zh} {k:,} 条" for script, k in which)
    finding = Finding(
        id="outputs.language",
        severity=_severity(n, len(subject.train)),
        title=Text(
            en=f"{n:,} outputs are not in the language of the others ({main.en}): {en}",
            zh=f"{n:,} 条输出的语言与其余（{main.zh}）不同：{zh}",
        ),
        measures=_share(n, len(subject.train)),
        why=Text(
            en="A model tuned on mixed languages sometimes answers in the wrong one.",
            zh="混用语言微调出的模型，时不时会用错语言作答。",
        ),
        seed_rows=["K4", "P1"],
        fix=Text(
            en="Drop or translate them, unless the input asks for that language.",
            zh="除非输入要求使用该语言，否则删除或翻译这些行。",
        ),
        rows=mentions(subject, ((subject.train[at], name_of(script)) for at, script in odd.items())),
        n_rows=n,
    )
    return [finding]


def _severity(n: int, total: int) -> Severity:
    if n >= _MANY * total:
        return "serious"
    return "warning" if n >= _FEW * total else "note"


def _share(n: int, total: int) -> list[Measure]:
    return [Measure(name=Text(en="share of the rows", zh="占全部数据的比例"), value=n / total, unit="share")]


def _joined(parts: Sequence[Text]) -> Text:
    return Text(en="; ".join(part.en for part in parts), zh="；".join(part.zh for part in parts))


def _says(row: Example) -> bool:
    """Whether the answer has a letter, a digit, or a sign that means something by itself (an emoji)."""
    return any(char.isalnum() or ord(char) >= 0x2190 for char in row.output)


def _copies(row: Example) -> Text | None:
    question = row.query.messages[-1].content
    if row.output == question:
        return Text(en="the input, letter for letter", zh="与输入逐字相同")
    if abs(len(row.output) - len(question)) <= 0.1 * len(question) and plain(row.output) == plain(question):
        return Text(en="the input but for case, marks or numbers", zh="除大小写、标点、数字外与输入相同")
    if len(question) >= _ECHO_MIN_CHARS and row.output.startswith(question):
        return Text(en="begins with the whole input", zh="开头是完整的输入")
    return None
