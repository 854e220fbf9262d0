"""What things are called, and names and clauses in a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tuneworth.core.text import Lang, Text
from tuneworth.words.say import say, table

if TYPE_CHECKING:
    from tuneworth.core.run import ArmResult, Destination


def few(texts: Sequence[Text], most: int = 4) -> Text:
    """Names of arms in a row; of many only the first, and how many more."""
    more = len(texts) - most
    if more <= 1:
        return joined(texts, say("units.names.between"))
    counted = Text(en=f"{more:,}", zh=f"{len(texts):,}")  # English counts the rest, Chinese all
    return say("units.names.and_more", shown=few(texts[:most], most), n=counted)


def listed(texts: Sequence[Text]) -> Text:
    """Clauses in a row."""
    return joined(texts, say("units.names.between_clauses"))


def joined(texts: Sequence[Text], between: Text | str = "") -> Text:
    """The texts one after the other, ``between`` them what is given."""
    langs = dict.fromkeys(lang for text in (Text(en="", zh=""), *texts) for lang in text.by_lang)
    glue = between if isinstance(between, Text) else Text(en=between, zh=between)
    return Text(**{lang: glue.to(lang).join(text.to(lang) for text in texts) for lang in langs})


def quoted(name: Text | str) -> Text:
    return say("units.names.quoted", name=name)


def word(words: Mapping[str, Text], code: str) -> Text:
    """The word for ``code``; a code without one stands for itself."""
    return words[code] if code in words else Text(en=code, zh=code)


def in_lang(words: Mapping[str, Text], lang: Lang) -> dict[str, str]:
    """A table of words in one language, for templates."""
    return {key: text.to(lang) for key, text in words.items()}


def metric_name(metric_id: str) -> Text:
    """The name of a metric; a user's own metric is called by its id."""
    return word(table("metrics"), metric_id)


def arm_names(arms: Sequence[ArmResult]) -> dict[str, Text]:
    """Arm id → a name unique among ``arms`` in either language: the title, with the model where arms of several were measured or it is
    needed, and the id where that is needed."""
    told = {arm.arm_id: arm.title.en.strip() and arm.title.zh.strip() for arm in arms}
    titles = {arm.arm_id: arm.title if told[arm.arm_id] else Text(en=arm.arm_id, zh=arm.arm_id) for arm in arms}
    models = model_names([arm.model for arm in arms if arm.model is not None])
    names = dict(titles)
    if len({arm.model for arm in arms if arm.state == "measured" and arm.model}) > 1:
        names = {arm.arm_id: _with(titles[arm.arm_id], models[arm.model] if arm.model else "") for arm in arms}
    for more in (
        {arm.arm_id: models[arm.model] if arm.model else arm.arm_id for arm in arms},
        {arm.arm_id: arm.arm_id for arm in arms},
    ):
        en, zh = Counter(name.en for name in names.values()), Counter(name.zh for name in names.values())
        for arm_id in [arm_id for arm_id, name in names.items() if en[name.en] > 1 or zh[name.zh] > 1]:
            names[arm_id] = _with(titles[arm_id], more[arm_id])
    return names


def _with(title: Text, more: str) -> Text:
    return joined([title, Text(en=more, zh=more)], " · ") if more else title


def model_names(models: Sequence[str]) -> dict[str, str]:
    """Model id → what it is called among ``models``: the last part of an address, a path or ``service/model``, where that is enough."""
    last = {model: model.rstrip("/").rpartition("#")[2].rpartition("/")[2] or model for model in models}
    times = Counter(last.values())
    return {model: short if times[short] == 1 else model for model, short in last.items()}


def figure_name(name: str, arms: Mapping[str, Text]) -> Text:
    """What a figure of a bill is called (``core.costs.CostFigure``); a price of tokens by its model and the kind.

    Args:
        arms: arm id → how sentences call the arm.
    """
    first, _, rest = name.partition(".")
    if first == "price":
        model, _, what = rest.removesuffix(".batch").rpartition(".")
        kind = what.partition(">")[0]
        return say("cost_page.figure.price", model=model, what=say(f"cost_page.what.{'call_fee' if kind == 'call' else kind}"))  # fmt: skip
    if first == "measured":
        arm = next((arm for arm in arms if rest == arm or rest.startswith(f"{arm}.")), rest)
        return say("cost_page.figure.measured", arm=arms.get(arm, Text(en=arm, zh=arm)))
    if first == "hours":
        return say("cost_page.figure.hours", name=rest)
    return say("cost_page.figure.charged") if first == "fit" else word(table("cost_page.figure.named"), rest or first)


def kind_name(kind: str) -> Text:
    """A kind of personal data or secrets, in the plural."""
    return say(f"privacy.kinds.{kind}")


def hosts_named(destinations: Sequence[Destination]) -> Text:
    """``api.openai.com (openai/gpt-6-luna, openai/text-embedding-3-small)``."""
    names: dict[str, list[str]] = {}
    for one in destinations:
        names.setdefault(one.host, []).append(one.name)
    unknown = say("privacy.unknown_host")
    return listed([say("privacy.host", host=host or unknown, names=", ".join(each)) for host, each in names.items()])
