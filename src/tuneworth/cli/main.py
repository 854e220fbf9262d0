"""The command ``tuneworth``: thin, and quick to start; each command imports its work when it is called.

Exit codes: 0 finished, whatever the verdict · 1 a defect in tuneworth · 2 the input or the environment does not allow it
(the message says what to do) · 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import sys

import typer

from tuneworth.cli import advise, ask, audit, compare, cost, decide, doctor, index, init, models, run, runs
from tuneworth.cli.language import LANG, check_languages, inline, spoken, to_json
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, Problem, TuneworthError

# On a machine that others use as well, OpenMP threads that spin while they wait take the processor from
# the very thread they wait for (docs/decisions/005). Read by libgomp when torch is imported, later.
os.environ.setdefault("GOMP_SPINCOUNT", "5000")
# OpenBLAS has threads of its own, and what they compute here is small: one of them is enough.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# What a disk or its owner refuses, wherever it happens; any other OSError is a defect and shows itself.
_NOT_OUR_FAULT = {
    getattr(errno, name)
    for name in ["ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "ENAMETOOLONG"]
}

app = typer.Typer(
    name="tuneworth",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=inline("Should we fine-tune? Measured on your own rows.", "该不该微调？用你自己的数据实测回答。"),
)
for command in (
    run.run,
    run.plan,
    advise.advise,
    audit.audit,
    compare.compare,
    index.index,
    init.init,
    runs.report,
    decide.decide,
    cost.cost,
    ask.ask,
    runs.runs,
    doctor.doctor,
):
    command.add_to(app)
app.add_typer(models.app, name="models")


@app.callback(invoke_without_command=True)
def version_option(
    version: bool = typer.Option(False, "--version", is_eager=True, help=inline("Show the version.", "显示版本号。")),
) -> None:
    """Answer ``--version``."""
    if version:
        from tuneworth import __version__

        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Entry point: runs a command and turns errors into messages and exit codes."""
    try:
        _call()
    except TuneworthError as error:
        _show(error)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        print(spoken("cli.stopped"), file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        # The reader of our output (head, less) went away: nothing is left to say.
        _discard_output()
        raise SystemExit(0) from None
    except OSError as error:
        if error.errno not in _NOT_OUR_FAULT:
            raise
        problem = Problem(str(error.filename or ""), Text(en=f"{error.strerror}", zh=f"{error.strerror}"))
        _show(EnvironmentProblem(problem))
        raise SystemExit(EnvironmentProblem.exit_code) from None


def _call() -> None:
    """Run the command that the arguments name.

    Raises:
        BrokenPipeError: the reader went away. typer and rich make an exit with code 1 of it, which would say that
            tuneworth has a defect.
    """
    check_languages(sys.argv[1:], os.environ)
    try:
        app()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            raise BrokenPipeError from None
        try:
            sys.stdout.flush()  # a short output meets the closed pipe only here, or later as exit code 120
        except BrokenPipeError:
            _discard_output()
        raise


def _discard_output() -> None:
    """Send what is still buffered nowhere, so that Python's own last flush does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show(error: TuneworthError) -> None:
    if "--json" in sys.argv:
        problems = [{"where": problem.where, "message": problem.message.to(LANG)} for problem in error.problems]
        print(to_json({"error": {"kind": type(error).__name__, "problems": problems}}))
    label = spoken("cli.error")
    for line in error.to(LANG).splitlines():
        print(f"{label}{line}", file=sys.stderr)
        label = " " * 2


if __name__ == "__main__":
    main()
