"""Reports as one HTML file that opens offline.

Both languages are in the file, one shown at a time. Nothing is loaded: styles, scripts and Plotly
are inside, and the content security policy forbids every request and every script but those whose
hashes it names, so a row that managed to smuggle one in could still not run it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tuneworth.core.audit import AuditResult
from tuneworth.core.compared import Compared
from tuneworth.core.files import write_atomic
from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.report.charts import build_charts
from tuneworth.report.charts.figure import Chart
from tuneworth.report.charts.scores import difference_chart, quality_chart
from tuneworth.report.pages.audit import AuditView, build_audit_view
from tuneworth.report.pages.compared import ComparedView, build_compared_view
from tuneworth.report.view import View, build_view
from tuneworth.words import numbers
from tuneworth.words.say import say

TEMPLATES = Path(__file__).parent / "templates"


def render_html(result: RunResult, *, lang: Lang) -> str:
    """The report of a run as text; ``lang`` is shown first."""
    views = [build_view(result, each) for each in _languages(lang)]
    charts = {view.lang: build_charts(view) for view in views}
    scripts = [Markup(_plotly_js()), Markup(_asset("report.js"))]
    titles = [f"{view.title} · {view.verdict.word}" for view in views]
    return _render("report", views, titles, scripts, charts, styles=("report", "audit", "race", "documents"))


def render_audit(result: AuditResult, *, lang: Lang, name: str = "") -> str:
    """The page of an audit as text; ``lang`` is shown first and ``name`` says what was audited."""
    views = [build_audit_view(result, each, name=name) for each in _languages(lang)]
    titles = [f"{view.words['audit']} · {view.title}" for view in views]
    return _render(
        "audit",
        views,
        titles,
        [Markup(_asset("report.js"))],
        {view.lang: () for view in views},
        styles=("report", "audit"),
    )


def render_compared(result: Compared, *, lang: Lang) -> str:
    """The page of a comparison of results that others measured; ``lang`` is shown first."""
    views = [build_compared_view(result, each) for each in _languages(lang)]
    charts = {view.lang: tuple(filter(None, (quality_chart(view), difference_chart(view)))) for view in views}
    scripts = [Markup(_plotly_js()), Markup(_asset("report.js"))]
    return _render("compared", views, [f"{v.title} · {v.word}" for v in views], scripts, charts, styles=("report",))


def write_html(result: RunResult, path: Path, *, lang: Lang) -> None:
    """Write the report to ``path``: the whole file or, after an error, none of it.

    Raises:
        EnvironmentProblem: the file cannot be written (no such folder, no permission, disk full).
    """
    _write(path, render_html(result, lang=lang), "report.write.failed", say("report.write.next_step"))


def write_audit(result: AuditResult, path: Path, *, lang: Lang, name: str = "") -> None:
    """Write the page of an audit to ``path``; whole or not at all, as `write_html`."""
    _write(path, render_audit(result, lang=lang, name=name), "audit_page.write.failed")


def write_compared(result: Compared, path: Path, *, lang: Lang) -> None:
    """Write the page of a comparison to ``path``; whole or not at all, as `write_html`."""
    _write(path, render_compared(result, lang=lang), "report.write.failed")


def _write(path: Path, page: str, failed: str, next_step: Text | None = None) -> None:
    try:
        write_atomic(path, page)
    except OSError as error:
        problem = Problem(str(path), say(failed, reason=error.strerror or str(error)))
        raise EnvironmentProblem(problem, next_step=next_step) from error


def _render(
    template: str,
    views: Sequence[View] | Sequence[AuditView] | Sequence[ComparedView],
    titles: Sequence[str],
    scripts: list[Markup],
    charts: Mapping[str, tuple[Chart, ...]],
    styles: Sequence[str],
) -> str:
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    # Plotly writes its own style elements, so styles cannot be pinned by hash.
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return (
        _environment()
        .get_template(f"{template}.html.j2")
        .render(
            views=views,
            titles=titles,
            charts={each: {chart.id: chart for chart in drawn} for each, drawn in charts.items()},
            figures=_embed({each: [asdict(chart) for chart in drawn] for each, drawn in charts.items()}),
            style=Markup("".join(_asset(f"{name}.css") for name in styles)),
            scripts=scripts,
            policy=policy,
        )
    )


def _languages(first: Lang) -> list[Lang]:
    """All languages, the one shown first in front."""
    return [first, *(other for other in get_args(Lang) if other != first)]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "languages": get_args(Lang),
        "mark": lambda name, lang: say(f"units.marks.{name}").to(lang),
        "tag": lambda lang: say("report.language.tag").to(lang),
        "name_of": lambda lang: say("report.language.name").to(lang),
        "in_parentheses": lambda n, lang: numbers.in_parentheses(str(n)).to(lang),
    }
    return environment


@cache
def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _plotly_js() -> str:
    # Imported on use: it is slow and only the report of a run needs it.
    from plotly.offline import get_plotlyjs

    # A browser reads CR LF as LF before it hashes a script.
    return get_plotlyjs().replace("\r\n", "\n").replace("\r", "\n")


def _embed(value: Any) -> Markup:
    """``value`` as JSON that can stand in a ``<script>`` element: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)
