"""From a stored audit to everything a reader sees, in one language.

Plain data: every number is text already, so the page and the terminal cannot disagree.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tuneworth.core.audit import AuditFact, AuditResult, CheckRun, Finding, Measure, RowMention, Severity
from tuneworth.core.record import Interval
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.audit_words import FACTS, LABELS, SEVERITIES, SHARES, SIDES, UNITS, audit_labels
from tuneworth.report.pages.rules import RULES
from tuneworth.report.plain import one_line, sentence_case
from tuneworth.words import numbers


@dataclass(frozen=True, slots=True)
class MeasureView:
    """``note`` is the interval of an estimate, empty for a count."""

    name: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class MentionView:
    source: str
    side: str
    text: str
    detail: str
    other: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding.

    Attributes:
        rules: id and few words of each row of the article it bears on.
        more: how many rows are not listed, as a sentence; empty when all are.
    """

    id: str
    severity: Severity
    severity_word: str
    title: str
    measures: tuple[MeasureView, ...]
    why: str
    fix: str
    rules: tuple[tuple[str, str], ...]
    rows: tuple[MentionView, ...]
    more: str


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check; ``outcome`` says what it found or why it was skipped."""

    title: str
    looked_at: str
    seconds: str
    outcome: str
    skipped: bool


@dataclass(frozen=True, slots=True)
class FactView:
    name: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class AuditView:
    """An audit as shown to a reader.

    Attributes:
        title: the name of what was audited.
        verdict: how many findings of which severity, one piece a severity.
        strip: rows, checks and time, one fact each.
        words: headings and column names.
    """

    lang: Lang
    title: str
    verdict: tuple[str, ...]
    strip: tuple[str, ...]
    findings: tuple[FindingView, ...]
    checks: tuple[CheckView, ...]
    facts: tuple[FactView, ...]
    words: dict[str, str]


def build_audit_view(result: AuditResult, lang: Lang, *, name: str = "") -> AuditView:
    """Everything about ``result`` in ``lang``; ``name`` is what was audited."""
    found = Counter(finding.id.split(".")[0] for finding in result.findings)
    return AuditView(
        lang=lang,
        title=one_line(name),
        verdict=_verdict(result, lang),
        strip=_strip(result, lang),
        findings=tuple(_finding(finding, lang) for finding in result.findings),
        checks=tuple(_check(check, found[check.check], lang) for check in result.checks),
        facts=tuple(_fact(fact, lang) for fact in result.facts),
        words=audit_labels(lang),
    )


def _verdict(result: AuditResult, lang: Lang) -> tuple[str, ...]:
    counts = Counter(finding.severity for finding in result.findings)
    if not counts:
        return (LABELS["none"].to(lang),)
    return tuple(_counted(counts[level], level).to(lang) for level in SEVERITIES if counts[level])


def _counted(n: int, level: Severity) -> Text:
    plural = "" if n == 1 or level == "serious" else "s"
    return Text(en=f"{n} {level}{plural}", zh=f"{SEVERITIES[level].zh} {n} 项")


def _strip(result: AuditResult, lang: Lang) -> tuple[str, ...]:
    train, test = numbers.count(result.n_train).to(lang), numbers.count(result.n_test).to(lang)
    n_run = sum(check.skipped is None for check in result.checks)
    texts = [Text(en=f"{train} training rows", zh=f"训练集 {train} 条")]
    if result.n_test:
        texts.append(Text(en=f"{test} test rows", zh=f"测试集 {test} 条"))
    texts.append(
        Text(en=f"{n_run} of {len(result.checks)} checks ran", zh=f"共 {len(result.checks)} 项检查，完成 {n_run} 项")
    )
    return (*(text.to(lang) for text in texts), numbers.duration(result.seconds).to(lang))


def _finding(finding: Finding, lang: Lang) -> FindingView:
    hidden = finding.n_rows - len(finding.rows)
    more = Text(en=f"{hidden:,} more rows are not listed.", zh=f"另有 {hidden:,} 条未列出。")
    return FindingView(
        id=finding.id,
        severity=finding.severity,
        severity_word=SEVERITIES[finding.severity].to(lang),
        title=sentence_case(one_line(finding.title.to(lang))),
        measures=tuple(_measure(measure, lang) for measure in finding.measures),
        why=finding.why.to(lang),
        fix=finding.fix.to(lang),
        rules=tuple((row, RULES[row].to(lang) if row in RULES else "") for row in finding.seed_rows),
        rows=tuple(_mention(mention, lang) for mention in finding.rows),
        more=more.to(lang) if finding.rows and hidden > 0 else "",
    )


def _measure(measure: Measure, lang: Lang) -> MeasureView:
    return MeasureView(
        name=sentence_case(measure.name.to(lang)),
        value=_amount(measure.value, measure.unit, lang),
        note=_between(measure.interval, measure.unit, lang),
    )


def _amount(value: float, unit: str, lang: Lang) -> str:
    if unit == "share":
        return numbers.percent(value).to(lang)
    if unit == "p_value":
        sign = "" if value < 0.001 else "=\u00a0"
        return f"p\u00a0{sign}{numbers.p_value(value).to(lang)}"
    if unit in UNITS:
        if value == 1 and lang == "en":
            return f"1\u00a0{UNITS[unit].en.removesuffix('s')}"
        return f"{numbers.count(value).to(lang)}\u00a0{UNITS[unit].to(lang)}"
    return f"{value:.3g}"


def _between(interval: Interval | None, unit: str, lang: Lang) -> str:
    """``95 %: 1.2 % – 3.4 %``."""
    if interval is None:
        return ""
    low, high = (_amount(edge, unit, lang) for edge in (interval.low, interval.high))
    level = numbers.percent(interval.level, 0).to(lang)
    return f"{level} 区间：{low} – {high}" if lang == "zh" else f"{level} interval: {low} – {high}"


def _mention(mention: RowMention, lang: Lang) -> MentionView:
    return MentionView(
        source=one_line(mention.source),
        side=SIDES[mention.side].to(lang),
        text=one_line(mention.excerpt),
        detail="" if mention.detail is None else one_line(mention.detail.to(lang)),
        other=one_line(mention.other),
    )


def _check(check: CheckRun, n_found: int, lang: Lang) -> CheckView:
    looked_at = numbers.count(check.n_looked_at).to(lang)
    if check.sampled:
        looked_at += numbers.in_parentheses(LABELS["sampled"].to(lang)).to(lang)
    found = Text(en=f"{n_found} findings" if n_found != 1 else "1 finding", zh=f"{n_found} 项")
    nothing = Text(en="nothing found", zh="未发现问题")
    return CheckView(
        title=check.title.to(lang),
        looked_at="–" if check.skipped is not None else looked_at,
        seconds=numbers.duration(check.seconds).to(lang),
        outcome=(check.skipped or (found if n_found else nothing)).to(lang),
        skipped=check.skipped is not None,
    )


def _fact(fact: AuditFact, lang: Lang) -> FactView:
    unit = "share" if fact.name in SHARES else "rows"
    if isinstance(fact.value, bool):
        shown = LABELS["yes" if fact.value else "no"].to(lang)
    elif isinstance(fact.value, str):
        shown = one_line(fact.value)
    else:
        shown = _amount(float(fact.value), unit if fact.name.endswith("_rows") or unit == "share" else "score", lang)
    note = _between(fact.interval, unit, lang)
    why = sentence_case(fact.why.to(lang))
    return FactView(
        name=FACTS[fact.name].to(lang) if fact.name in FACTS else fact.name,
        value=shown,
        why=why + (numbers.in_parentheses(note).to(lang) if note else ""),
    )
