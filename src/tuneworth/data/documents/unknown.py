"""Files of kinds that are not read: named once a kind, with the way to make them readable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tuneworth.core.text import Text
from tuneworth.data.documents.base import SourceFile, formats
from tuneworth.errors import Problem

_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".heic")
_WORD = (".doc", ".rtf", ".odt", ".wps", ".pages")
_SHEETS = (".xls", ".xlsx", ".ods", ".et")
_SLIDES = (".ppt", ".pptx", ".odp", ".key", ".epub", ".djvu", ".xps", ".caj")
_ARCHIVES = (".zip", ".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz")
_SHOWN = 3


def unknown_kinds(files: Sequence[SourceFile]) -> list[Problem]:
    """One problem a suffix, in the order in which they come up."""
    by_suffix: dict[str, list[SourceFile]] = defaultdict(list)
    for file in files:
        by_suffix[file.path.suffix.lower()].append(file)
    return [Problem(found[0].name, _message(suffix, found)) for suffix, found in by_suffix.items()]


def _message(suffix: str, files: Sequence[SourceFile]) -> Text:
    step = _next_step(suffix)
    names = ", ".join(file.path.name for file in files[1 : _SHOWN + 1]) + (", …" if len(files) > _SHOWN + 1 else "")
    more_en = f" (and {len(files) - 1:,} more such: {names})" if names else ""
    more_zh = f"（同类文件另有 {len(files) - 1:,} 个：{names.replace(', ', '、')}）" if names else ""
    kind_en = f"{suffix} is not a kind" if suffix else "has no suffix and so is not a kind"
    kind_zh = f"{suffix} 不是" if suffix else "没有扩展名，不是"
    return Text(
        en=f"{kind_en} of document that is read{more_en}; {step.en}",
        zh=f"{kind_zh}可读取的文档类型{more_zh}；{step.zh}",
    )


def _next_step(suffix: str) -> Text:
    if suffix in _PICTURES:
        return Text(en="where it shows text, make a PDF with OCR of it", zh="如果图中有文字，请先做 OCR 并存成 PDF")
    if suffix in _WORD:
        return Text(en="save it as .docx", zh="请另存为 .docx")
    if suffix in _SHEETS:
        return Text(en="save each sheet as .csv", zh="请把每个工作表另存为 .csv")
    if suffix in _SLIDES:
        return Text(en="save it as PDF", zh="请另存为 PDF")
    if suffix in _ARCHIVES:
        return Text(en="unpack it", zh="请先解压")
    known = ", ".join(sorted(formats()))
    return Text(en=f"save it as one of {known}, or leave it out", zh=f"请另存为 {known} 之一，或移走")
