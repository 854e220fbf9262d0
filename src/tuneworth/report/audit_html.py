"""The audit as one HTML file that opens offline, with both languages in it.

The frame, styles and policy are those of a run's report (``report.html``); no chart, so no Plotly.
"""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from tuneworth.core.audit import AuditResult
from tuneworth.core.files import write_atomic
from tuneworth.core.text import Lang, Text
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.report.page import TAGS, asset, embed, environment, languages, policy
from tuneworth.report.pages.audit import build_audit_view


def render_audit(result: AuditResult, *, lang: Lang, name: str = "") -> str:
    """The page as text; ``lang`` is shown first and ``name`` says what was audited."""
    scripts = [Markup(asset("report.js"))]
    return (
        environment()
        .get_template("audit.html.j2")
        .render(
            views=[build_audit_view(result, each, name=name) for each in languages(lang)],
            figures=embed({each: [] for each in languages(lang)}),
            tags=TAGS,
            style=Markup(asset("report.css") + asset("audit.css")),
            scripts=scripts,
            policy=policy(scripts),
        )
    )


def write_audit(result: AuditResult, path: Path, *, lang: Lang, name: str = "") -> None:
    """Write the page to ``path``: the whole file or, after an error, none of it.

    Raises:
        EnvironmentProblem: the file cannot be written (no permission, disk full).
    """
    page = render_audit(result, lang=lang, name=name)
    try:
        write_atomic(path, page)
    except OSError as error:
        reason = error.strerror or str(error)
        message = Text(en=f"the audit page cannot be written: {reason}", zh=f"无法写入检查报告：{reason}")
        raise EnvironmentProblem(Problem(str(path), message)) from error
