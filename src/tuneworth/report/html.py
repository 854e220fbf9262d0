"""The report as one HTML file that opens offline.

Both languages are in the file, one shown at a time. Nothing is loaded: styles, script and Plotly
are inside, and the content security policy forbids every request and every script but the two whose
hashes it names, so a row that managed to smuggle one in could still not run it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tuneworth.core.files import write_atomic
from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.report.charts import build_charts
from tuneworth.report.view import build_view

TEMPLATES = Path(__file__).parent / "templates"
TAGS: dict[Lang, str] = {"en": "en", "zh": "zh-CN"}


def render_html(result: RunResult, *, lang: Lang) -> str:
    """The page as text; ``lang`` is shown first."""
    order: list[Lang] = [lang, *(other for other in get_args(Lang) if other != lang)]
    views = [build_view(result, each) for each in order]
    charts = {view.lang: build_charts(view) for view in views}
    scripts = [Markup(_plotly_js()), Markup(_asset("report.js"))]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            views=views,
            charts={each: {chart.id: chart for chart in drawn} for each, drawn in charts.items()},
            figures=_embed({each: [asdict(chart) for chart in drawn] for each, drawn in charts.items()}),
            tags=TAGS,
            style=Markup(_asset("report.css")),
            scripts=scripts,
            policy=_policy(scripts),
        )
    )


def write_html(result: RunResult, path: Path, *, lang: Lang) -> None:
    """Write the report to ``path``: the whole file or, after an error, none of it.

    Raises:
        EnvironmentProblem: the file cannot be written (no such folder, no permission, disk full).
    """
    page = render_html(result, lang=lang)
    try:
        write_atomic(path, page)
    except OSError as error:
        reason = error.strerror or str(error)
        raise EnvironmentProblem(
            Problem(
                str(path),
                Text(en=f"the report cannot be written: {reason}", zh=f"无法写入报告：{reason}"),
            ),
            next_step=Text(
                en="The run itself is stored. Free some space or choose another folder, then run `tuneworth report`.",
                zh="运行结果已经保存。请腾出空间或换一个目录，再执行 `tuneworth report`。",
            ),
        ) from error


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _plotly_js() -> str:
    # Imported on use: it is slow and only the HTML report needs it.
    from plotly.offline import get_plotlyjs

    # A browser reads CR LF as LF before it hashes a script.
    return get_plotlyjs().replace("\r\n", "\n").replace("\r", "\n")


def _embed(value: Any) -> Markup:
    """``value`` as JSON that can stand in a ``<script>`` element: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


def _policy(scripts: list[Markup]) -> str:
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    # Plotly writes its own style elements, so styles cannot be pinned by hash.
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
