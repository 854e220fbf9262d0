"""The page on the audit names every check, and the check it shows works as it stands."""

import re
from pathlib import Path

import pytest

from tuneworth.audit import Subject
from tuneworth.core.registry import plugin_modules
from tuneworth.core.task import Example, Message, Query, Task

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["audit.md", "audit.zh.md"])
def test_every_check_is_documented(page):
    listed = set(re.findall(r"^\| `(\w+)` \|", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == {
        name for name, module in plugin_modules("tuneworth.audit").items() if module.startswith("tuneworth.")
    }


def test_the_example_runs():
    code = re.search(r"```python\n(.*?)```", (DOCS / "audit.md").read_text(encoding="utf-8"), re.DOTALL)
    assert code
    module: dict = {}
    exec(code[1], module)
    rows = [
        Example(Query("a", (Message("user", "WHY NOT"),)), "x", (), "f:1"),
        Example(Query("b", (Message("user", "why"),)), "y", (), "f:2"),
    ]
    subject = Subject(Task(name="t", kind="label", metric="accuracy"), tuple(rows))
    assert module["PLUGIN"].skip(subject) is None
    (finding,) = module["PLUGIN"].run(subject).findings
    assert (finding.n_rows, [row.source for row in finding.rows]) == (1, ["f:1"])
