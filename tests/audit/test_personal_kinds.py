"""What counts as personal data, and what only looks like it."""

import random
import string

import pytest
from stdnum import luhn
from stdnum.cn import ric, uscc

from tuneworth.audit._personal import secret
from tuneworth.audit._personal.mask import Placeholders, excerpt, find, mask
from tuneworth.audit._personal.spans import Span, settle

# Made here, not those of anybody: the check digits are worked out.
CN_ID = "11010119900307123" + ric.calc_check_digit("110101199003071230")
CARD = "622202100011223" + luhn.calc_check_digit("622202100011223")
COMPANY = "91310115MA1K3AB1" + "2"
COMPANY += uscc.calc_check_digit(COMPANY)


def kinds(text):
    return [span.kind for span in find(text)]


def found(text):
    return [(span.kind, text[span.start : span.end]) for span in find(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Write to anna.k+shop@mail.example.org.", "email", "anna.k+shop@mail.example.org"),
        ("请发到li88@qq.com，谢谢", "email", "li88@qq.com"),
        ("手机13812345678。", "phone", "13812345678"),
        ("手机：１３８１２３４５６７８。", "phone", "１３８１２３４５６７８"),
        ("打 138-1234-5678 找我", "phone", "138-1234-5678"),
        ("电话（021）58881234", "phone", "（021）58881234"),
        ("Call (212) 736-5000 today", "phone", "(212) 736-5000"),
        ("ring +44 7781 482378 now", "phone", "+44 7781 482378"),
        ("claim on 07781482378 2 win", "phone", "07781482378"),
        ("call 4155552671 please", "phone", "4155552671"),
        ("010-58881234/13812345678", "phone", "13812345678"),
        (f"身份证{CN_ID}，请核对", "cn_id", CN_ID),
        (f"卡号：{CARD}", "bank_card", CARD),
        ("card 4111 1111 1111 1111 declined", "bank_card", "4111 1111 1111 1111"),
        ("pay to GB82 WEST 1234 5698 7654 32 now", "iban", "GB82 WEST 1234 5698 7654 32"),
        (f"信用代码{COMPANY}。", "cn_uscc", COMPANY),
        ("ssn 536-22-8726", "us_ssn", "536-22-8726"),
        ("SSN: 536228726", "us_ssn", "536228726"),
        ("NI number AB 12 34 56 C", "uk_nino", "AB 12 34 56 C"),
        ("护照 E12345678", "other_id", "E12345678"),
        ("from 185.23.17.201 last night", "ip", "185.23.17.201"),
        ("from 2001:4860:4860::8888 too", "ip", "2001:4860:4860::8888"),
        ("寄到杭州市西湖区文三路88号3幢2单元501室", "address", "杭州市西湖区文三路88号3幢2单元501室"),
        ("at 123 Oak Street, Portland, OR 97201", "address", "123 Oak Street, Portland, OR 97201"),
        ("收件人：王小明，已付款", "name", "王小明"),
        ("patient name: Maria Lopez, 54", "name", "Maria Lopez"),
        ("密码是Ab3$xyz9，别忘了", "password", "Ab3$xyz9"),
        ("the password is hunter2!", "password", "hunter2"),
        ("https://bob:s3cr3tpw@host.example/x", "password", "s3cr3tpw"),
    ],
)
def test_found_whole(text, kind, value):
    assert (kind, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "order no. 13812345678 is late",
        "订单号13812345678还没发货",
        "快递单号：4155552671",
        "build 20240115123045 failed",
        "2024-01-15 12:30:45",
        "from 1998-2004 to 2010-2020",
        "the deal is worth $1,299,000.00",
        "version 10.12.14.16 is out, 1.2.3.4 was not",
        "第1.2.3.4节",
        "the router is 192.168.10.20 and localhost 127.0.0.1",
        "ISBN 978-7-1234-5678-0",
        "git@github.com:owner/repo.git",
        "scp file user@host.example.com:/tmp/x",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "session 123e4567-e89b-12d3-a456-426614174000",
        "value 0.123456789012, ratio 3.14159265358979",
        "https://x.example/status/13812345678",
        "the password is required and the pin is too short",
        "密码：<your password>，password: ********",
        "Mr. Bush met Tony Blair in London",
        "我们在长安街和南京东路步行街见面",
        "13,812,345,678 people; 1 2 3 4 5 6 7 8 9",
        "cut 'string 1234567890' by hand",
        "12345678901234567890",
    ],
)
def test_not_personal(text):
    assert find(text) == []


def test_a_wrong_check_digit_is_not_personal():
    wrong = CN_ID[:-1] + ("1" if CN_ID[-1] != "1" else "2")
    assert "cn_id" not in kinds(f"编码 {wrong}")
    assert kinds(f"number {CARD[:-1]}{(int(CARD[-1]) + 1) % 10}") == []
    assert kinds("number 4111 1111 1111 1112") == []


def test_a_chinese_identity_number_needs_a_possible_birthday():
    body = "11010119900231123"
    assert kinds(f"编码 {body}{ric.calc_check_digit(body + '0')}") == []


VENDORS = {
    "AKIA": (16, string.ascii_uppercase + string.digits),
    "ghp_": (36, string.ascii_letters + string.digits),
    "glpat-": (20, string.ascii_letters + string.digits),
    "hf_": (34, string.ascii_letters),
    "AIza": (35, string.ascii_letters + string.digits),
    "LTAI": (20, string.ascii_letters + string.digits),
    "sk-proj-": (48, string.ascii_letters + string.digits),
    "npm_": (36, string.ascii_letters + string.digits),
}


@pytest.mark.parametrize("prefix", VENDORS)
@pytest.mark.parametrize("sentence", ["use {} here", "密钥{}请勿外传"])
def test_vendor_keys_are_hidden_whole(prefix, sentence):
    rng = random.Random(prefix)
    length, alphabet = VENDORS[prefix]
    for _ in range(20):
        key = prefix + "".join(rng.choice(alphabet) for _ in range(length))
        assert ("api_key", key) in found(sentence.format(key))


def test_keys_are_found_far_into_a_long_text():
    key = "ghp_" + "aB3dE6gH9j" * 3 + "kLmN0p"
    for at in (1_900, 1_999, 2_400, 7_777):
        text = "lorem ipsum " * 1_000
        text = f"{text[:at]} {key} {text[at:]}"
        assert ("api_key", key) in found(text)


def test_a_private_key_is_hidden_to_its_end_or_the_texts():
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----"
    assert found(f"key: {key} thanks") == [("private_key", key)]
    cut = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk"
    assert found(f"key: {cut}") == [("private_key", cut)]


def test_nothing_is_verified_over_the_network(monkeypatch):
    import socket

    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert "api_key" in kinds("xoxb-123456789012-123456789012-" + "aB3dE6gH9jKlMnOpQrStUvWx")
    assert len(secret._vendor_patterns()) > 20


@pytest.mark.parametrize(
    "piece", ["1", "a@", "a.b", "1-", "sk-", "eyJ", "北京市", "a:", "://a:", "password:", "12 Main "]
)
def test_long_cells_take_no_more_than_linear_time(piece):
    from time import process_time

    started = process_time()
    find(piece * (100_000 // len(piece)))
    assert process_time() - started < 8


def test_stronger_evidence_wins_where_spans_overlap():
    spans = [Span("phone", 0, 5), Span("email", 3, 20), Span("name", 21, 25), Span("ip", 20, 22)]
    assert settle(spans) == [Span("email", 3, 20), Span("ip", 20, 22)]
    assert settle([]) == []


def test_a_mask_keeps_the_kind_and_at_most_four_characters():
    secrets = ["anna.k@example.org", "13812345678", CN_ID, CARD, "ghp_" + "aB3dE6gH9j" * 3 + "kLmN0p"]
    masked = mask(f"A: {'; '.join(secrets)}.")
    for value in secrets:
        assert value not in masked
        assert value[2:-2] not in masked
    assert "a***@***.org" in masked
    assert "[phone 13***78]" in masked


def test_an_excerpt_cannot_be_cut_so_that_a_number_escapes():
    for at in range(150, 215):
        shown = excerpt("x" * at + f" {CN_ID} end", 200)
        assert len(shown) <= 200
        assert CN_ID[4:14] not in shown


def test_an_excerpt_is_one_line():
    assert excerpt("  a\n\n b\t c ") == "a b c"
    assert excerpt("word " * 100_000) == ("word " * 40)[:199].rstrip() + "…"


def test_placeholders_are_the_same_for_the_same_value_in_a_row():
    row = Placeholders()
    assert row.apply("ring 138 1234 5678 or 13912345678") == "ring [PHONE] or [PHONE_2]"
    assert row.apply('{"phone": "13812345678"}') == '{"phone": "[PHONE]"}'


def test_without_the_libraries_everything_suspicious_is_hidden(monkeypatch):
    from tuneworth.audit._personal import mask as module

    monkeypatch.setattr(module, "missing_libraries", lambda: ("phonenumbers",))
    assert mask("call 13812345678 or a@b.org, key AKIAIOSFODNN7EXAMPLE") == "call *** or *** key ***"
