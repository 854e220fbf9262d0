"""Files of every kind, made when a test runs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

PROSE = (
    "The pump must be primed before it is started. A dry start damages the seal, which is the most frequent cause of "
    "failure in the first year of use. Keep the inlet below the water line at all times."
)
PROSE_ZH = "水泵启动前必须先灌水。干启动会损坏密封圈，这是第一年内最常见的故障原因；进水口应始终低于水面。"


def docx_bytes(*, title: str = "Pump manual") -> bytes:
    """A document with two headings, a list, a table and Chinese."""
    import docx

    word = docx.Document()
    word.core_properties.title = title
    word.add_heading("Start", level=1)
    word.add_paragraph(PROSE)
    word.add_heading("Parts 零件", level=2)
    word.add_paragraph("seal", style="List Bullet")
    word.add_paragraph("impeller", style="List Bullet")
    table = word.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ("part", "price", "seal", "12.50")):
        cell.text = text
    word.add_paragraph(PROSE_ZH)
    return saved(word)


def saved(word) -> bytes:
    """A python-docx document as the bytes of its file."""
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The zip file ``data`` with one of its parts replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return out.getvalue()


def pdf_of_lines(pages: Sequence[Sequence[str]], *, title: str = "", password: str = "") -> bytes:
    """A PDF with the given lines, one below the other."""
    from reportlab.pdfgen import canvas

    buffer = io.BytesIO()
    drawing = canvas.Canvas(buffer, encrypt=password or None)
    drawing.setTitle(title)
    for lines in pages:
        text = drawing.beginText(50, 800)
        for line in lines:
            text.textLine(line)
        drawing.drawText(text)
        drawing.showPage()
    drawing.save()
    return buffer.getvalue()


def pdf_book(n_chapters: int) -> bytes:
    """A PDF of one page a chapter, with an outline, running heads, page numbers and Chinese paragraphs."""
    from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    styles = getSampleStyleSheet()
    chinese = ParagraphStyle("zh", fontName="STSong-Light", fontSize=11, wordWrap="CJK", leading=16)

    class Book(SimpleDocTemplate):
        def afterFlowable(self, flowable):
            if isinstance(flowable, Paragraph) and flowable.style.name in ("Heading1", "Heading2"):
                title, key = flowable.getPlainText(), f"k{id(flowable)}"
                self.canv.bookmarkPage(key)
                self.canv.addOutlineEntry(title, key, int(flowable.style.name[-1]) - 1)

    def edges(drawing, template):
        drawing.drawString(50, 820, "ACME pumps, maintenance manual")
        drawing.drawString(280, 20, f"Page {template.page}")

    story = []
    for chapter in range(1, n_chapters + 1):
        story.append(Paragraph(f"Chapter {chapter}", styles["Heading1"]))
        for section in (1, 2):
            story.append(Paragraph(f"Section {chapter}.{section}", styles["Heading2"]))
            story.append(Paragraph(f"Item {chapter}.{section}: {PROSE} {PROSE} Then rest.", styles["Normal"]))
            story.append(Paragraph(f"第 {chapter} 章的说明：" + PROSE_ZH * 2, chinese))
        story.append(PageBreak())
    buffer = io.BytesIO()
    Book(buffer, title="Pump manual").build(story, onFirstPage=edges, onLaterPages=edges)
    return buffer.getvalue()


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def pdf_of_places(pages: Sequence[Sequence[tuple[float, float, str]]], *, size: float = 11) -> bytes:
    """A PDF with texts at their places (from the left, from the bottom), drawn in the order given."""
    from reportlab.pdfgen import canvas

    buffer = io.BytesIO()
    drawing = canvas.Canvas(buffer)
    for texts in pages:
        drawing.setFont("Helvetica", size)
        for left, bottom, text in texts:
            drawing.drawString(left, bottom, text)
        drawing.showPage()
    drawing.save()
    return buffer.getvalue()
