"""Answers in which a model declines or speaks of itself.

Such rows come from data that another model wrote. Only the start of an answer counts, and "sorry" alone
never does: a support desk apologises all day. The phrases are closed lists: a refusal in other words is
missed, which costs less than an honest answer called one.
"""

from __future__ import annotations

import re

_LOOKED_AT = 240
_OPENING = r"^[\s\"'“‘「*_#>\-]*"

_I_EN = r"i(?:['’]m| am)"
_CANNOT_EN = (
    rf"(?:i (?:can['’]?t|cannot|can not|won['’]t|will not|am not able to|am unable to)|{_I_EN} (?:unable|not able) to)"
)
_HELP_EN = (
    r"(?:assist|help(?: you)? with (?:that|this)|help with (?:that|this)|provide (?:that|this|you with|any|medical|legal"
    r"|financial|information)|fulfil+|comply|answer (?:that|this)|generate|create (?:that|this|content)|engage in"
    r"|participate in|support (?:that|this|the creation)|do that|discuss that|continue with (?:that|this))"
)
_SORRY_EN = rf"(?:(?:{_I_EN} )?(?:(?:really|very|so|truly) )?sorry|i apologi[sz]e|my apologies|unfortunately)"
_ENGLISH = (
    r"as (?:an? )?(?:\w+ )?(?:ai|artificial intelligence)(?: language)?(?: model| assistant| chatbot| system)?\b",
    r"as an? (?:large )?language model\b",
    rf"(?:{_SORRY_EN}[,.!;:]? *(?:but )?(?:as an? [\w ]{{2,30}}, *)?)?{_CANNOT_EN} (?:\w+ )?{_HELP_EN}",
    rf"(?:{_SORRY_EN}[,.!;:]? *(?:but )?)(?:as an? (?:ai|large language model|language model)\b|{_I_EN} (?:just |only )?an ai\b)",
    rf"{_I_EN} (?:just |only )?an? (?:ai|large language model|language model|artificial intelligence)\b",
    r"i do(?:n['’]t| not) have (?:personal (?:opinions|feelings|experiences|beliefs)|access to real-?time)",
)

_AI_ZH = r"(?:AI|人工智能|大?语言模型|智能助手|聊天机器人|虚拟助手)"
_SORRY_ZH = r"(?:(?:我)?(?:很|非常|十分|深感|真的)?(?:抱歉|对不起|不好意思|遗憾))"
_CANNOT_ZH = r"(?:无法|不能|没办法|没有办法|不可以|不便)"
_HELP_ZH = r"(?:为您|为你|给您|给你|向您|向你|直接|继续)?(?:回答|提供|协助|帮助|帮您|帮你|满足|生成|讨论|参与|完成(?:您|你|这)|回应|执行(?:您|你|这))"
_CHINESE = (
    rf"作为(?:一个|一名|一款|一种|一位)?[^，。,.]{{0,8}}?{_AI_ZH}",
    rf"我(?:是|只是|仅是)(?:一个|一名|一款|一种)?[^，。,.]{{0,6}}?{_AI_ZH}",
    rf"{_SORRY_ZH}[，,。！!；;]? *(?:但是?|不过)?(?:作为[^，,]{{1,20}}[，,])? *我?(?:目前|暂时|现在|还)?{_CANNOT_ZH}{_HELP_ZH}",
    rf"我(?:目前|暂时|现在|还)?{_CANNOT_ZH}{_HELP_ZH}(?:您|你|这|该|此|任何|相关)",
)
_REFUSAL = re.compile(_OPENING + "(?:" + "|".join((*_ENGLISH, *_CHINESE)) + ")", re.IGNORECASE)


def is_refusal(output: str) -> bool:
    """Whether an answer starts as a model's refusal or as a model's word about itself."""
    return _REFUSAL.match(output[:_LOOKED_AT]) is not None
