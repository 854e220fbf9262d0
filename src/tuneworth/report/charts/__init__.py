"""The charts of a report, made from the view alone."""

from __future__ import annotations

from tuneworth.report.charts.cost import cost_chart
from tuneworth.report.charts.documents import documents_charts
from tuneworth.report.charts.figure import Chart
from tuneworth.report.charts.forecast import forecast_charts
from tuneworth.report.charts.race import race_chart
from tuneworth.report.charts.reliability import reliability_chart
from tuneworth.report.charts.scores import difference_chart, quality_chart
from tuneworth.report.charts.speed import speed_chart
from tuneworth.report.view import View


def build_charts(view: View) -> tuple[Chart, ...]:
    """The charts that have something to show, in the order of the page."""
    charts = (
        quality_chart(view),
        difference_chart(view),
        reliability_chart(view),
        *documents_charts(view),
        *forecast_charts(view),
        speed_chart(view),
        cost_chart(view),
        race_chart(view),
    )
    return tuple(chart for chart in charts if chart is not None)
