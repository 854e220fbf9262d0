"""The conversation of ``tuneworth advise`` on a real terminal (a pseudo-terminal)."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time

import pytest

pty = pytest.importorskip("pty")

PROMPT = "> "


class Terminal:
    """The command with a terminal for stdin and stderr; stdout is a pipe, as in ``tuneworth advise --ask | …``."""

    def __init__(self, folder, *arguments, lang="en"):
        self.here, there = pty.openpty()
        # A suite started in the background ignores Ctrl-C, and so would its children.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tuneworth.cli.main", "advise", *arguments],
            stdin=there,
            stderr=there,
            stdout=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, "TUNEWORTH_LANG": lang, "COLUMNS": "100", "TERM": "dumb"},
        )
        os.close(there)

    def wait_for_prompt(self):
        """What was said up to the next prompt, or to the end when there is none."""
        heard, deadline = b"", time.monotonic() + 60
        while time.monotonic() < deadline:
            if select.select([self.here], [], [], 0.2)[0]:
                try:
                    piece = os.read(self.here, 65536)
                except OSError:  # the terminal was closed at the other end
                    break
                heard += piece
            text = self.plain(heard)
            if text.endswith(PROMPT):
                return text
            if self.process.poll() is not None and not select.select([self.here], [], [], 0)[0]:
                break
        return self.plain(heard)

    def say(self, line):
        os.write(self.here, line.encode() + b"\n")
        return self.wait_for_prompt()

    @staticmethod
    def plain(raw):
        return re.sub(r"\x1b\[[0-9;]*m", "", raw.decode("utf-8", "replace")).replace("\r", "")

    def finish(self):
        out, _ = self.process.communicate(timeout=60)
        os.close(self.here)
        return self.process.returncode, out.decode("utf-8")


@pytest.fixture
def terminal(tmp_path):
    started = []

    def start(*arguments, **options):
        started.append(Terminal(tmp_path, *arguments, **options))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def facts_of(out):
    return {fact["name"]: fact["value"] for fact in json.loads(out)["facts"]}


def test_answers_wrong_answers_explanation_back_and_an_early_end(terminal):
    here = terminal("--ask", "--json")
    opening = here.wait_for_prompt()
    assert "about" in opening
    assert "What is the task mostly?" in opening
    assert "Pick what most requests are" in here.say("?")
    assert "must be one of" in here.say("poetry")
    second = here.say("1")
    assert "What is the task mostly?" not in second
    assert "What is the task mostly?" in here.say("b")
    assert "This is the first question" in here.say("b")
    after = here.say("5")
    assert "What is the task mostly?" not in after
    here.say("q")
    code, out = here.finish()
    assert code == 0
    assert facts_of(out) == {"scenario": "style", "distinct_style": True}


def test_a_contradiction_is_told_and_asked_again(terminal):
    here = terminal("--ask", "--json", "--total-rows", "3000", "--scenario", "classification", "--prompt-suffices")
    said = here.wait_for_prompt()
    for _ in range(25):
        if "labelled rows are good" in said:
            break
        said = here.say("")
    else:
        pytest.fail("the count of good rows was never asked for")
    again = here.say("5000")
    assert "cannot outnumber" in again
    assert "labelled rows are good" in again
    here.say("2000")
    here.say("q")
    code, out = here.finish()
    assert code == 0
    assert facts_of(out)["quality_rows"] == 2000


def test_skipping_everything_ends_in_advice(terminal):
    here = terminal("--lang", "zh", lang="zh")
    said, n = here.wait_for_prompt(), 0
    assert "任务主要属于哪一类？" in said
    while said.endswith(PROMPT):
        said, n = here.say("跳过"), n + 1
    code, out = here.finish()
    assert code == 0
    assert 3 < n < 24
    assert "建议" in out
    assert "流程图" in out


def test_the_end_of_input_gives_the_advice_so_far(terminal):
    here = terminal("--scenario", "style")
    here.wait_for_prompt()
    os.write(here.here, b"\x04")
    here.wait_for_prompt()
    code, out = here.finish()
    assert code == 0
    assert "Advice" in out


def test_ctrl_c_is_clean_and_says_how_to_go_on(terminal):
    here = terminal("--quality-rows", "800")
    here.wait_for_prompt()
    here.say("5")
    here.process.send_signal(signal.SIGINT)
    said = " ".join(here.wait_for_prompt().split())
    code, out = here.finish()
    assert (code, out) == (130, "")
    assert "Traceback" not in said
    assert "tuneworth advise" in said
    assert "--scenario style" in said
    assert "--quality-rows 800" in said


def test_no_question_with_no_ask_or_json(terminal):
    for option in ("--no-ask", "--json"):
        here = terminal("--scenario", "style", option)
        said = here.wait_for_prompt()
        code, out = here.finish()
        assert (code, said) == (0, "")
        assert out


def test_bytes_that_are_no_text_are_asked_for_again(terminal):
    here = terminal("--ask", "--json")
    here.wait_for_prompt()
    os.write(here.here, b"\xff\xfe\n")
    said = here.wait_for_prompt()
    assert "Traceback" not in said
    here.say("5")
    here.say("q")
    code, out = here.finish()
    assert code == 0
    assert facts_of(out)["scenario"] == "style"
