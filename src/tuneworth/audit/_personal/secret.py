"""API keys, tokens, passwords and private keys.

The vendors' forms are those of detect-secrets, used as a library: only the patterns of its plug-ins are
used, so nothing ever asks the network whether a key works. Its entropy and keyword plug-ins are left out:
they are made for source code and call any long word in quotes a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from tuneworth.audit._personal.spans import Span

_PLUGINS = (
    ("artifactory", "ArtifactoryDetector"),
    ("aws", "AWSKeyDetector"),
    ("azure_storage_key", "AzureStorageKeyDetector"),
    ("cloudant", "CloudantDetector"),
    ("discord", "DiscordBotTokenDetector"),
    ("github_token", "GitHubTokenDetector"),
    ("gitlab_token", "GitLabTokenDetector"),
    ("ibm_cloud_iam", "IbmCloudIamDetector"),
    ("ibm_cos_hmac", "IbmCosHmacDetector"),
    ("mailchimp", "MailchimpDetector"),
    ("npm", "NpmDetector"),
    ("openai", "OpenAIDetector"),
    ("pypi_token", "PypiTokenDetector"),
    ("sendgrid", "SendGridDetector"),
    ("slack", "SlackDetector"),
    ("softlayer", "SoftlayerDetector"),
    ("square_oauth", "SquareOAuthDetector"),
    ("stripe", "StripeDetector"),
    ("telegram_token", "TelegramBotTokenDetector"),
    ("twilio", "TwilioKeyDetector"),
)
# Vendors that detect-secrets 1.5 does not know, from their own documentation of the form.
_MORE_KEYS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"sk-(?:ant-|proj-|or-v1-|svcacct-)?[A-Za-z0-9_-]{32,200}"  # OpenAI, Anthropic, OpenRouter, DeepSeek, Moonshot
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{8,}"  # a whole JSON web token with its signature
    r"|AIza[0-9A-Za-z_-]{35}"  # Google
    r"|hf_[A-Za-z0-9]{34}"  # Hugging Face
    r"|npm_[A-Za-z0-9]{36}"
    r"|github_pat_[A-Za-z0-9_]{60,100}"
    r"|LTAI[A-Za-z0-9]{12,26}"  # Alibaba Cloud
    r"|AKID[A-Za-z0-9]{32}"  # Tencent Cloud
    r")(?![A-Za-z0-9])"
)
# Some of the patterns take quadratic time on long runs of letters, so a long text is searched by the piece.
_PIECE, _OVERLAP = 2_000, 500
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_LONG = 16
_HINT = re.compile(r"[A-Za-z0-9_+/=-]{16}|://[^\s/@]*:[^\s/@]*@")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\S]*?-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|[\s\S]*)"
    r"|PuTTY-User-Key-File-\d[\s\S]*"
)
_PASSWORD = re.compile(
    r"(?:(?<![A-Za-z])(?:password|passwd|passphrase|passcode|pwd|pin)(?: code)?|密码|口令|密匙)"
    r"(?:\s{0,2}[:=]\s{0,2}|\s+is:?\s+|\s{0,2}(?:为|是)\s{0,2}:?\s{0,2})"
    r"[\"'`“]?((?:(?![\"',;])[!-~]){4,64})",
    re.IGNORECASE,
)
_ASSIGNED_KEY = re.compile(
    r"(?<![A-Za-z])(?:api[_ -]?key|secret(?:[_ -]?(?:key|token))?|access[_ -]?(?:key|token)|auth[_ -]?token|"
    r"client[_ -]?secret|bearer|密钥|令牌)(?:[_ -]?id)?[\"']?(?:\s{0,2}[:=]\s{0,2}|\s+(?:is\s+)?|\s{0,2}(?:为|是)\s{0,2})"
    r"[\"'`“]?([A-Za-z0-9_+/=.-]{16,200})",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"^[<{$%\[(*]|^(.)\1+$|(?:your|example|placeholder|changeme|xxxx|\*\*\*)", re.IGNORECASE)
_JOINTS = re.compile(r"[_.-]")
_CLOSING = "\"'`.,;:!?)]}>"


def secrets(text: str) -> Iterator[Span]:
    """Private keys, keys and tokens in a vendor's form, and values behind "password" or "api_key"."""
    if "-----BEGIN" in text or "PuTTY-User-Key" in text:
        for match in _PRIVATE_KEY.finditer(text):
            yield Span("private_key", match.start(), match.end())
    yield from _passwords(text)
    if _HINT.search(text) is not None:
        yield from _vendor_keys(text)
        yield from _assigned_keys(text)


def _vendor_keys(text: str) -> Iterator[Span]:
    for match in _MORE_KEYS.finditer(text):
        if _mixed(match[0]) or not match[0].startswith("sk-"):
            yield Span("api_key", match.start(), match.end())
    for start in range(0, max(len(text) - _OVERLAP, 1), _PIECE - _OVERLAP):
        yield from _by_vendor(text[start : start + _PIECE], start)
    for match in _basic_auth().finditer(text):
        yield Span("password", *match.span(1))


def _by_vendor(piece: str, start: int) -> Iterator[Span]:
    """Keys in a piece of a text that begins at ``start``."""
    if _HINT.search(piece) is None:
        return
    # The patterns ask for a word boundary, and to Python a Chinese character next to a key is none.
    plain = _NOT_ASCII.sub(" ", piece)
    for pattern in _vendor_patterns():
        for match in pattern.finditer(plain):
            # A group is the secret behind a word such as "aws_key=", or only the prefix of the key.
            groups = [place for place in range(1, pattern.groups + 1) if len(match[place] or "") >= _LONG]
            low, high = match.span(groups[0] if groups else 0)
            yield Span("api_key", start + low, start + high)


@cache
def _vendor_patterns() -> tuple[re.Pattern[str], ...]:
    found = (getattr(import_module(f"detect_secrets.plugins.{name}"), plugin) for name, plugin in _PLUGINS)
    return tuple(pattern for plugin in found for pattern in plugin.denylist)


@cache
def _basic_auth() -> re.Pattern[str]:
    plugin: Any = import_module("detect_secrets.plugins.basic_auth").BasicAuthDetector
    return plugin.denylist[0]


def _passwords(text: str) -> Iterator[Span]:
    for match in _PASSWORD.finditer(text):
        value = match[1].rstrip(_CLOSING)
        # "The password is required" has a word there, "my_password" a name: a sure password has more than letters.
        if not _JOINTS.sub("", value).isalpha() and len(set(value)) > 2 and _PLACEHOLDER.search(value) is None:
            yield Span("password", match.start(1), match.start(1) + len(value))


def _assigned_keys(text: str) -> Iterator[Span]:
    for match in _ASSIGNED_KEY.finditer(text):
        value = match[1].rstrip(_CLOSING)
        if _mixed(value) and _PLACEHOLDER.search(value) is None:
            yield Span("api_key", match.start(1), match.start(1) + len(value))


def _mixed(value: str) -> bool:
    """Letters and digits by turns, as random strings have and words, dates and paths do not."""
    turns = len(re.findall(r"[A-Za-z][0-9]|[0-9][A-Za-z]|[a-z][A-Z]", value))
    return turns >= 4 and any(char.isdigit() for char in value)
