"""Whatever a test of the decision says, it says with exactly the parts that the sentence asks for."""

import pytest
from decide_builders import parts_of

from tuneworth.decide import decision


@pytest.fixture(autouse=True)
def exact_parts(monkeypatch):
    say = decision.say

    def exactly(key, **parts):
        assert set(parts) == parts_of(key), f"parts of {key}"
        return say(key, **parts)

    monkeypatch.setattr(decision, "say", exactly)
