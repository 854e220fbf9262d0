import os
import sys
from dataclasses import replace
from datetime import date, timedelta

import pytest
from passages_made import TOPICS, WordEncoder, many, passage, topics

from tuneworth.errors import EnvironmentProblem, InputError
from tuneworth.retrieval import refresh as refresh_module
from tuneworth.retrieval.hits import Where
from tuneworth.retrieval.index import open_index, open_or_build
from tuneworth.retrieval.state import STATE_FILE

ODD_QUERIES = (
    *('"', "'", "oboe' OR 1=1 --", "AND OR NOT", "(", "a*b~2^3", "text:oboe", "the of and", "\\", "%s {} $1"),
    *("\x00", "\ud800", "字", "🐙", "\u200b"),
)
ZH = (
    "夏季剧院位于萨克森花园，战前一直营业。",
    "保修期为二十四个月，从购买之日算起。",
    "家里的猫每天早晨在窗台上晒太阳。",
    "用iPhone15拍照时请先擦干净镜头。",
)


def found(index, query, k=3, **options):
    return [hit.passage.id for hit in index.search([query], k, **options)[0]]


def answers(index, queries=("blue book weather", "rye dough", "m7x stands", "glaciers turquoise")):
    return [
        [(hit.passage, round(hit.score, 6)) for hit in hits]
        for mode in index.modes
        for hits in index.search(queries, 5, mode=mode)
    ]


# --- what is written


def test_only_what_changed_is_embedded(tmp_path):
    encoder = WordEncoder()
    _, first = open_or_build(tmp_path, topics(), encoder)
    assert (first.added, first.removed, first.unchanged, first.embedded) == (6, 0, 0, 6)
    assert first.rebuilt_because is None
    _, second = open_or_build(tmp_path, topics(), encoder)
    assert (second.added, second.removed, second.unchanged, second.changed, second.embedded) == (0, 0, 6, 0, 0)

    encoder.n_texts = 0
    today = [passage("d0#0", "Rewritten altogether."), *topics()[2:], passage("d9#0", "Whales sing in the bay.")]
    index, third = open_or_build(tmp_path, today, encoder)
    assert (third.added, third.removed, third.changed, third.unchanged, third.embedded) == (1, 1, 1, 4, 2)
    assert encoder.n_texts == 3  # the two, and the sentence that tells one model from another
    assert len(index) == 6
    assert found(index, "whales bay", 1) == ["d9#0"]
    assert "d1#0" not in found(index, "copper wire", 10)


def test_a_passage_that_moved_keeps_its_vector(tmp_path):
    encoder = WordEncoder()
    open_or_build(tmp_path, topics(), encoder)
    moved = [replace(item, id=f"moved#{at}", document_id="moved") for at, item in enumerate(topics())]
    index, refresh = open_or_build(tmp_path, moved, encoder)
    assert (refresh.added, refresh.removed, refresh.embedded) == (6, 6, 0)
    assert found(index, TOPICS[4], 1, mode="vector") == ["moved#4"]


def test_new_metadata_is_written_and_not_embedded(tmp_path):
    encoder = WordEncoder()
    open_or_build(tmp_path, topics(), encoder)
    index, refresh = open_or_build(tmp_path, [replace(item, doc_set="new", page=4) for item in topics()], encoder)
    assert (refresh.changed, refresh.unchanged, refresh.embedded) == (6, 0, 0)
    hit = index.search(["oboe"], 1)[0][0]
    assert (hit.passage.doc_set, hit.passage.page) == ("new", 4)


def test_the_same_text_is_embedded_once(tmp_path):
    twins = [passage(f"d{at}#0", "One text, many copies.") for at in range(40)]
    index, refresh = open_or_build(tmp_path, twins, WordEncoder())
    assert (refresh.added, refresh.embedded) == (40, 1)
    assert found(index, "copies", 40, mode="vector") == sorted(item.id for item in twins)


def test_a_passage_comes_back_as_it_was_given(tmp_path):
    given = replace(
        passage(
            "a b/文件.md#0",
            "Text with 'quotes', \x00 and 🐙.\n\nSecond.",
            title='It\'s "T"',
            headings=("甲", "b"),
            changed=date(2024, 2, 29),
            lang="en",
            owner="O'Neil",
        ),
        page=3,
    )
    index, _ = open_or_build(tmp_path / "名 字", [given, passage("plain#0", "Nothing else.")], WordEncoder())
    assert index.search(["octopus quotes"], 1)[0][0].passage == given
    assert index.search(["nothing"], 1)[0][0].passage == passage("plain#0", "Nothing else.")


def test_an_updated_index_answers_like_one_built_at_once(tmp_path):
    encoder = WordEncoder()
    open_or_build(tmp_path / "a", many(30), encoder)
    open_or_build(tmp_path / "a", many(80)[20:], encoder)
    updated, _ = open_or_build(tmp_path / "a", many(70), encoder)
    at_once, _ = open_or_build(tmp_path / "b", many(70), encoder)
    assert answers(updated) == answers(at_once)


def test_progress_counts_what_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("tuneworth.retrieval.refresh.ROWS_PER_WRITE", 8)
    seen = []
    open_or_build(tmp_path, many(20), WordEncoder(), progress=lambda *told: seen.append(told))
    assert seen == [(8, 20, "passages"), (16, 20, "passages"), (20, 20, "passages")]
    open_or_build(tmp_path, many(21), WordEncoder(), progress=lambda *told: seen.append(told))
    assert seen[3:] == [(1, 1, "passages")]


def test_no_passages_is_an_index_that_finds_nothing(tmp_path):
    index, refresh = open_or_build(tmp_path, [], WordEncoder())
    assert (len(index), refresh.added) == (0, 0)
    assert index.search(["anything", ""], 3) == [[], []]
    index, _ = open_or_build(tmp_path, topics(), WordEncoder())
    index, refresh = open_or_build(tmp_path, [], WordEncoder())
    assert (len(index), refresh.removed) == (0, 6)
    assert index.search(["oboe"], 3) == [[]]


def test_ids_that_repeat_are_all_named(tmp_path):
    with pytest.raises(InputError, match="two passages have this id") as caught:
        open_or_build(tmp_path, [*topics(), topics()[1], topics()[3]], None)
    assert [problem.where for problem in caught.value.problems] == ["d1#0", "d3#0"]


def test_an_encoder_that_gives_no_numbers_is_refused(tmp_path):
    class Broken(WordEncoder):
        def encode(self, texts, *, role="text"):
            vectors = super().encode(texts)
            vectors[-1] = float("nan") if len(texts) > 1 else vectors[-1]
            return vectors

    with pytest.raises(ValueError, match="not finite"):
        open_or_build(tmp_path, topics(), Broken())


# --- when it is built anew


def test_another_embedding_model_rebuilds_and_says_so(tmp_path):
    open_or_build(tmp_path, topics(), WordEncoder("one"))
    index, refresh = open_or_build(tmp_path, topics(), WordEncoder("two", dimension=16))
    assert refresh.embedded == 6
    assert refresh.rebuilt_because is not None
    assert "embedding model one" in refresh.rebuilt_because.en
    assert "two" in refresh.rebuilt_because.zh
    assert found(index, "glaciers grind rock", 1) == ["d4#0"]
    assert len(list(tmp_path.glob("*.lance"))) == 1


def test_other_weights_under_the_same_name_are_noticed(tmp_path):
    open_or_build(tmp_path, topics(), WordEncoder("same"))
    _, refresh = open_or_build(tmp_path, topics(), WordEncoder("same", salt=99))
    assert refresh.rebuilt_because is not None
    assert "gives other vectors" in refresh.rebuilt_because.en


def test_an_index_of_another_format_is_rebuilt(tmp_path, monkeypatch):
    monkeypatch.setattr("tuneworth.retrieval.state.FORMAT", 0)
    encoder = WordEncoder()
    open_or_build(tmp_path, topics(), encoder)
    text = (tmp_path / STATE_FILE).read_text().replace('"format": 1', '"format": 0')
    (tmp_path / STATE_FILE).write_text(text)
    monkeypatch.undo()
    with pytest.raises(InputError, match="no finished index of this version"):
        open_index(tmp_path, encoder)
    _, refresh = open_or_build(tmp_path, topics(), encoder)
    assert refresh.rebuilt_because is not None
    assert "format 0" in refresh.rebuilt_because.en


@pytest.mark.parametrize("how", ["emptied", "cut", "zeroed", "gone"])
def test_damage_to_any_file_heals(tmp_path, how):
    encoder = WordEncoder()
    open_or_build(tmp_path / "whole", topics(), encoder)
    expected = answers(open_index(tmp_path / "whole", encoder))
    for at, victim in enumerate(sorted((tmp_path / "whole").rglob("*"))):
        if victim.is_dir() or victim.name == ".lock":
            continue
        folder = tmp_path / f"copy{at}"
        _copy(tmp_path / "whole", folder)
        _damage(folder / victim.relative_to(tmp_path / "whole"), how)
        index, refresh = open_or_build(folder, topics(), encoder)
        assert answers(index) == expected, victim
        if "/data/" in str(victim):
            assert refresh.rebuilt_because is not None
            assert "damaged" in refresh.rebuilt_because.en


def test_a_lost_state_file_costs_no_embedding(tmp_path):
    encoder = WordEncoder()
    open_or_build(tmp_path, topics(), encoder)
    (tmp_path / STATE_FILE).write_text("{half")
    with pytest.raises(InputError, match="no finished index"):
        open_index(tmp_path, encoder)
    _, refresh = open_or_build(tmp_path, topics(), encoder)
    assert (refresh.unchanged, refresh.embedded, refresh.rebuilt_because) == (6, 0, None)


def _copy(source, target):
    import shutil

    shutil.copytree(source, target)


def _damage(path, how):
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes({"emptied": b"", "cut": content[: len(content) // 2], "zeroed": bytes(len(content))}[how])


# --- opening without documents


def test_a_finished_index_opens_without_its_documents(tmp_path):
    encoder = WordEncoder()
    built, _ = open_or_build(tmp_path, topics(), encoder)
    assert answers(open_index(tmp_path, encoder)) == answers(built)
    assert open_index(tmp_path, None).modes == ("text",)


def test_the_wrong_encoder_is_refused(tmp_path):
    open_or_build(tmp_path, topics(), WordEncoder("one"))
    with pytest.raises(InputError, match="was made with the embedding model one"):
        open_index(tmp_path, WordEncoder("two", salt=3))
    with pytest.raises(InputError, match="no finished index"):
        open_index(tmp_path / "nowhere", None)


def test_an_open_index_is_not_changed_by_a_refresh(tmp_path):
    encoder = WordEncoder()
    before, _ = open_or_build(tmp_path, topics(), encoder)
    expected = answers(before)
    open_or_build(tmp_path, topics()[3:], encoder)
    assert answers(before) == expected
    assert answers(open_index(tmp_path, encoder)) != expected


def test_what_a_reader_has_open_outlives_the_refresh_that_replaces_it_however_old_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(refresh_module, "_KEPT_FOR", timedelta(milliseconds=1))
    encoder, before = WordEncoder(), None
    for passages in (topics(), topics()[1:], topics()[2:]):
        index = open_or_build(tmp_path, passages, encoder).index
        if before is not None:
            assert answers(before[0]) == before[1]
        before = index, answers(index)


def test_files_that_vanish_under_an_open_index_are_an_error_with_a_next_step(tmp_path):
    index, _ = open_or_build(tmp_path, topics(), WordEncoder())
    for path in tmp_path.rglob("*.lance"):
        if path.is_file():
            path.unlink()
    with pytest.raises(EnvironmentProblem, match="tuneworth index TASK"):
        index.search(["oboe"], 2)


def test_a_missing_library_names_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lancedb", None)
    with pytest.raises(EnvironmentProblem, match=r'pip install "tuneworth\[documents\]"'):
        open_or_build(tmp_path, topics(), None)


def test_a_file_where_the_folder_should_be_is_named(tmp_path):
    (tmp_path / "index").write_text("")
    with pytest.raises(EnvironmentProblem, match="must be a folder"):
        open_or_build(tmp_path / "index", topics(), None)


def test_another_writer_is_waited_for_and_then_named(tmp_path):
    from filelock import FileLock

    with FileLock(tmp_path / ".lock"), pytest.raises(EnvironmentProblem, match="another process has been writing"):
        open_or_build(tmp_path, topics(), None, wait_seconds=0.2)


# --- what is found


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    return open_or_build(tmp_path_factory.mktemp("en"), topics(), WordEncoder()).index


@pytest.fixture(scope="module")
def chinese(tmp_path_factory):
    passages = [passage(f"d{at}#0", text) for at, text in enumerate(ZH)]
    return open_or_build(tmp_path_factory.mktemp("zh"), passages, None, "zh").index


def test_words_are_found_in_any_form_and_accent(english):
    assert found(english, "turquoise lake", 1, mode="text") == ["d4#0"]
    assert found(english, "KNEADING loaf", 1, mode="text") == ["d2#0"]
    assert found(english, "1,204", 1, mode="text") == ["d5#0"]


def test_scores_say_how_a_passage_was_found(english):
    by_text, by_vector, both = (
        english.search([TOPICS[2][:50]], 2, mode=mode)[0] for mode in ("text", "vector", "hybrid")
    )
    assert both[0].score == pytest.approx(2 / 61)
    assert by_vector[0].score == pytest.approx(float(_cosine(TOPICS[2][:50], TOPICS[2])), abs=1e-5)
    assert by_text[0].score > 0


def _cosine(one, other):
    first, second = WordEncoder().encode([one, other])
    return first @ second


@pytest.mark.parametrize("mode", ["text", "vector", "hybrid"])
@pytest.mark.parametrize("query", [*ODD_QUERIES, "oboe " * 2_000, "x" * 10_000, "(((" * 3_000])
def test_no_query_is_an_exception(english, query, mode):
    hits = english.search([query, "oboe"], 3, mode=mode)
    assert len(hits[0]) <= 3
    assert hits[1][0].passage.id == "d3#0"


@pytest.mark.parametrize("mode", ["text", "vector", "hybrid"])
def test_a_blank_query_finds_nothing(english, mode):
    assert english.search(["", " \n\t　"], 3, mode=mode) == [[], []]
    assert english.search([], 3, mode=mode) == []


def test_a_word_in_quotes_or_among_operators_is_still_found(english):
    for query in ('"oboe"', "NOT oboe", "(oboe)", "oboe:", "+oboe -x", "oboe?"):
        assert found(english, query, 1, mode="text") == ["d3#0"]


def test_only_stop_words_find_by_the_stop_words(english):
    assert set(found(english, "from the", 6, mode="text")) >= {"d1#0", "d3#0"}


def test_chinese_is_found_without_a_dictionary(chinese):
    assert found(chinese, "萨克森花园在哪里？", 1) == ["d0#0"]
    assert found(chinese, "保修期是多久", 1) == ["d1#0"]
    assert found(chinese, "猫", 1) == ["d2#0"]
    assert found(chinese, "ｉＰｈｏｎｅ怎么拍照", 1) == ["d3#0"]
    assert found(chinese, "保" * 10_000, 1) == ["d1#0"]


def test_mixed_text_is_found_in_both_languages(tmp_path):
    passages = [*topics(), *(passage(f"z{at}#0", text) for at, text in enumerate(ZH))]
    index, _ = open_or_build(tmp_path, passages, None, "en")
    assert index.state.cutting == "segmented"
    assert found(index, "萨克森花园", 1) == ["z0#0"]
    assert found(index, "copper current", 1) == ["d1#0"]


def test_an_update_that_brings_another_script_changes_how_text_is_cut(tmp_path):
    index, _ = open_or_build(tmp_path, topics(), WordEncoder())
    assert index.state.cutting == "english"
    index, refresh = open_or_build(tmp_path, [*topics(), passage("z#0", ZH[0])], WordEncoder())
    assert (index.state.cutting, refresh.embedded) == ("segmented", 1)
    assert found(index, "夏季剧院", 1, mode="text") == ["z#0"]


def test_text_search_without_vectors_refuses_the_other_modes(chinese):
    for mode in ("vector", "hybrid"):
        with pytest.raises(InputError, match="has no vectors"):
            chinese.search(["猫"], 1, mode=mode)


def test_k_must_be_positive(english):
    with pytest.raises(ValueError, match="at least 1"):
        english.search(["oboe"], 0)


def test_more_than_there_is_gives_all(english):
    assert len(english.search(["oboe"], 500, mode="vector")[0]) == 6
    assert len(english.search(["oboe"], 500, mode="hybrid")[0]) == 6


@pytest.mark.parametrize("mode", ["text", "vector", "hybrid"])
def test_ties_go_by_id_also_at_the_cut(tmp_path, mode):
    twins = [passage(f"t{at:03}#0", "The same words in each.") for at in range(150)]
    index, _ = open_or_build(tmp_path / "a", twins[::-1], WordEncoder())
    expected = [item.id for item in twins]
    assert found(index, "same words", 7, mode=mode) == expected[:7]
    assert found(index, "same words", 120, mode=mode) == expected[:120]


def test_a_batch_answers_like_one_at_a_time(tmp_path):
    index, _ = open_or_build(tmp_path, many(90), WordEncoder())
    queries = [f"{TOPICS[at % 6][:30]} m{at}x" for at in range(80)] + [""]
    for mode in index.modes:
        together = index.search(queries, 4, mode=mode)
        assert together == [index.search([query], 4, mode=mode)[0] for query in queries]


# --- filters


@pytest.fixture(scope="module")
def dated(tmp_path_factory):
    passages = [
        passage(
            f"d{at}#0",
            "The same words in each.",
            doc_set="old" if at < 4 else "new",
            changed=date(2024, 1, at) if at else None,
            owner="O'Neil" if at % 2 else "x' OR 'a'='a",
            lang="en",
        )
        for at in range(8)
    ]
    return open_or_build(tmp_path_factory.mktemp("dated"), passages, WordEncoder()).index


@pytest.mark.parametrize("mode", ["text", "vector", "hybrid"])
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Where(), range(8)),
        (Where(doc_sets=("new",)), range(4, 8)),
        (Where(doc_sets=("new", "old")), range(8)),
        (Where(document_ids=("d2", "d5")), (2, 5)),
        (Where(changed_from=date(2024, 1, 3)), range(3, 8)),
        (Where(changed_until=date(2024, 1, 3)), range(1, 4)),
        (Where(changed_from=date(2024, 1, 3), changed_until=date(2024, 1, 5)), (3, 4, 5)),
        (Where(metadata={"owner": "O'Neil"}), (1, 3, 5, 7)),
        (Where(metadata={"owner": "x' OR 'a'='a"}), (0, 2, 4, 6)),
        (Where(metadata={"owner": "O'Neil", "lang": "en"}, doc_sets=("old",)), (1, 3)),
        (Where(metadata={"owner": "nobody"}), ()),
        (Where(metadata={"lang\x1fen": "en"}), ()),
        (Where(doc_sets=("\ud800",)), ()),
    ],
)
def test_a_filter_comes_before_the_search(dated, where, expected, mode):
    assert found(dated, "same words", 8, mode=mode, where=where) == [f"d{at}#0" for at in expected]


def test_nothing_is_printed(tmp_path, capfd):
    index, _ = open_or_build(tmp_path, many(20), WordEncoder())
    index.search(["oboe", "the"], 5)
    open_or_build(tmp_path, many(10), WordEncoder())
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(EnvironmentProblem, match="may not be read or written"):
        open_or_build(tmp_path / "index", topics(), None)
