"""How each kind is called, and why finding it matters."""

from __future__ import annotations

from tuneworth.audit._personal.spans import SECRETS, Kind
from tuneworth.core.audit import Severity
from tuneworth.core.text import Text

NAMES: dict[Kind, Text] = {
    "private_key": Text(en="private keys", zh="私钥"),
    "api_key": Text(en="API keys and tokens", zh="API 密钥和令牌"),
    "password": Text(en="passwords", zh="密码"),
    "email": Text(en="e-mail addresses", zh="电子邮箱"),
    "cn_id": Text(en="Chinese identity numbers", zh="身份证号"),
    "us_ssn": Text(en="US social security numbers", zh="美国社会安全号（SSN）"),
    "uk_nino": Text(en="UK national insurance numbers", zh="英国国民保险号（NINO）"),
    "other_id": Text(en="identity numbers of other countries, passports", zh="其他国家的证件号、护照号"),
    "bank_card": Text(en="bank card numbers", zh="银行卡号"),
    "iban": Text(en="bank accounts (IBAN)", zh="国际银行账号（IBAN）"),
    "cn_uscc": Text(en="Chinese company codes (USCC)", zh="统一社会信用代码"),
    "phone": Text(en="telephone numbers", zh="电话号码"),
    "ip": Text(en="public IP addresses", zh="公网 IP 地址"),
    "address": Text(en="home addresses", zh="详细住址"),
    "name": Text(en="names of persons behind a label", zh="带字段名的人名"),
}
_WEIGHTY: tuple[Kind, ...] = ("cn_id", "us_ssn", "uk_nino", "other_id", "bank_card", "iban")
_MILD: tuple[Kind, ...] = ("ip", "cn_uscc")

_WHY_SECRET = Text(
    en="A tuned model can repeat what it was trained on, and anyone with the weights or the file has the secret.",
    zh="模型微调后可能原样复述训练内容；拿到权重或数据文件的人，也就拿到了这些凭据。",
)
_WHY_PERSON = Text(
    en="Rows about real people limit where the data may go: to a provider's API or not, into weights that are hard "
    "to correct or not. A tuned model can repeat such values word for word.",
    zh="涉及真实个人的数据决定了它能去哪里：能否发给外部 API，能否写进难以更正的权重。微调后的模型可能逐字复述这些内容。",
)
_FIX_SECRET = Text(
    en="Revoke them first: a secret in a data file counts as leaked. Then mask the rows with `--fix`.",
    zh="先作废这些凭据：进了数据文件就应视为已泄露。再用 `--fix` 对数据脱敏。",
)
_FIX_PERSON = Text(
    en="Mask them with `--fix`, which puts `[PHONE]` and the like in their place, and mask requests in the same way "
    "later; or keep the data on your own machines with `limits: {private: true}`.",
    zh="用 `--fix` 脱敏（替换成 `[PHONE]` 之类的占位符），上线后对请求也做同样处理；"
    "或在任务中设置 `limits: {private: true}`，让数据只留在自己的机器上。",
)


def severity(kind: Kind) -> Severity:
    """Secrets and identity papers are serious; what may be a company's is a note."""
    if kind in SECRETS or kind in _WEIGHTY:
        return "serious"
    return "note" if kind in _MILD else "warning"


def why(kind: Kind) -> Text:
    return _WHY_SECRET if kind in SECRETS else _WHY_PERSON


def fix(kind: Kind) -> Text:
    return _FIX_SECRET if kind in SECRETS else _FIX_PERSON
