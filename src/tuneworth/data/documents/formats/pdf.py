"""PDF with a text layer: text by page, headings from the outline, title and date from its properties.

Read by PDFium without its script engine: nothing in the file runs. What PDFium cannot tell is not guessed: tables
come as lines, a picture of text has no text (OCR is another program's work), headings without an outline are lines.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from threading import Lock
from typing import Any

from tuneworth.core.text import Text
from tuneworth.data.dates import read_pdf_date
from tuneworth.data.documents.base import MAX_TEXT_CHARS, Parsed, Reading, SourceFile, Unreadable, missing
from tuneworth.data.documents.blocks import one_line
from tuneworth.data.documents.pdflines import Bookmark, blocks_of

_PASSWORD_ERRORS = (4, 5)  # FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY
_DEEPEST_HEADING = 6
_LOCK = Lock()  # PDFium is not safe to call from two threads
_AT_LINE_END = "[\ufffe\x02]\r?\n?"  # PDFium's mark for a hyphen that a line ends with
_HYPHENATED = re.compile(rf"(\w*){_AT_LINE_END}(\w*)")
_PRESENTED = re.compile("[\u2e80-\u2fdf\uf900-\ufaff\ufb00-\ufb06]")
_NO_TITLE = re.compile(
    r"untitled.*|unnamed|\(anonymous\)|microsoft \w+ - .*|.*\.(docx?|pptx?|xlsx?|pdf|indd|tex|dvi|qxd)|无标题.*", re.I
)


class Pdf:
    suffixes = (".pdf",)

    def read(self, file: SourceFile) -> Reading:
        try:
            import pypdfium2
        except ImportError:
            raise missing("pypdfium2", file.name) from None
        with _LOCK:
            try:
                with pypdfium2.PdfDocument(file.read()) as pdf:
                    return _read(pdf)
            except pypdfium2.PdfiumError as error:
                raise Unreadable(_why(error)) from error


def _why(error: Any) -> Text:
    if getattr(error, "err_code", None) in _PASSWORD_ERRORS:
        return Text(
            en="is encrypted: it opens only with a password; save a copy without one",
            zh="已加密，需要密码才能打开；请另存一份不带密码的副本",
        )
    return Text(
        en="is broken or not a PDF; open it in a viewer and save or print it as PDF again",
        zh="文件已损坏或不是 PDF；请用阅读器打开后重新保存或打印为 PDF",
    )


def _read(pdf: Any) -> Reading:
    pages = _pages(pdf)
    without_text = [number for number, page in enumerate(pages, start=1) if not page]
    if len(without_text) == len(pages):
        raise Unreadable(
            Text(
                en="has no text layer, so it is probably a scan; run OCR on it first, for example with ocrmypdf",
                zh="没有文字层，应该是扫描件；请先做 OCR，例如使用 ocrmypdf",
            )
        )
    said = pdf.get_metadata_dict()
    title = one_line(_clean(said.get("Title", "")))
    document = Parsed(
        blocks=blocks_of(pages, _bookmarks(pdf)),
        title="" if _NO_TITLE.fullmatch(title) else title,
        changed=_changed(said),
    )
    return Reading([document], [_partly(without_text, len(pages))] if without_text else [])


def _pages(pdf: Any) -> list[list[str]]:
    """The lines of every page, without the blank ones."""
    texts, size = [], 0
    for index in range(len(pdf)):
        page = pdf[index]
        text_page = page.get_textpage()
        text = text_page.get_text_range()
        text_page.close()
        page.close()
        size += len(text)
        if size > MAX_TEXT_CHARS:
            raise Unreadable(
                Text(
                    en=f"has more than {MAX_TEXT_CHARS:,} characters of text; split it into several files",
                    zh=f"正文超过 {MAX_TEXT_CHARS:,} 个字符；请拆成几个文件",
                )
            )
        texts.append(text)
    texts = _without_hyphenation(texts)
    return [[line for line in map(one_line, _clean(text).splitlines()) if line] for text in texts]


def _without_hyphenation(texts: list[str]) -> list[str]:
    """``texts`` with words whole that a line end cut; a hyphen stays where the document writes it elsewhere too."""
    everything = "\n".join(texts)
    hyphenated = set(re.findall(r"\w+-\w+", everything)) if _HYPHENATED.search(everything) else set()

    def whole(match: re.Match[str]) -> str:
        kept = f"{match[1]}-{match[2]}"
        return kept if kept in hyphenated or not (match[1] and match[2]) else match[1] + match[2]

    return [_HYPHENATED.sub(whole, text) for text in texts]


def _clean(text: str) -> str:
    """Ligatures, and the radicals that some fonts map Chinese characters to, as plain characters."""
    return _PRESENTED.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)


def _bookmarks(pdf: Any) -> dict[int, list[Bookmark]]:
    found: dict[int, list[Bookmark]] = {}
    for entry in pdf.get_toc(max_depth=_DEEPEST_HEADING):
        target = entry.get_dest()
        index = target.get_index() if target else None
        title = one_line(_clean(entry.get_title()))
        if index is not None and title:
            found.setdefault(index + 1, []).append(Bookmark(entry.level + 1, title))
    return found


def _changed(said: dict[str, str]) -> date | None:
    return read_pdf_date(said.get("ModDate", "")) or read_pdf_date(said.get("CreationDate", ""))


def _partly(without_text: list[int], n_pages: int) -> Text:
    shown = ", ".join(map(str, without_text[:5])) + (", …" if len(without_text) > 5 else "")
    return Text(
        en=f"{len(without_text)} of {n_pages} pages have no text (page {shown}); "
        "where they are scans, run OCR, for example with ocrmypdf",
        zh=f"{n_pages} 页中有 {len(without_text)} 页没有文字（第 {shown.replace(', ', '、')} 页）；"
        "如果是扫描页，请先做 OCR，例如使用 ocrmypdf",
    )


PLUGIN = Pdf()
