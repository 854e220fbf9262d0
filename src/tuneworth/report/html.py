"""The report as one HTML file that opens offline.

Both languages are in the file, one shown at a time. Nothing is loaded: styles, script and Plotly
are inside, and the content security policy forbids every request and every script but the two whose
hashes it names, so a row that managed to smuggle one in could still not run it.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path

from markupsafe import Markup

from tuneworth.core.files import write_atomic
from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.report.charts import build_charts
from tuneworth.report.page import TAGS, asset, embed, environment, languages, policy
from tuneworth.report.view import build_view


def render_html(result: RunResult, *, lang: Lang) -> str:
    """The page as text; ``lang`` is shown first."""
    views = [build_view(result, each) for each in languages(lang)]
    charts = {view.lang: build_charts(view) for view in views}
    scripts = [Markup(_plotly_js()), Markup(asset("report.js"))]
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            views=views,
            charts={each: {chart.id: chart for chart in drawn} for each, drawn in charts.items()},
            figures=embed({each: [asdict(chart) for chart in drawn] for each, drawn in charts.items()}),
            tags=TAGS,
            style=Markup("".join(asset(f"{name}.css") for name in ("report", "audit", "race", "documents"))),
            scripts=scripts,
            policy=policy(scripts),
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
def _plotly_js() -> str:
    # Imported on use: it is slow and only the HTML report needs it.
    from plotly.offline import get_plotlyjs

    # A browser reads CR LF as LF before it hashes a script.
    return get_plotlyjs().replace("\r\n", "\n").replace("\r", "\n")
