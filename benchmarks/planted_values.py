"""Made-up personal data with valid check digits, sentences to put it in, and what only looks like it."""

from __future__ import annotations

import random
import string
from collections.abc import Callable

Make = Callable[[random.Random], str]


def digits(rng: random.Random, n: int) -> str:
    return "".join(rng.choice(string.digits) for _ in range(n))


def token(rng: random.Random, n: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(rng.choice(alphabet) for _ in range(n))


def luhn(body: str) -> str:
    from stdnum import luhn as checker

    return body + checker.calc_check_digit(body)


def not_luhn(body: str) -> str:
    """A number one off the right check digit."""
    right = luhn(body)
    return right[:-1] + str((int(right[-1]) + 1) % 10)


def cn_id(rng: random.Random) -> str:
    from stdnum.cn import ric

    place = rng.choice(["110101", "310104", "440305", "330106", "510107", "420106"])
    body = f"{place}{rng.randint(1960, 2004)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}{digits(rng, 3)}"
    return body + ric.calc_check_digit(body + "0")


def wrong_cn_id(rng: random.Random) -> str:
    right = cn_id(rng)
    return right[:-1] + ("1" if right[-1] != "1" else "2")


def uscc(rng: random.Random) -> str:
    from stdnum.cn import uscc as checker

    body = "91" + rng.choice(["110108", "310115", "440300"]) + token(rng, 9, "0123456789ABCDEFGHJKLMNPQRTUWXY")
    return body + checker.calc_check_digit(body)


def iban(rng: random.Random) -> str:
    from stdnum import iban as checker

    country, body = rng.choice(
        [("DE", digits(rng, 18)), ("GB", "WEST" + digits(rng, 14)), ("NL", "ABNA" + digits(rng, 10))]
    )
    while True:
        number = country + checker.calc_check_digits(f"{country}00{body}") + body
        if checker.is_valid(number):
            break
        body = body[:4] + digits(rng, len(body) - 4) if not body[:4].isdigit() else digits(rng, len(body))
    return number if rng.random() < 0.5 else " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def card(rng: random.Random) -> str:
    prefix = rng.choice(["4", "51", "54", "6222"])
    number = luhn(prefix + digits(rng, 15 - len(prefix)))
    return number if rng.random() < 0.5 else " ".join(number[at : at + 4] for at in range(0, 16, 4))


def ssn(rng: random.Random) -> str:
    return f"{rng.choice([*range(1, 666), *range(667, 900)]):03}-{rng.randint(1, 99):02}-{rng.randint(1, 9999):04}"


def nino(rng: random.Random) -> str:
    parts = [
        rng.choice(["AB", "CE", "JK", "PR", "SW"]),
        digits(rng, 2),
        digits(rng, 2),
        digits(rng, 2),
        rng.choice("ABCD"),
    ]
    return rng.choice(["", " "]).join(parts)


def cn_mobile(rng: random.Random) -> str:
    number = rng.choice(["134", "138", "150", "159", "177", "186", "199"]) + digits(rng, 8)
    return rng.choice(
        [
            number,
            f"+86 {number}",
            f"{number[:3]} {number[3:7]} {number[7:]}",
            f"{number[:3]}-{number[3:7]}-{number[7:]}",
        ]
    )


def cn_landline(rng: random.Random) -> str:
    number = str(rng.randint(2, 8)) + digits(rng, 7)
    return rng.choice([f"010-{number}", f"(021){number}", f"0755-{number}", f"0571 {number}"])


def us_phone(rng: random.Random) -> str:
    area, office, line = (
        rng.choice(["212", "415", "312", "617", "206"]),
        f"{rng.randint(2, 9)}{rng.randint(0, 9)}{rng.randint(2, 9)}",
        digits(rng, 4),
    )
    return rng.choice(
        [
            f"({area}) {office}-{line}",
            f"{area}-{office}-{line}",
            f"+1 {area} {office} {line}",
            f"{area}.{office}.{line}",
        ]
    )


def uk_phone(rng: random.Random) -> str:
    mobile = "077" + digits(rng, 2)
    rest = digits(rng, 6)
    return rng.choice(
        [f"{mobile}{rest}", f"{mobile} {rest}", f"+44 {mobile[1:]} {rest}", f"020 7{digits(rng, 3)} {digits(rng, 4)}"]
    )


def any_phone(rng: random.Random) -> str:
    """The example number of some country, its last digits changed, in international form."""
    import phonenumbers
    from phonenumbers import PhoneNumberFormat

    while True:
        example = phonenumbers.example_number(rng.choice(sorted(phonenumbers.SUPPORTED_REGIONS)))
        if example is None or example.national_number is None:
            continue
        example.national_number += rng.randint(0, 99)
        if phonenumbers.is_valid_number(example):
            return phonenumbers.format_number(
                example, rng.choice([PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164])
            )


def email(rng: random.Random) -> str:
    name = rng.choice(["li.wei", "j_moore", "anna.k", "zhang88", "t.o.brien", "mr.fox+shop"])
    return (
        f"{name}{rng.randint(1, 99)}@{rng.choice(['gmail.com', 'qq.com', 'mail.example.org', '163.com', 'firm.co.uk'])}"
    )


def public_ip(rng: random.Random) -> str:
    return f"{rng.choice([23, 52, 81, 114, 185])}.{rng.randint(10, 250)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"


def api_key(rng: random.Random) -> str:
    return rng.choice(
        [
            "AKIA" + token(rng, 16, string.ascii_uppercase + string.digits),
            "ghp_" + token(rng, 36),
            "sk-" + token(rng, 48),
            "xoxb-" + digits(rng, 12) + "-" + digits(rng, 12) + "-" + token(rng, 24),
            "AIza" + token(rng, 35),
            "hf_" + token(rng, 34),
            "LTAI" + token(rng, 20),
            "glpat-" + token(rng, 20),
        ]
    )


def password(rng: random.Random) -> str:
    return token(rng, 5) + rng.choice("!@#$%_") + str(rng.randint(10, 99)) + rng.choice(string.ascii_letters)


def private_key(rng: random.Random) -> str:
    kind = rng.choice(["RSA ", "EC ", "OPENSSH ", ""])
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{token(rng, 64)}\n{token(rng, 40)}\n-----END {kind}PRIVATE KEY-----"


def address_en(rng: random.Random) -> str:
    street = f"{rng.randint(10, 9999)} {rng.choice(['Oak', 'Maple', 'West Elm', 'Church'])} {rng.choice(['Street', 'Ave', 'Road', 'Lane'])}"
    return rng.choice(
        [
            f"{street}, Portland, OR {digits(rng, 5)}",
            f"{street}, Apt {rng.randint(1, 40)}",
            f"{street}, Leeds LS{rng.randint(1, 9)} {rng.randint(1, 9)}AB",
        ]
    )


def address_zh(rng: random.Random) -> str:
    return rng.choice(
        [
            f"杭州市西湖区文三路{rng.randint(1, 500)}号{rng.randint(1, 20)}幢{rng.randint(1, 4)}单元{rng.randint(101, 2804)}室",
            f"广东省深圳市南山区科技园南路{rng.randint(1, 90)}号{rng.randint(101, 2804)}室",
            f"成都市锦江区望江小区{rng.randint(1, 30)}栋{rng.randint(1, 4)}单元{rng.randint(101, 904)}室",
        ]
    )


def person_en(rng: random.Random) -> str:
    return f"{rng.choice(['Maria', 'Tom', 'Aisha', 'Sean'])} {rng.choice(['Lopez', 'Nguyen', 'Murphy', 'Schmidt'])}"


def person_zh(rng: random.Random) -> str:
    return rng.choice("王李张刘陈杨赵") + rng.choice(["伟", "秀英", "建国", "晓彤", "子涵"])


# kind, family, maker, sentences with {} for the value
POSITIVES: list[tuple[str, str, Make, dict[str, list[str]]]] = [
    (
        "email",
        "email",
        email,
        {"en": ["Write to {} please.", "My address is {}"], "zh": ["请发到{}，谢谢。", "邮箱：{}"]},
    ),
    (
        "phone",
        "mainland mobile",
        cn_mobile,
        {"en": ["You can reach me on {}.", "contact {} today"], "zh": ["我的手机号是{}。", "有事打{}找我", "电话:{}"]},
    ),
    (
        "phone",
        "mainland landline",
        cn_landline,
        {"en": ["Our Beijing desk is {}."], "zh": ["固定电话{}，工作日接听。", "前台：{}"]},
    ),
    ("phone", "US", us_phone, {"en": ["Call {} before noon.", "my number is {}, thanks"], "zh": ["美国客服：{}。"]}),
    (
        "phone",
        "UK",
        uk_phone,
        {"en": ["Text {} when you arrive.", "Ring me at {} please"], "zh": ["英国手机{}可联系。"]},
    ),
    (
        "phone",
        "any country",
        any_phone,
        {"en": ["Our number is {} for now.", "reach us: {}"], "zh": ["海外电话{}，欢迎垂询。"]},
    ),
    ("cn_id", "Chinese ID", cn_id, {"en": ["The ID card says {}."], "zh": ["身份证号{}。", "证件：{}，请核对"]}),
    ("us_ssn", "SSN", ssn, {"en": ["My SSN is {}.", "the form had {} on it"], "zh": ["他的社会安全号是{}。"]}),
    ("uk_nino", "NINO", nino, {"en": ["NI number: {}."], "zh": ["国民保险号为{}。"]}),
    (
        "bank_card",
        "card",
        card,
        {"en": ["Card {} was charged twice.", "I paid with {} yesterday"], "zh": ["卡号{}被盗刷。", "银行卡：{}"]},
    ),
    ("iban", "IBAN", iban, {"en": ["Send it to {} today.", "IBAN {}"], "zh": ["请汇到{}。"]}),
    ("cn_uscc", "company code", uscc, {"en": ["The company code is {}."], "zh": ["统一社会信用代码：{}。"]}),
    (
        "ip",
        "public IPv4",
        public_ip,
        {"en": ["Logged in from {} at night.", "blocked {} again"], "zh": ["登录 IP 为{}。", "来自{}的请求"]},
    ),
    (
        "api_key",
        "vendor key",
        api_key,
        {"en": ["Use {} for the call.", "key={}"], "zh": ["密钥是{}，请勿外传。", "用{}调用"]},
    ),
    (
        "password",
        "password",
        password,
        {"en": ["The password is {}", "password: {}"], "zh": ["密码是{}，别忘了", "登录密码：{}"]},
    ),
    ("private_key", "private key", private_key, {"en": ["Here it is: {}"], "zh": ["私钥如下：{}"]}),
    ("address", "home address", address_en, {"en": ["Ship to {} please.", "I live at {}."], "zh": []}),
    ("address", "home address", address_zh, {"en": [], "zh": ["寄到{}。", "我住在{}，请送货上门"]}),
    ("name", "labelled name", person_en, {"en": ["Customer name: {}, new account.", "My name is {}."], "zh": []}),
    ("name", "labelled name", person_zh, {"en": [], "zh": ["姓名：{}，已登记。", "收件人：{}"]}),
]
NEGATIVES: list[tuple[str, Make, dict[str, list[str]]]] = [
    (
        "11-digit order number",
        lambda r: "1" + digits(r, 10),
        {"en": ["Order no. {} is late."], "zh": ["订单号{}还没发货。"]},
    ),
    (
        "16-digit number, check digit wrong",
        lambda r: not_luhn("4" + digits(r, 14)),
        {"en": ["The parcel {} is lost.", "Number {} failed"], "zh": ["快递{}丢了。", "号码{}无效"]},
    ),
    (
        "18-digit number, check digit wrong",
        wrong_cn_id,
        {"en": ["Record {} was removed."], "zh": ["编码{}已删除。", "记录{}有误"]},
    ),
    (
        "12 to 14 digits",
        lambda r: "7" + digits(r, r.randint(11, 13)),
        {"en": ["Batch {} arrived."], "zh": ["条码{}扫不出来。"]},
    ),
    ("19 digits", lambda r: "7" + digits(r, 18), {"en": ["Post {} went viral."], "zh": ["流水{}已入账。"]}),
    (
        "version",
        lambda r: f"{r.randint(0, 30)}.{r.randint(0, 99)}.{r.randint(0, 99)}.{r.randint(0, 9)}",
        {"en": ["Update to version {} first.", "v{} is out"], "zh": ["请升级到版本 {}。"]},
    ),
    (
        "date and time",
        lambda r: (
            f"20{r.randint(10, 29)}-{r.randint(1, 12):02}-{r.randint(1, 28):02} {r.randint(0, 23):02}:{r.randint(0, 59):02}:{r.randint(0, 59):02}"
        ),
        {"en": ["It happened on {}."], "zh": ["时间是{}。"]},
    ),
    (
        "compact date and time",
        lambda r: (
            f"20{r.randint(10, 29)}{r.randint(1, 12):02}{r.randint(1, 28):02}{r.randint(0, 23):02}{r.randint(0, 59):02}{r.randint(0, 59):02}"
        ),
        {"en": ["Saved as {} last night."], "zh": ["文件名为{}。"]},
    ),
    (
        "price",
        lambda r: f"{r.choice(['$', '£', '¥'])}{r.randint(1, 999):,},{digits(r, 3)},{digits(r, 3)}.{digits(r, 2)}",
        {"en": ["The deal is worth {}."], "zh": ["总价{}。"]},
    ),
    (
        "year span",
        lambda r: f"{r.randint(1900, 1999)}-{r.randint(2000, 2024)}",
        {"en": ["Between {} it grew."], "zh": ["{}年间增长。"]},
    ),
    (
        "private IP",
        lambda r: f"{r.choice(['192.168', '10.0'])}.{r.randint(0, 255)}.{r.randint(1, 254)}",
        {"en": ["The router is {}."], "zh": ["网关是{}。"]},
    ),
    (
        "ISBN",
        lambda r: f"978-{r.randint(0, 9)}-{digits(r, 4)}-{digits(r, 4)}-{r.randint(0, 9)}",
        {"en": ["ISBN {} is sold out."], "zh": ["书号 ISBN {}。"]},
    ),
    (
        "commit hash",
        lambda r: token(r, 40, "0123456789abcdef"),
        {"en": ["Fixed in {} yesterday."], "zh": ["已在{}修复。"]},
    ),
    (
        "UUID",
        lambda r: "-".join(token(r, n, "0123456789abcdef") for n in (8, 4, 4, 4, 12)),
        {"en": ["Session {} expired."], "zh": ["会话{}过期。"]},
    ),
    (
        "password, none given",
        lambda r: r.choice(["required", "too short", "<your password>", "********"]),
        {"en": ["The password is {}"], "zh": ["密码：{}"]},
    ),
    ("handle", lambda r: "@" + token(r, 8, string.ascii_lowercase), {"en": ["Follow {} now."], "zh": ["关注{}。"]}),
    ("decimal", lambda r: f"{r.randint(0, 9)}.{digits(r, 12)}", {"en": ["The value is {}."], "zh": ["结果为{}。"]}),
    (
        "street without number of a flat",
        lambda r: r.choice(["10 Downing Street", "Fifth Avenue", "长安街", "南京东路步行街"]),
        {"en": ["We met at {}."], "zh": ["我们在{}见面。"]},
    ),
]
