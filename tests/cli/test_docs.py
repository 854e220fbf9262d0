"""The documentation names every command and every option, in both languages."""

from pathlib import Path

import pytest
import typer.main

from tuneworth.cli.main import app

DOCS = Path(__file__).parents[2] / "docs"


def commands():
    top = typer.main.get_command(app)
    for name, command in top.commands.items():
        if hasattr(command, "commands"):
            yield from ((f"{name} {inner}", leaf) for inner, leaf in command.commands.items())
        else:
            yield name, command


@pytest.mark.parametrize("page", ["cli.md", "cli.zh.md"])
def test_every_command_and_option_is_documented(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    found = list(commands())
    assert len(found) >= 7
    for name, command in found:
        assert f"tuneworth {name}" in text
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("-"):
                    assert f"`{option}" in text or f" {option}" in text, f"{name} {option} is not in {page}"
