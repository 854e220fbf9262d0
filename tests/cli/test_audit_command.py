"""``tuneworth audit`` as a user runs it."""

import json

import pytest

from rows_made import label_rows, write_rows

LIGHT = ("--only", "personal,duplicates")


@pytest.fixture
def data(tmp_path):
    rows = label_rows(60)
    rows[3]["input"] = "ring me on +44 7781 482378 about the old fruita"
    return write_rows(tmp_path / "rows.jsonl", rows)


def test_findings_are_shown_and_nothing_personal_is(tuneworth, data):
    done = tuneworth("audit", data, *LIGHT)
    assert done.returncode == 0, done.stderr
    assert "1 of 60 rows hold telephone numbers" in done.stdout
    assert "[phone 44***78]" in done.stdout
    assert "7781" not in done.stdout + done.stderr
    assert "Personal data and secrets" in done.stderr


def test_a_warning_that_quotes_a_row_is_masked(tuneworth, data):
    with data.open("a", encoding="utf-8") as file:
        file.write("not a row, ring +44 7781 482378\n")
    done = tuneworth("audit", data, *LIGHT)
    assert done.returncode == 0
    assert "1 of 61 rows of rows.jsonl were set aside" in done.stderr
    assert "7781" not in done.stdout + done.stderr


def test_chinese(tuneworth, data):
    done = tuneworth("audit", data, *LIGHT, "--lang", "zh")
    assert "60 条数据中有 1 条含有电话号码" in done.stdout


def test_json_is_one_object_on_stdout(tuneworth, data):
    done = tuneworth("audit", data, *LIGHT, "--json")
    result = json.loads(done.stdout)
    assert [check["check"] for check in result["checks"]] == ["duplicates", "personal"]
    assert "personal.phone" in [finding["id"] for finding in result["findings"]]
    assert "7781" not in done.stdout


def test_fix_and_page(tuneworth, data, tmp_path):
    before = data.read_bytes()
    done = tuneworth("audit", data, *LIGHT, "--fix", "out", "--html", "page.html")
    assert done.returncode == 0, done.stderr
    assert data.read_bytes() == before
    copy = (tmp_path / "out" / "rows.jsonl").read_text(encoding="utf-8")
    assert "[PHONE]" in copy
    assert "7781" not in copy + (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "patches.jsonl" in done.stdout
    again = tuneworth("audit", data, *LIGHT, "--fix", "out")
    assert again.returncode == 2
    assert "is there already" in again.stderr


def test_documents(tuneworth, tmp_path):
    towns = ["Arlen", "Brockton", "Calvert", "Delmar", "Easton", "Fargo", "Granby"]
    pairs = [
        {
            "input": f"When was mill {at} near the {towns[at % 7]} road built?",
            "output": f"in {1200 + at * 7}, by the people of {towns[at % 5]}",
        }
        for at in range(60)
    ]
    data = write_rows(tmp_path / "qa.jsonl", pairs)
    (tmp_path / "docs").mkdir()
    for at, pair in enumerate(pairs):
        (tmp_path / "docs" / f"{at}.txt").write_text(f"Mill {at}: {pair['output']}.", encoding="utf-8")
    done = tuneworth("audit", data, "--only", "knowledge", "--documents", "docs", "--json")
    facts = {fact["name"]: fact["value"] for fact in json.loads(done.stdout)["facts"]}
    assert facts["documents_cover"] == 1.0
    missing = tuneworth("audit", data, "--only", "knowledge", "--documents", "nowhere.jsonl")
    assert missing.returncode == 2
    assert "nowhere.jsonl" in missing.stderr


BAD = {
    "empty": ("", "rows.jsonl"),
    "one row": ('{"input": "a", "output": "b"}\n', "rows.jsonl"),
    "one class": ("".join(json.dumps({"input": f"text {at} of many", "output": "x"}) + "\n" for at in range(60)), "x"),
    "all alike": ('{"input": "same", "output": "same"}\n' * 50, "rows.jsonl"),
    "NUL bytes": ("\x00" * 5_000, "rows.jsonl"),
}


@pytest.mark.parametrize("case", BAD)
def test_unusable_input_is_one_message_and_exit_2(tuneworth, tmp_path, case):
    text, word = BAD[case]
    (tmp_path / "rows.jsonl").write_text(text, encoding="utf-8")
    done = tuneworth("audit", "rows.jsonl", "--fix", "out")
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert word in done.stderr
    assert not (tmp_path / "out").exists()


def test_odd_rows_among_good_ones_are_survived(tuneworth, tmp_path):
    rows = label_rows(60)
    odd = [
        "\u202eשלום עולם\u202c fruita",
        "👩‍👩‍👧 fruitb 🙂",
        "𝕦𝕟𝕚 fruitc",
        "x" * 1_000_000,
        "tab\tand\u2028line fruitd",
    ]
    path = write_rows(tmp_path / "rows.jsonl", rows + [{"input": text, "output": "fruit"} for text in odd])
    with path.open("ab") as file:
        file.write(b'{"input": "latin \xe9t\xe9 fruite", "output": "fruit"}\n')
        file.write(b'{"input": "nul \\u0000 fruitf", "output": "fruit"}\n')
    done = tuneworth("audit", path, *LIGHT, "--fix", "out", "--json")
    assert done.returncode == 0, done.stderr
    listed = [
        json.loads(line) for line in (tmp_path / "out" / "patches.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert sum(entry["check"] == "load" for entry in listed) == 3
    assert max(len(json.dumps(entry)) for entry in listed) < 10_000


def test_an_unknown_check_is_named(tuneworth, data):
    done = tuneworth("audit", data, "--only", "nonsense")
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert "personal" in done.stderr
