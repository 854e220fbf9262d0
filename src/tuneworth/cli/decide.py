"""``tuneworth decide``: what the measurements of a finished run say under other limits and other traffic."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tuneworth.cli import options as opt
from tuneworth.cli.language import LANG, inline

if TYPE_CHECKING:
    from tuneworth.core.run import RunResult
    from tuneworth.core.text import Text
    from tuneworth.race.folder import RunFolder

LIMITS = ("p95_ms", "max_usd_per_1k", "min_quality", "private")
TRAFFIC = ("calls_per_month", "shape", "peak", "growth_per_month", "share_repeated", "months")
KEYS = (
    *("margin", "usd_per_label", "usd_per_error"),
    *(f"limits.{name}" for name in LIMITS),
    *(f"traffic.{name}" for name in TRAFFIC),
)
"""What can be set: all that the decision reads and no measurement hangs on."""


@opt.command(
    "Decide a finished run again under other limits or other traffic; nothing is measured.",
    "按新的要求或调用量对已完成的运行重新下结论，不再测量。",
)
def decide(
    run: Path = typer.Argument(..., help=inline("Folder of a run.", "运行目录。")),
    settings: list[str] = typer.Option(
        ...,
        "--set",
        help=inline(
            "KEY=VALUE as in the task file, such as limits.p95_ms=200; may be given several times.",
            "KEY=VALUE，写法同任务文件，例如 limits.p95_ms=200；可多次给出。",
        ),
    ),
    as_json: opt.AsJson = False,
    lang: opt.Language = None,
) -> None:
    """Written into a folder of its own within that of the run, which stays as it is."""
    from tuneworth.api import decide_again
    from tuneworth.cli.run import show
    from tuneworth.race.folder import RunFolder, read_result

    del lang
    asked = _asked(settings)
    before = read_result(RunFolder(run).result)
    after = decide_again(run, **asked)
    folder = keep_beside(after, run / "decided", settings)
    show(after, folder, as_json=as_json)
    if not as_json:
        for line in changes(before, after):
            typer.echo(line.to(LANG))


def changes(before: RunResult, after: RunResult) -> list[Text]:
    """What is other than before: the verdict or the recommendation, and what the arms recommended cost."""
    from tuneworth.words import numbers
    from tuneworth.words.names import arm_names, quoted
    from tuneworth.words.say import say

    old, new = before.decision, after.decision
    same = (old.verdict, old.recommended) == (new.verdict, new.recommended)
    told = [say("cli.decide.same") if same else say("cli.decide.changed", before=old.headline)]
    for arm_id in dict.fromkeys(filter(None, (old.recommended, new.recommended))):
        was, now = (result.costs and result.costs.arm(arm_id) for result in (before, after))
        months = [arm.monthly if arm else None for arm in (was, now)]
        if months[1] is not None and months[0] != months[1]:
            usd = {"was": numbers.usd_range(months[0]), "now": numbers.usd_range(months[1])}
            told.append(say("cli.decide.month", arm=quoted(arm_names(after.arms)[arm_id]), **usd))
    return told


def _asked(settings: list[str]) -> dict[str, Any]:
    """The settings as keys of a task file.

    Raises:
        InputError: with a problem for each that cannot be read, is unknown or is given twice.
    """
    import yaml

    from tuneworth.data.taskfile import task_file_of
    from tuneworth.errors import InputError, Problem
    from tuneworth.words.say import say

    asked, problems, seen = dict[str, Any](), list[Problem](), set[str]()
    for setting in settings:
        key, equals, written = (part.strip() for part in setting.partition("="))
        if not equals or not written:
            problems.append(Problem(f"--set {setting}", say("cli.decide.form")))
        elif key not in KEYS:
            problems.append(Problem(f"--set {setting}", say("cli.decide.unknown", keys=", ".join(KEYS))))
        elif key in seen:
            problems.append(Problem(f"--set {setting}", say("cli.decide.twice", name=key)))
        else:
            seen.add(key)
            section, _, name = key.rpartition(".")
            into = asked.setdefault(section, {}) if section else asked
            try:
                into[name] = yaml.safe_load(written)
            except yaml.YAMLError:
                into[name] = written  # the rule of the key says what is wrong with it
    try:
        task_file_of("rows.jsonl", **asked)
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)
    return asked


def keep_beside(result: RunResult, within: Path, settings: list[str]) -> RunFolder:
    """Result and report in a folder of their own, which is called by what was set."""
    from tuneworth.core.files import write_atomic
    from tuneworth.race.folder import RunFolder
    from tuneworth.report.html import write_html

    folder = RunFolder(within / (_name(settings) or "as-stated"))
    folder.path.mkdir(parents=True, exist_ok=True)
    write_html(result, folder.report, lang=LANG)
    write_atomic(folder.result, result.model_dump_json(indent=1))
    return folder


def _name(settings: list[str]) -> str:
    """Folder name that says what was set, as far as a name can."""
    told = ",".join(sorted("".join(setting.split()) for setting in settings))
    plain = re.sub(r"[^\w.,=-]", "_", told)
    return (
        plain if plain == told and len(plain) <= 80 else f"{plain[:60]}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"
    )
