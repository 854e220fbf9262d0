"""The audit's page and its terminal table: complete, escaped, self-contained, in both languages."""

import base64
import hashlib
import io
import re

import pytest
from rich.console import Console

from tuneworth.core.audit import AuditFact, AuditResult, CheckRun, Finding, Measure, RowMention
from tuneworth.core.record import Interval
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem
from tuneworth.report.html import render_audit, write_audit
from tuneworth.report.pages.audit import build_audit_view
from tuneworth.report.terminal.audit import audit_summary

EVIL = "<script>alert(1)</script>[red]\u202e\x1b[31m"


def finding(name="labels", severity="warning", n_rows=70, rows=50):
    return Finding(
        id=name,
        severity=severity,
        title=Text(en=f"about {name}", zh=f"关于 {name}"),
        measures=[
            Measure(
                name=Text(en="share", zh="占比"),
                value=0.125,
                unit="share",
                interval=Interval(low=0.1, high=0.15, level=0.95),
            ),
            Measure(name=Text(en="alone", zh="单条"), value=1, unit="rows"),
            Measure(name=Text(en="chance", zh="概率"), value=0.0001, unit="p_value"),
        ],
        why=Text(en="because `x`", zh="因为 `x`"),
        seed_rows=["K4", "unheard-of"],
        fix=Text(en="do it", zh="照做"),
        rows=[
            RowMention(
                row_id=str(at),
                source=f"train.jsonl:{at + 1}",
                excerpt=EVIL if at == 0 else f"row text {at}",
                other="train.jsonl:9",
            )
            for at in range(rows)
        ],
        n_rows=n_rows,
    )


@pytest.fixture
def result():
    return AuditResult(
        n_train=1_234,
        n_test=50,
        findings=[finding("leaks", "serious"), finding("labels.near"), finding("size", "note", n_rows=0, rows=0)],
        checks=[
            CheckRun(check="leaks", title=Text(en="Leaks", zh="泄漏"), n_looked_at=1_234, seconds=0.4),
            CheckRun(check="labels", title=Text(en="Labels", zh="标签"), n_looked_at=500, sampled=True, seconds=61),
            CheckRun(check="style", title=Text(en="Style", zh="文风"), skipped=Text(en="no engine", zh="没有引擎")),
            CheckRun(check="clean", title=Text(en="Clean", zh="干净"), n_looked_at=1_234),
        ],
        facts=[
            AuditFact(
                name="noise_rate",
                value=0.2,
                why=Text(en="estimated", zh="估计"),
                interval=Interval(low=0.1, high=0.3, level=0.95),
            ),
            AuditFact(name="quality_rows", value=900, why=Text(en="counted", zh="计数")),
            AuditFact(name="clear_structure", value=True, why=Text(en="seen", zh="可见")),
        ],
        seconds=62.0,
    )


def printed(result, lang, columns=80):
    out = io.StringIO()
    Console(file=out, width=columns, highlight=False).print(audit_summary(result, lang, name="task"))
    return out.getvalue()


def test_view_says_everything_in_words(result):
    view = build_audit_view(result, "en", name="task")
    assert view.verdict == ("1 serious", "1 warning", "1 note")
    assert build_audit_view(result, "zh").verdict == ("严重 1 项", "警告 1 项", "提示 1 项")
    assert view.strip == ("1,234 training rows", "50 test rows", "3 of 4 checks ran", "1\u00a0min 2\u00a0s")
    first = view.findings[0]
    assert [measure.value for measure in first.measures] == ["12.5\u00a0%", "1\u00a0row", "p\u00a0<\u00a00.001"]
    assert first.measures[0].note == "95\u00a0% interval: 10.0\u00a0% – 15.0\u00a0%"
    assert first.more == "20 more rows are not listed."
    assert view.findings[2].more == ""
    assert dict(first.rules)["K4"]
    assert dict(first.rules)["unheard-of"] == ""
    assert [check.outcome for check in view.checks] == ["1 finding", "1 finding", "no engine", "nothing found"]
    assert view.checks[1].looked_at == "500 (a sample)"
    assert [fact.value for fact in view.facts] == ["20.0\u00a0%", "900\u00a0rows", "yes"]


def test_nothing_found_is_said():
    empty = AuditResult(n_train=10, n_test=0, findings=[], checks=[])
    assert build_audit_view(empty, "en").verdict == ("Nothing was found.",)
    assert "没有发现问题。" in render_audit(empty, lang="zh")


def test_page_holds_both_languages_and_runs_only_its_own_script(result):
    page = render_audit(result, lang="zh", name="task")
    assert page.index('id="zh"') < page.index('id="en"')
    assert "严重 1 项" in page
    assert "1 serious" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "because <code>x</code>" in page
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    assert f"'sha256-{digest}'" in policy[1].replace("&#39;", "'")
    assert not re.search(r"""(src|href)=["'](?!#)""", page)


def test_page_is_written_whole_or_not_at_all(result, tmp_path):
    path = tmp_path / "new" / "audit.html"
    write_audit(result, path, lang="en", name="task")
    assert path.read_text(encoding="utf-8").endswith("</html>\n") or path.stat().st_size > 10_000
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        write_audit(result, tmp_path / "file" / "audit.html", lang="en")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("columns", [60, 80, 140])
def test_terminal_shows_findings_checks_and_facts(result, lang, columns):
    shown = printed(result, lang, columns)
    words = ["leaks", "labels.near", "12.5", "train.jsonl:1 ", "train.jsonl:9", "1,234", "900"]
    for word in (*words, *(["no engine", "do it"] if lang == "en" else ["没有引擎", "照做"])):
        assert word in shown, word
    assert "\x1b" not in shown
    assert "[red]" in shown
