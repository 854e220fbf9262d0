"""From a stored audit to everything a reader sees, in one language.

Plain data: every number is text already, so the page and the terminal cannot disagree.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tuneworth.core.audit import AuditFact, AuditResult, CheckRun, Finding, Severity
from tuneworth.core.record import Interval
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages import Fact
from tuneworth.report.plain import one_line, sentence_case
from tuneworth.words import numbers
from tuneworth.words.names import in_lang, joined, word
from tuneworth.words.say import say, table

SEVERITIES: tuple[Severity, ...] = ("serious", "warning", "note")
UNITS = ("rows", "characters", "tokens")
SHARES = (
    "noise_rate",
    "duplicate_share",
    "format_regularity",
    "style_consistency",
    "answer_novelty",
    "documents_cover",
)
"""Facts that are shares and shown as per cent."""


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
        measures: with the interval of an estimate as note.
        rules: id and few words of each row of the article it bears on.
        more: how many rows are not listed, as a sentence; empty when all are.
    """

    id: str
    severity: Severity
    severity_word: str
    title: str
    measures: tuple[Fact, ...]
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
class AuditView:
    """An audit as shown to a reader.

    Attributes:
        title: the name of what was audited.
        verdict: how many findings of which severity, one piece a severity.
        strip: rows, checks and time, one fact each.
        facts: each with how it was found as note.
        words: headings and column names.
    """

    lang: Lang
    title: str
    verdict: tuple[str, ...]
    strip: tuple[str, ...]
    findings: tuple[FindingView, ...]
    checks: tuple[CheckView, ...]
    facts: tuple[Fact, ...]
    words: dict[str, str]


def build_audit_view(result: AuditResult, lang: Lang, *, name: str = "") -> AuditView:
    """Everything about ``result`` in ``lang``; ``name`` is what was audited."""
    found = Counter(finding.id.split(".")[0] for finding in result.findings)
    counts = Counter(finding.severity for finding in result.findings)
    ran = sum(check.skipped is None for check in result.checks)
    verdict = [_plural(f"audit_page.counted.{level}", counts[level]) for level in SEVERITIES if counts[level]]
    strip = [
        say("audit_page.strip.training", n=result.n_train),
        *([say("audit_page.strip.test", n=result.n_test)] if result.n_test else []),
        say("audit_page.strip.checks", n=ran, n_all=len(result.checks)),
        numbers.duration(result.seconds),
    ]
    return AuditView(
        lang=lang,
        title=one_line(name),
        verdict=tuple(text.to(lang) for text in verdict or [say("audit_page.labels.none")]),
        strip=tuple(text.to(lang) for text in strip),
        findings=tuple(_finding(finding, lang) for finding in result.findings),
        checks=tuple(_check(check, found[check.check], lang) for check in result.checks),
        facts=tuple(_fact(fact, lang) for fact in result.facts),
        words=in_lang(table("audit_page.labels"), lang),
    )


def _finding(finding: Finding, lang: Lang) -> FindingView:
    rules, hidden = table("rules"), finding.n_rows - len(finding.rows)
    return FindingView(
        id=finding.id,
        severity=finding.severity,
        severity_word=say(f"audit_page.severities.{finding.severity}").to(lang),
        title=sentence_case(one_line(finding.title.to(lang))),
        measures=tuple(
            Fact(
                name=sentence_case(measure.name.to(lang)),
                value=_amount(measure.value, measure.unit).to(lang),
                note=_between(measure.interval, measure.unit).to(lang) if measure.interval else "",
            )
            for measure in finding.measures
        ),
        why=finding.why.to(lang),
        fix=finding.fix.to(lang),
        rules=tuple((row, rules[row].to(lang) if row in rules else "") for row in finding.seed_rows),
        rows=tuple(
            MentionView(
                source=one_line(mention.source),
                side=say(f"audit_page.sides.{mention.side}").to(lang),
                text=one_line(mention.excerpt),
                detail="" if mention.detail is None else one_line(mention.detail.to(lang)),
                other=one_line(mention.other),
            )
            for mention in finding.rows
        ),
        more=say("audit_page.more_rows", n=hidden).to(lang) if finding.rows and hidden > 0 else "",
    )


def _check(check: CheckRun, n_found: int, lang: Lang) -> CheckView:
    looked_at = [numbers.count(check.n_looked_at)]
    if check.sampled:
        looked_at.append(numbers.in_parentheses(say("audit_page.sampled")))
    found = _plural("audit_page.outcome", n_found) if n_found else say("audit_page.outcome.nothing")
    return CheckView(
        title=check.title.to(lang),
        looked_at="–" if check.skipped is not None else joined(looked_at).to(lang),
        seconds=numbers.duration(check.seconds).to(lang),
        outcome=(check.skipped or found).to(lang),
        skipped=check.skipped is not None,
    )


def _fact(fact: AuditFact, lang: Lang) -> Fact:
    unit = "share" if fact.name in SHARES else "rows" if fact.name.endswith("_rows") else "score"
    if isinstance(fact.value, bool):
        shown = say(f"audit_page.{'yes' if fact.value else 'no'}")
    elif isinstance(fact.value, str):
        shown = numbers.plain(one_line(fact.value))
    else:
        shown = _amount(float(fact.value), unit)
    why = sentence_case(fact.why.to(lang))
    if fact.interval is not None:
        why += numbers.in_parentheses(_between(fact.interval, unit)).to(lang)
    return Fact(word(table("audit_page.facts"), fact.name).to(lang), shown.to(lang), why)


def _amount(value: float, unit: str) -> Text:
    if unit == "share":
        return numbers.percent(value)
    if unit == "p_value":
        return say(f"audit_page.p_value.{'less' if value < 0.001 else 'is'}", n=numbers.p_value(value))
    if unit in UNITS:
        return say(f"audit_page.amount.{unit}.{'one' if value == 1 else 'many'}", n=numbers.count(value))
    return numbers.plain(f"{value:.3g}")


def _between(interval: Interval, unit: str) -> Text:
    """``95 % interval: 1.2 % – 3.4 %``."""
    low, high = _amount(interval.low, unit), _amount(interval.high, unit)
    return say("audit_page.interval", level=numbers.percent(interval.level, 0), low=low, high=high)


def _plural(key: str, n: int) -> Text:
    return say(f"{key}.{'one' if n == 1 else 'many'}", n=n)
