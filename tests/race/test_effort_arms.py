"""How much a model thinks is a setting of arms, and reaches the service; models that cannot be told have one arm."""

from __future__ import annotations

import pytest

from tuneworth.data.taskfile import load_task_file
from tuneworth.errors import InputError
from tuneworth.models.catalog import open_model
from tuneworth.models.effort import with_effort
from tuneworth.models.scripted import ScriptedModel
from tuneworth.race.arms import plan_arms
from tuneworth.testing.cases import CASES
from tuneworth.testing.chat_models import asking
from tuneworth.testing.chat_server import ChatServer


def test_every_effort_is_an_arm_of_a_model_that_can_be_told(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text("train: t.jsonl\nsettings:\n  prompt: {reasoning: [none, low]}\n")
    settings, case = load_task_file(path).settings, CASES[0]
    with ChatServer() as server:
        models = [open_model(f"{server.address}#m"), ScriptedModel()]
        plan = plan_arms(case.task, case.train, models, ["prompt"], "basis", settings=settings)
        held = [arm for arm in plan.arms if arm.config.model_dump()["constrained"]]
        assert [(arm.model, arm.config.model_dump()["reasoning"]) for arm in held] == [
            (models[0], "none"),
            (models[0], "low"),
            (models[1], None),
        ]
        assert len({arm.arm_id for arm in held} | {arm.key for arm in held}) == 6
        assert held[0].lot == held[1].lot, "arms that differ in the effort draw the same examples"
        assert "reasoning low" in held[1].make().describe().en
        for arm in held:
            assert arm.asked is not None
            arm.asked.generate(asking(1), max_new_tokens=8)
    assert [asked.body.get("reasoning_effort") for asked in server.asked] == ["none", "low"]


def test_a_model_with_an_effort_is_the_same_in_all_else():
    with ChatServer() as server:
        model = open_model(f"{server.address}#m", stated=None)
        thinking = with_effort(model, "high")
        assert thinking.id == model.id
        assert thinking.capabilities == model.capabilities
        assert thinking.describe() == model.describe()
        assert with_effort(model, None) is model
    local = ScriptedModel()
    assert with_effort(local, "high") is local


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("settings: {prompt: {reasoning: lots}}", "task.yaml:2 settings.prompt.reasoning"),
        ("services: {corp: {adress: 'https://h/v1'}}", "`address`?"),
        ("services: {corp: {means: [magic]}}", "services.corp.means[0]: is magic"),
        ("services: {corp: {at_once: 0}}", "services.corp.at_once: is 0, must be at least 1"),
    ],
)
def test_mistakes_in_the_task_file_are_told(tmp_path, text, says):
    path = tmp_path / "task.yaml"
    path.write_text(f"train: t.jsonl\n{text}\n")
    with pytest.raises(InputError) as caught:
        load_task_file(path)
    assert says in str(caught.value), str(caught.value)


def test_services_of_the_task_file(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text(
        "train: t.jsonl\nservices:\n  corp: {address: 'https://h/v1', key_variable: MY_KEY, means: json_mode}\n"
    )
    assert load_task_file(path).stated_services == {
        "corp": {"address": "https://h/v1", "key_variable": ["MY_KEY"], "means": ["json_mode"]}
    }
