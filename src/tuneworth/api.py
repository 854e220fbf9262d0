"""The product from Python: what the commands do, as functions that return records and print nothing.

    import tuneworth

    result = tuneworth.run("task.yaml", budget="10m")
    print(result.decision.headline.en)
    stricter = tuneworth.decide_again(result, limits={"p95_ms": 50})

All raise ``TuneworthError`` with everything that is wrong at once. ``options`` are keys of a task file, laid over what the source
says; ``watcher`` hears how the work gets on (`tuneworth.race.watch.Watcher`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuneworth.core.offline import keeps_private
from tuneworth.core.text import Lang, Text
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.audit import Embed
    from tuneworth.audit._run import Audited
    from tuneworth.core.advice import Advice
    from tuneworth.core.audit import AuditResult
    from tuneworth.core.compared import Compared
    from tuneworth.core.plan import RunPlan
    from tuneworth.core.run import RunResult
    from tuneworth.data.load import Loaded
    from tuneworth.data.taskfile import TaskFile
    from tuneworth.models.suggest import Suggestions
    from tuneworth.race.watch import Watcher

RUNS = Path("runs")
Source = str | Path


def run(
    source: Source, *, out: Source | None = None, watcher: Watcher | None = None, lang: Lang = "en", **options: Any
) -> RunResult:
    """Measure every arm and decide. With the same settings it goes on where it was stopped.

    Args:
        source: a data file or a ``task.yaml``.
        out: folder of the run; ``runs/NAME-DIGEST`` when not given.
        lang: language that ``report.html`` opens in.
    """
    from tuneworth import pipeline
    from tuneworth.data.taskfile import task_file_of
    from tuneworth.race.folder import RunFolder, folder_for
    from tuneworth.race.watch import Silent

    task_file = task_file_of(source, **options)
    folder = RunFolder(Path(out)) if out is not None else folder_for(RUNS, task_file)
    result = pipeline.run(task_file, folder, watcher or Silent(), command=f"tuneworth.run({str(source)!r})", lang=lang)
    assert result is not None, "declined, but nobody was asked"
    return result


def plan(source: Source, *, watcher: Watcher | None = None, **options: Any) -> RunPlan:
    """What a run would take and what its rows can show; nothing is spent."""
    from tuneworth.data.taskfile import task_file_of
    from tuneworth.pipeline import DEFAULT_BUDGET_SECONDS
    from tuneworth.race.prepare import ready
    from tuneworth.race.preview import preview
    from tuneworth.race.watch import Silent

    task_file = task_file_of(source, **options)
    return preview(ready(task_file, watcher or Silent()), task_file.budget_seconds or DEFAULT_BUDGET_SECONDS)


def audit(
    source: Source, *, only: Sequence[str] | None = None, watcher: Watcher | None = None, **options: Any
) -> AuditResult:
    """What the rows themselves say.

    Args:
        only: ids of checks; all when not given.
    """
    from tuneworth.data.taskfile import task_file_of
    from tuneworth.race.watch import Silent

    return audited(task_file_of(source, **options), watcher or Silent(), only=only)[1].result


def advise(facts: Mapping[str, Any]) -> Advice:
    """What the rules of thumb say of a situation before anything is measured.

    Args:
        facts: what is known, by the names of `tuneworth.advisor.facts.Facts`: ``{"scenario": "classification"}``.
    """
    from pydantic import ValidationError

    from tuneworth.advisor.advise import advise as advise_on
    from tuneworth.advisor.facts import Facts, Situation
    from tuneworth.advisor.meaning import check_facts
    from tuneworth.advisor.questions import with_said
    from tuneworth.data.taskerrors import option_problems

    try:
        Facts.model_validate(facts)
    except ValidationError as error:
        raise InputError(option_problems(error, Facts)) from None
    situation = with_said(Situation(), facts)
    check_facts(situation)
    return advise_on(situation)


def load_run(folder: Source) -> RunResult:
    """The result of a finished run, from its folder."""
    from tuneworth.race.folder import read_result

    return read_result(Path(folder) / "result.json")


def decide_again(
    run: RunResult | Source,
    *,
    margin: float | None = None,
    limits: Mapping[str, Any] | None = None,
    usd_per_label: float | None = None,
    usd_per_error: float | str | Sequence[float] | None = None,
    traffic: Mapping[str, Any] | None = None,
) -> RunResult:
    """The verdict of the same measurements under what is asked here (`tuneworth.decide.again`); what is left out stays.

    Args:
        run: folder of a run, or its result.
        limits, traffic: laid over those of the task, by name.
        usd_per_label: this and other traffic need the folder: what rows took is there.
        usd_per_error: what a wrong answer costs, a number or a range.
    """
    from tuneworth.core.run import RunResult
    from tuneworth.data.taskfile import task_file_of
    from tuneworth.decide import again

    asked = {"margin": margin, "limits": limits and dict(limits), "usd_per_label": usd_per_label}
    asked |= {"usd_per_error": usd_per_error, "traffic": traffic and dict(traffic)}
    checked = task_file_of("rows.jsonl", **asked)  # checked as a task file is, and never read
    result = run if isinstance(run, RunResult) else load_run(run)
    priced = [*(["traffic"] if traffic else []), *(["usd_per_label"] if usd_per_label is not None else [])]
    if priced:
        if isinstance(run, RunResult):
            raise InputError([Problem(name, say("cli.decide.folder")) for name in priced])
        result = _priced(result, Path(run), checked.traffic.given, usd_per_label)
    return again.decide_again(
        result,
        margin=margin,
        limits=checked.limits if limits else None,
        usd_per_label=usd_per_label,
        usd_per_error=checked.error_cost,
    )


def _priced(result: RunResult, run: Path, traffic: Mapping[str, Any], usd_per_label: float | None) -> RunResult:
    from tuneworth.costs.figures import figure
    from tuneworth.costs.of_run import priced_again, restated, stated_in
    from tuneworth.costs.traffic import changed
    from tuneworth.race.folder import RunFolder
    from tuneworth.race.stored import groups_of, took_of

    folder, stated = RunFolder(run), stated_in(result)
    label = [] if usd_per_label is None else [figure("label", "usd/label", usd_per_label, source="task file")]
    terms = restated(stated, figures=label, traffic=changed(stated.traffic, traffic))
    return priced_again(result, took_of(result.arms, folder), groups_of(folder), terms)


def cost(
    run: Source,
    *,
    calls: float | str | None = None,
    machine: float | str | None = None,
    label: float | str | None = None,
    wage: float | str | None = None,
    hours: Mapping[str, float | str] | None = None,
    prices: Source | None = None,
    log: Source | None = None,
) -> RunResult:
    """A finished run with its costs, and the verdict that follows, as they are under other traffic and other prices (docs/cost.md); what is left out stays.

    Args:
        run: folder of a run. It stays as it is.
        calls: a month, as ``50000``, ``"50k"``, ``"2000 per day"`` or ``"20k-50k"``.
        machine, label, wage: US dollars for an hour of the machine, a labelled row and an hour of work: ``"0.69/h"``, ``"¥5/h"``.
        hours: strategy → hours of work to set it up.
        prices: a file of the form of ``costs/prices.yaml``.
        log: the user's own calls, one a line with its time, JSONL or CSV; its rate, peak and repeats are the traffic.
    """
    from tuneworth.costs.figures import Unit, read_figure
    from tuneworth.costs.of_run import priced_again, restated, stated_in
    from tuneworth.costs.table import read_table
    from tuneworth.costs.trafficlog import traffic_of_log
    from tuneworth.data.files import decode, read_bytes
    from tuneworth.decide import again
    from tuneworth.race.folder import RunFolder
    from tuneworth.race.stored import groups_of, took_of

    folder, problems, figures = RunFolder(Path(run)), list[Problem](), list[Any]()
    result = load_run(run)
    stated = stated_in(result)
    asked: list[tuple[str, object, str, Unit]] = [
        ("--calls", calls, "traffic.calls_per_month", "call/month"),
        ("--machine", machine, "machine", "usd/hour"),
        ("--label", label, "label", "usd/label"),
        ("--wage", wage, "wage", "usd/hour"),
        *(("--hours", each, f"hours.{name}", "hour") for name, each in (hours or {}).items()),
    ]
    table = traffic = None
    try:
        text = "" if prices is None else decode(read_bytes(Path(prices), str(prices)), str(prices)).text
        table = None if prices is None else read_table(text, str(prices))
        traffic = None if log is None else traffic_of_log(Path(log), months=stated.traffic.months).traffic
    except InputError as error:
        problems += error.problems
    rate = (table and table.cny_per_usd) or stated.table.cny_per_usd
    for where, written, name, unit in asked:
        try:
            if written is not None:
                figures.append(read_figure(written, name, unit, where=where, source="option", cny_per_usd=rate))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    terms = restated(stated, table, figures, traffic)
    return again.decide_again(priced_again(result, took_of(result.arms, folder), groups_of(folder), terms))


def compare(
    files: Sequence[Source],
    *,
    metrics: Sequence[str] = (),
    group: str | None = None,
    margin: float = 0.02,
    scale: str | tuple[float, float] | None = None,
) -> Compared:
    """Judge results that others measured: every pair of systems, paired by row (docs/compare.md).

    Args:
        files: rows with scores, or logs of lm-evaluation-harness, Inspect, promptfoo or DeepEval; a file may hold several systems.
        metrics: the first decides; all that every system has when none is named.
        group: field whose equal values mark rows that belong together; ``"none"``: each row is on its own.
        scale: worst and best score, ``"1:5"``, where scores are not in [0, 1].
    """
    from tuneworth import __version__
    from tuneworth.compared import compared, scale_of
    from tuneworth.data.logs import read_all

    problems = [] if 0 < margin < 1 else [Problem("--margin", say("compared.options.margin", value=f"{margin:g}"))]
    ends, odd = scale_of(scale)
    logs = read_all(list(map(str, files)), metrics, [*problems, *odd])
    return compared(logs, version=__version__, metrics=metrics, group=group, margin=margin, scale=ends)


# -- shared with the command -------------------------------------------------------------------------------


@keeps_private
def audited(
    task_file: TaskFile,
    watcher: Watcher,
    *,
    documents: Sequence[str] = (),
    only: Sequence[str] | None = None,
) -> tuple[Loaded, Audited]:
    """The rows and what the audit says of them; progress is one piece of work a check.

    Args:
        documents: sources instead of those of the task file.
    """
    from tuneworth.audit._personal.mask import mask
    from tuneworth.audit._run import audit as run_audit
    from tuneworth.audit._run import subject_of
    from tuneworth.data.documents.load import read_documents
    from tuneworth.data.load import load

    sources = documents or (task_file.documents.sources if task_file.documents else [])
    texts = read_documents(sources) if sources else ()
    loaded = load(task_file)
    for note in (*loaded.inferred, *loaded.warnings):
        watcher.say(Text(en=mask(note.en), zh=mask(note.zh)))  # a warning may quote a row
    counting = _token_counter(task_file.models[0])
    subject = subject_of(
        loaded,
        embed=_encoder(loaded, watcher),
        count_tokens=counting and counting[0],
        context_tokens=counting and counting[1],
        documents=texts,
        seed=task_file.seed,
    )
    begun: list[Text] = []

    def progress(title: Text, done: int, total: int) -> None:
        if total > 0:
            watcher.progress(done, total, "rows")
            return
        if begun:
            watcher.finish()
        watcher.start(title)
        begun.append(title)

    found = run_audit(subject, watch=progress, only=only)
    if begun:
        watcher.finish()
    return loaded, found


def suggested(source: str | None, lang: Lang, watcher: Watcher) -> Suggestions:
    """Models for this machine, and for the rows of ``source`` if there is one (a data file or a task file); else for ``lang``.

    Raises:
        InputError: the rows cannot be read.
    """
    from tuneworth.data.language import has_other_scripts
    from tuneworth.data.load import load
    from tuneworth.data.taskfile import task_file_of
    from tuneworth.models.suggest import Work, suggestions
    from tuneworth.race.library import about_tokens

    if source is None:
        return suggestions([lang])
    loaded = load(task_file_of(source))
    for note in loaded.warnings:
        watcher.say(note)
    texts = [row.query.text for row in loaded.examples]
    language = loaded.task.language
    languages = [language, "other"] if language == "en" and has_other_scripts(texts) else [language]
    counted = [about_tokens(row.query.text) + about_tokens(row.output) for row in loaded.examples]
    return suggestions(languages, Work(len(texts), sum(counted) / max(1, len(counted))))


def _encoder(loaded: Loaded, watcher: Watcher) -> Embed | None:
    """The embedded sentence encoder for the rows, opened when a check first asks; ``None`` where there is no engine."""
    from tuneworth.race.encoding import choose_encoder

    name = choose_encoder(loaded.task.language, [row.query.text for row in loaded.examples])
    if name is None:
        watcher.say(say("cli.audit.no_engine"))
        return None
    opened: list[Any] = []

    def embed(texts: Any) -> Any:
        if not opened:
            from tuneworth.models.catalog import open_encoder

            opened.append(open_encoder(name))
        return opened[0].encode(texts)

    return embed


def _token_counter(model: str) -> tuple[Callable[[str], int], int] | None:
    """Tokens of a text and the context of ``model``, when it is on this machine already; nothing is fetched."""
    from tuneworth.models.catalog import list_models, name_kind

    known = {info.id: info.folder for info in list_models() if info.cached}
    folder = Path(model).expanduser() if name_kind(model) == "folder" else known.get(model)
    if folder is None or find_spec("tokenizers") is None:
        return None
    files = (folder / "tokenizer.json", folder / "config.json")
    if not all(file.is_file() for file in files):
        return None
    from tokenizers import Tokenizer

    context = json.loads(files[1].read_text(encoding="utf-8")).get("max_position_embeddings")
    tokenizer: Any = Tokenizer.from_file(str(files[0]))
    return (lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids), context) if context else None
