"""What stands right before a number: it often says more about the number than its digits do."""

from __future__ import annotations

import re

_LOOK_BACK = 28

_OTHER_NUMBER = re.compile(
    r"(?:(?<![A-Za-z])(?:order|invoice|tracking|parcel|reference|ref|serial|ticket|transaction|isbn|issn|doi|sku|upc|ean|imei|model|"
    r"part|batch|lot|version|build|commit|timestamp|receipt|case|grant|trial|pmid)|"
    r"订单|单号|运单|流水|快递|物流|编号|型号|批号|序列|条码|课题|项目|基金|版本|合同|发票|交易|时间戳|设备|商品)"
    r"[\s.:#=(\"'-]{0,4}(?:no|nr|num|number|id|code|号|号码|码)?[\s.:#=(\"'-]{0,4}(?:is|was|为|是)?[\s:#\"']{0,3}$",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?:(?<![A-Za-z])(?:tel|telephone|phone|call|calling|mobile|mob|cell|fax|text|txt|contact|whatsapp|dial|ring|sms)|"
    r"电话|手机|联系|联系方式|致电|拨打|热线|传真|来电|微信)"
    r"(?:[\s.:#=(\"'-]{0,4}(?:no|nr|num|number|me|us|at|on|or|now|号|号码|码|为|是|我|:)){0,3}[\s.:#=(\"'-]{0,4}$",
    re.IGNORECASE,
)


def numbers_something_else(text: str, start: int) -> bool:
    """Whether the words before ``start`` say that this is an order, a serial, a version …"""
    return _OTHER_NUMBER.search(text, max(0, start - _LOOK_BACK), start) is not None


def asks_for_a_phone(text: str, start: int) -> bool:
    """Whether the words before ``start`` announce a telephone number."""
    return _PHONE.search(text, max(0, start - _LOOK_BACK), start) is not None
