import zipfile
from datetime import date

import pytest
from document_files import PROSE, PROSE_ZH, docx_bytes, put, saved, with_part

from tuneworth.core.documents import Block
from tuneworth.data.documents.load import load_documents
from tuneworth.errors import InputError


def only(path):
    loaded = load_documents(str(path))
    assert len(loaded.documents) == 1
    return loaded.documents[0]


def refused(path):
    """Why the only file of a source is not read."""
    with pytest.raises(InputError, match="holds no documents that can be read") as caught:
        load_documents(str(path))
    return [problem.message for problem in caught.value.problems[1:]]


MARKDOWN = """---
title: Pump manual
updated: 2024-03-05
doc_set: new
author: Li Lei
tags: [a, b]
---
# Pump manual
Read *this* [first](http://example.com/a/very/long/address), it is
wrapped; 中文也会
换行。

## Start
### Linux
- one
  - two `x.y`
- three

  more
3. a
4. b

| part | price |
|---|---|
| seal | 12.50 |

```
x = 1

y
```
<p align="center">Hello <b>you</b></p>

## Nothing here
"""


def test_markdown(tmp_path):
    document = only(put(tmp_path, "guide.md", MARKDOWN))
    under = ("Start", "Linux")
    assert (document.id, document.title, document.changed, document.doc_set) == (
        "guide.md",
        "Pump manual",
        date(2024, 3, 5),
        "new",
    )
    assert document.metadata == {"author": "Li Lei"}
    assert document.blocks == (
        Block("Read this first, it is wrapped; 中文也会换行。"),
        Block("- one\n  - two x.y\n- three\n  more", under),
        Block("3. a\n4. b", under),
        Block("part | price\nseal | 12.50", under),
        Block("x = 1\n\ny", under),
        Block("Hello you", under),
        Block("Nothing here"),  # a heading with nothing below it is not lost
    )


def test_broken_front_matter_is_read_as_text_and_said(tmp_path):
    loaded = load_documents(str(put(tmp_path, "a.md", "---\ntitle: [a\n---\nBody.\n")))
    assert loaded.documents[0].text == "Body."
    assert loaded.documents[0].title == "title: [a"  # CommonMark: a line underlined with dashes is a heading
    assert "front matter is not YAML" in loaded.problems[0].message.en


def test_front_matter_runs_nothing(tmp_path):
    made = tmp_path / "made"
    head = f"---\ntitle: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{made}']]\n---\nText."
    loaded = load_documents(str(put(tmp_path, "a.md", head)))
    assert len(loaded.problems) == 1
    assert not made.exists()


def test_plain_text_joins_what_only_the_margin_broke(tmp_path):
    text = (
        "The pump must be primed before it is started, since a dry\nstart damages the seal.\n\n"
        "Parts:\n- seal\n- impeller\n\n水泵启动前必须先灌水，因为干启动会损坏密封圈，而这是第一年内最\n常见的故障。\n"
    )
    blocks = only(put(tmp_path, "a.txt", text.replace("\n", "\r\n"))).blocks
    assert [block.text for block in blocks] == [
        "The pump must be primed before it is started, since a dry start damages the seal.",
        "Parts:\n- seal\n- impeller",
        "水泵启动前必须先灌水，因为干启动会损坏密封圈，而这是第一年内最常见的故障。",
    ]
    assert {block.page for block in blocks} == {None}


def test_form_feeds_are_pages(tmp_path):
    blocks = only(put(tmp_path, "a.txt", "one\n\ntwo\n\fthree\n")).blocks
    assert [(block.text, block.page) for block in blocks] == [("one", 1), ("two", 1), ("three", 2)]


def test_encodings(tmp_path):
    text = PROSE_ZH * 3
    put(tmp_path, "gb.txt", text.encode("gb18030"))
    put(tmp_path, "utf16.txt", ("一" + text).encode("utf-16"))
    put(tmp_path, "bom.txt", b"\xef\xbb\xbf" + ("二" + text).encode())
    put(tmp_path, "shift.html", f"<meta charset='shift_jis'><p>ポンプ{'のガスケット' * 3}".encode("shift_jis"))
    put(tmp_path, "wrong.html", f"<meta charset='gbk'><p>三{text}")
    loaded = load_documents(str(tmp_path))
    texts = {document.id: document.text for document in loaded.documents}
    assert texts == {
        "gb.txt": text,
        "utf16.txt": "一" + text,
        "bom.txt": "二" + text,
        "shift.html": "ポンプ" + "のガスケット" * 3,
        "wrong.html": "三" + text,
    }
    assert sorted(note.message.en.split(" was ")[1][:11] for note in loaded.notes) == ["read as GB1", "read as UTF"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", "αλφάβητο και πάλι αλφάβητο".encode("cp1253"), "neither UTF-8 nor GB18030, first at line 1"),
        ("a.md", b"good\nnext\x00line", "NUL bytes"),
        ("a.txt", b"\xff\xfea", "not valid UTF-16"),
        ("a.txt", b" \n\t\n", "holds no text"),
        ("a.md", b"---\ntitle: only a head\n---\n", "holds no text"),
        ("a.html", b"<script>let a = 1</script><!-- nothing -->", "holds no text"),
        ("a.html", b"<!-- nothing -->", "holds no text"),
        ("a.docx", b"no zip at all", "not a Word document"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "is encrypted"),
        ("a.json", b'{"one":\n "object"}', "without a list of rows"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, name, content, said):
    (message,) = refused(put(tmp_path, name, content))
    assert said in message.en
    assert message.zh


PAGE = """<!doctype html><html><head><title> Pump
 manual</title><meta property="article:published_time" content="2023-01-02T10:00:00Z"></head><body>
<nav><a href="/">menu</a></nav><h1>Pump manual</h1><p>One<br>two <b>bold</b>text</p>loose
<ul><li>a<ul><li>a1</li></ul></li><li><p>b</p></li></ul><ol start=4><li>c</ol>
<table><tr><td><h2>Parts</h2><p>x<p>y<td><table><caption>Prices</caption><tr><th>k<th>v
<tr><td>1<td>2 <span hidden>secret</span></table></table><pre>
a
  b</pre><script>alert(1)</script><div style="display: none">secret</div>tail"""


def test_html(tmp_path):
    document = only(put(tmp_path, "page.html", PAGE))
    assert (document.title, document.changed) == ("Pump manual", date(2023, 1, 2))
    parts = ("Parts",)
    assert document.blocks == (
        Block("One\ntwo boldtext"),
        Block("loose"),
        Block("- a\n  - a1\n- b"),
        Block("4. c"),
        Block("x", parts),
        Block("y", parts),
        Block("Prices\nk | v\n1 | 2", parts),
        Block("a\n  b", parts),
        Block("tail", parts),
    )


def test_html_takes_the_main_part(tmp_path):
    document = only(put(tmp_path, "page.html", "<div>cookies?</div><main><p>Answer.</main><footer>©</footer>"))
    assert document.text == "Answer."


def test_html_nested_too_deep_for_recursion(tmp_path):
    document = only(put(tmp_path, "deep.html", "<div>" * 2_000 + "bottom" + "</div>" * 2_000))
    assert document.text == "bottom"
    (message,) = refused(put(tmp_path, "deep.html", "<div>" * 3_000 + "bottom" + "</div>" * 3_000))
    assert "nest over 2,000 deep" in message.en


def test_docx(tmp_path):
    document = only(put(tmp_path, "手册 一.docx", docx_bytes()))
    parts = ("Start", "Parts 零件")
    assert (document.id, document.title) == ("手册 一.docx", "Pump manual")
    assert document.changed is not None
    assert document.blocks == (
        Block(PROSE, ("Start",)),
        Block("- seal\n- impeller", parts),
        Block("part | price\nseal | 12.50", parts),
        Block(PROSE_ZH, parts),
    )


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def word_with(tmp_path, body, prolog=""):
    xml = f"{prolog}<w:document {W}><w:body>{body}</w:body></w:document>"
    return put(tmp_path, "a.docx", with_part(docx_bytes(title=""), "word/document.xml", xml.encode()))


def test_docx_reads_insertions_and_controls_but_nothing_deleted_or_hidden(tmp_path):
    body = (
        "<w:p><w:pPr><w:outlineLvl w:val='0'/></w:pPr><w:r><w:t>Top</w:t></w:r></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>in a control</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        "<w:p><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:t xml:space='preserve"
        "'> text</w:t></w:r></w:p>"
    )
    assert only(word_with(tmp_path, body)).blocks == (Block("in a control"), Block("new text"))


def test_docx_opens_no_other_file_and_expands_no_bomb(tmp_path):
    secret = put(tmp_path.with_suffix(".elsewhere"), "secret.txt", "planted")
    body = "<w:p><w:r><w:t>before</w:t></w:r><w:r><w:t>&x;</w:t></w:r></w:p>"
    document = only(word_with(tmp_path, body, f'<!DOCTYPE d [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'))
    assert document.text == "before"
    bomb = f'<!DOCTYPE d [<!ENTITY a "{"lol" * 999}"><!ENTITY x "{"&a;" * 99_999}">]>'
    (message,) = refused(word_with(tmp_path, body, bomb))
    assert "broken or not a Word document" in message.en


@pytest.mark.parametrize("name", ["word/document.xml", "word/media/image1.png"])
def test_zip_bombs_are_refused_before_they_are_unpacked(tmp_path, name):
    path = put(tmp_path, "bomb.docx", docx_bytes())
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as bomb,
        bomb.open("more/" + name, "w", force_zip64=True) as part,
    ):
        for _ in range(260 if name.endswith("png") else 66):
            part.write(bytes(2**20))
    assert path.stat().st_size < 2**20
    (message,) = refused(path)
    assert "unpacks to" in message.en


def test_a_heading_style_on_a_whole_paragraph_does_not_lose_it(tmp_path):
    import docx

    word = docx.Document()
    word.add_heading(PROSE + PROSE, level=1)
    assert only(put(tmp_path, "a.docx", saved(word))).text == PROSE + PROSE


ROWS = """{"id": "a1", "title": "Seal", "text": "One.\\n\\nTwo.", "date": "2024年3月5日", "doc_set": "old", "lang": "en", "n": 3}
{"id": "a2", "text": "Three.", "date": "05/03/2024", "list": [1]}

{"id": "a3", "text": ""}
{"id": "a4", "text": ["no"]}
broken
{"text": "Four."}
"""


def test_rows(tmp_path):
    loaded = load_documents(str(put(tmp_path, "docs.jsonl", ROWS)))
    first, second, third = loaded.documents
    assert (first.id, first.title, first.changed, first.doc_set) == ("a1", "Seal", date(2024, 3, 5), "old")
    assert first.metadata == {"lang": "en", "n": "3"}
    assert first.blocks == (Block("One."), Block("Two."))
    assert first.source.endswith("docs.jsonl:1")
    assert (second.id, second.title, second.changed, second.metadata) == ("a2", "", None, {})
    assert third.id.startswith("docs.jsonl:")
    assert third.source.endswith("docs.jsonl:7")
    bad, undated = (problem.message.en for problem in loaded.problems)
    assert bad.startswith("3 rows left out, lines 4, 5, 6; the first holds no text")
    assert "first 05/03/2024 in line 2" in undated


def test_rows_that_langchain_saved(tmp_path):
    path = put(
        tmp_path,
        "docs.jsonl",
        '{"page_content": "One.", "metadata": {"source": "rules.md", "page": 2}, "type": "Document"}\n',
    )
    [document] = load_documents(str(path)).documents
    assert document.text == "One."
    assert document.metadata == {"type": "Document", "source": "rules.md", "page": "2"}


def test_the_id_of_a_row_without_one_does_not_depend_on_other_rows(tmp_path):
    path = put(tmp_path, "docs.csv", "text\nalpha\nbeta\n")
    before = {document.text: document.id for document in load_documents(str(path)).documents}
    put(tmp_path, "docs.csv", "text\nnew\nalpha\nbeta\n")
    after = {document.text: document.id for document in load_documents(str(path)).documents}
    assert before.items() <= after.items()
    assert len(set(after.values())) == 3


def test_a_table_without_a_text_field_is_read_whole(tmp_path):
    path = put(tmp_path, "价格.csv", "编号,零件,价格\n1,密封圈,12.50\n2,叶轮,\n")
    loaded = load_documents(str(path))
    assert [(document.id, document.text) for document in loaded.documents] == [
        ("1", "零件: 密封圈\n价格: 12.50"),
        ("2", "零件: 叶轮"),
    ]


def test_parquet(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"doc_id": [7], "Content": ["Eight."], "updated_at": [date(2025, 1, 2)]})
    pq.write_table(table, tmp_path / "docs.parquet")
    document = only(tmp_path / "docs.parquet")
    assert (document.id, document.text, document.changed) == ("7", "Eight.", date(2025, 1, 2))
