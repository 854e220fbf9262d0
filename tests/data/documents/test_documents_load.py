import os
import random
import socket
import subprocess
import sys

import pytest
from document_files import PROSE, docx_bytes, pdf_book, put

from tuneworth.data.documents.load import load_documents, read_documents
from tuneworth.errors import EnvironmentProblem, InputError


def ids(source, **options):
    return [document.id for document in load_documents(source, **options).documents]


def test_one_bad_file_does_not_cost_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("the network was used"))
    put(tmp_path, "手册/第 一 章.md", "# 标题\n正文。")
    put(tmp_path, "b.docx", docx_bytes())
    put(tmp_path, "c.pdf", pdf_book(1))
    put(tmp_path, "empty.txt", b"")
    put(tmp_path, "big.txt", b"a" * 1_000_001)
    put(tmp_path, "photo.PNG", b"\x89PNG")
    put(tmp_path, "other.png", b"\x89PNG")
    put(tmp_path, "noise.pdf", b"%PDF-1.7 noise")
    put(tmp_path, ".hidden/secret.txt", "hidden")
    put(tmp_path, "~$b.docx", b"lock")
    loaded = load_documents(str(tmp_path), max_file_bytes=1_000_000)
    assert [document.id for document in loaded.documents] == ["b.docx", "c.pdf", "手册/第 一 章.md"]
    assert [document.source for document in loaded.documents][2] == str(tmp_path / "手册/第 一 章.md")
    said = {problem.where.rsplit("/", 1)[1]: problem.message for problem in loaded.problems}
    assert sorted(said) == ["big.txt", "empty.txt", "noise.pdf", "other.png"]
    assert said["big.txt"].en == "has 1 MB, more than the 1 MB that are read; split it into several files"
    assert "(and 1 more such: photo.PNG); where it shows text" in said["other.png"].en
    assert all(message.zh and "；" in message.zh for message in said.values())


def test_order_is_that_of_sources_then_paths(tmp_path):
    for name in ("b/1.txt", "a/2.txt", "a/10.txt", "a.txt", "z.md"):
        put(tmp_path, f"one/{name}", name)
    put(tmp_path, "0.txt", "zero")
    assert ids([str(tmp_path / "one"), str(tmp_path / "0.txt")]) == [
        *("a/10.txt", "a/2.txt", "a.txt", "b/1.txt", "z.md"),
        "0.txt",
    ]


def test_globs(tmp_path):
    for name in ("v1/a.md", "v1/deep/b.md", "v2/a.md", "v2/a.txt", "odd[1].md"):
        put(tmp_path, name, name)
    assert ids(str(tmp_path / "v*" / "*.md")) == ["v1/a.md", "v2/a.md"]
    assert ids(str(tmp_path / "v1/**/*.md")) == ["a.md", "deep/b.md"]
    assert ids(str(tmp_path / "odd[1].md")) == ["odd[1].md"]


def test_sources_that_are_not_there_are_named_all_at_once(tmp_path):
    with pytest.raises(InputError) as caught:
        load_documents([str(tmp_path), str(tmp_path / "gone"), str(tmp_path / "*.md")])
    assert [problem.message.en.split(";")[0] for problem in caught.value.problems] == [
        "no such file or folder",
        "matches no file",
    ]


def test_a_folder_with_no_readable_file(tmp_path):
    put(tmp_path, "a.doc", b"x")
    put(tmp_path, "b.md", b"")
    put(tmp_path, "README", b"x")
    with pytest.raises(InputError, match="holds no documents") as caught:
        load_documents(str(tmp_path))
    said = str(caught.value)
    assert "save it as .docx" in said
    assert "is empty" in said
    assert "has no suffix" in said


def test_cyclic_and_broken_links(tmp_path):
    put(tmp_path, "docs/real/a.md", "a")
    put(tmp_path, "shared/b.md", "b")
    docs = tmp_path / "docs"
    (docs / "real" / "up").symlink_to(docs, target_is_directory=True)
    (docs / "also").symlink_to(docs / "real", target_is_directory=True)
    (docs / "shared").symlink_to(tmp_path / "shared", target_is_directory=True)
    (docs / "gone.md").symlink_to(tmp_path / "nowhere.md")
    (docs / "self.md").symlink_to(docs / "self.md")
    loaded = load_documents(str(docs))
    assert [document.id for document in loaded.documents] == ["real/a.md", "shared/b.md"]
    assert [problem.where.rsplit("/", 1)[1] for problem in loaded.problems] == ["gone.md", "self.md"]
    assert all("leads nowhere" in problem.message.en for problem in loaded.problems)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    put(tmp_path, "a.txt", "a")
    loaded = load_documents(str(tmp_path))
    assert "no ordinary file" in loaded.problems[0].message.en


def test_the_same_content_is_kept_once_and_said(tmp_path):
    put(tmp_path, "a.md", "# T\nOne  two.")
    put(tmp_path, "copy.md", "# T\n\nOne two.\n")
    put(tmp_path, "other.md", "# Another\nOne two.")
    put(tmp_path, "rows.jsonl", '{"id": "x", "text": "r"}\n{"id": "y", "text": "r"}\n{"id": "z", "text": "s"}\n')
    loaded = load_documents(str(tmp_path))
    assert [document.id for document in loaded.documents] == ["a.md", "other.md", "x", "z"]
    assert loaded.same_as == {"copy.md": "a.md", "y": "x"}
    assert loaded.problems == []
    file, row = (note.message.en for note in loaded.notes)
    assert file == f"has the same content as {tmp_path}/a.md; it was kept once"
    assert row.startswith("1 document in it repeats")


def test_ids_stay_unique(tmp_path):
    put(tmp_path, "one/a.md", "first")
    put(tmp_path, "two/a.md", "second")
    loaded = load_documents([str(tmp_path / "one"), str(tmp_path / "two")])
    first, second = (document.id for document in loaded.documents)
    assert first == "a.md"
    assert second.startswith("a.md~")
    assert f"'a.md', which is called '{second}'" in loaded.notes[0].message.en


def test_a_library_that_stumbles_costs_one_file(tmp_path, monkeypatch):
    from tuneworth.data.documents.formats import html

    put(tmp_path, "a.html", "<p>a")
    put(tmp_path, "b.md", "b")
    monkeypatch.setattr(html, "parse", lambda *_: [][1])
    loaded = load_documents(str(tmp_path))
    assert [document.id for document in loaded.documents] == ["b.md"]
    assert "IndexError" in loaded.problems[0].message.en


@pytest.mark.parametrize(("name", "module"), [("a.pdf", "pypdfium2"), ("a.docx", "docx"), ("a.html", "lxml")])
def test_a_missing_extra_is_named(tmp_path, monkeypatch, name, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EnvironmentProblem, match=r'pip install "tuneworth\[documents\]"'):
        load_documents(str(put(tmp_path, name, "<p>any")))


def test_damaged_files_never_end_the_run(tmp_path):
    """Random bytes over valid files: each is read or listed, with its next step, and the good one is always there."""
    rng = random.Random(5)
    originals = {"x.pdf": pdf_book(2), "x.docx": docx_bytes(), "x.html": b"<h1>a</h1><table><tr><td>b</table>" * 9}
    put(tmp_path, "good.md", "good")
    for _ in range(40):
        for name, original in originals.items():
            damaged = bytearray(original)
            for at in rng.sample(range(len(damaged)), 6):
                damaged[at : at + 3] = rng.randbytes(3)
            put(tmp_path, name, bytes(damaged))
        loaded = load_documents(str(tmp_path))
        read = {document.id for document in loaded.documents}
        listed = {problem.where.rsplit("/", 1)[1] for problem in loaded.problems}
        assert "good.md" in read
        assert originals.keys() <= read | listed


def test_the_audit_sees_headings_where_they_stand(tmp_path):
    put(tmp_path, "a.md", f"# T\n{PROSE}\n## S\none\n\ntwo\n### D\nthree\n## E\nfour\n")
    assert read_documents(str(tmp_path)) == (f"{PROSE}\n\nS\n\none\n\ntwo\n\nD\n\nthree\n\nE\n\nfour",)


def test_importing_documents_loads_no_reader():
    code = (
        "import sys; from tuneworth.data.documents.load import load_documents\n"
        "heavy = {'lxml', 'docx', 'pypdfium2', 'markdown_it', 'pyarrow', 'torch'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
