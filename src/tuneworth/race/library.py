"""The documents of a task: loaded, cut for its models, indexed in the run's folder."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tuneworth.core.documents import Passage
from tuneworth.core.knowledge import IndexFacts
from tuneworth.core.task import Collection, Example, Language, Task
from tuneworth.core.text import Text
from tuneworth.data.documents import LoadedDocuments, cut, load_documents, texts_of
from tuneworth.data.sections import Documents
from tuneworth.metrics._parts.words import same_words
from tuneworth.models import catalog
from tuneworth.models.base import Encoder, Model
from tuneworth.models.local.sources import MINILM
from tuneworth.race.store import Store
from tuneworth.race.watch import Watcher
from tuneworth.retrieval.fulltext import searched_text
from tuneworth.retrieval.gold import names_of
from tuneworth.retrieval.library import Library
from tuneworth.retrieval.rerank import open_reranker

INDEX = "index"
"""Name of the indexes' folder inside that of the run."""
NO_ANSWER = Text(en="not in the documents", zh="文档中没有")
_COUNTED = 64
"""Passages whose tokens are counted to know their mean."""
_LISTED = 3


@dataclass
class Shelf:
    """The documents as loaded, and how the task wants them cut and searched.

    Attributes:
        count_tokens: of the first candidate model.
        encoder: name of the embedding model; ``None``: the embedded one knows English only, so search goes by words.
    """

    section: Documents
    loaded: LoadedDocuments
    language: Language
    count_tokens: Callable[[str], int]
    encoder: str | None
    _cut: dict[int, list[Passage]] = field(default_factory=dict[int, list[Passage]])

    def cut(self, passage_tokens: int) -> list[Passage]:
        """All passages, of at most so many tokens."""
        if passage_tokens not in self._cut:
            self._cut[passage_tokens] = [
                passage
                for document in self.loaded.documents
                for passage in cut(document, count_tokens=self.count_tokens, max_tokens=passage_tokens)
            ]
        return self._cut[passage_tokens]

    @property
    def passages(self) -> list[Passage]:
        return self.cut(self.section.passage_tokens)

    @property
    def texts(self) -> tuple[str, ...]:
        """Of every document, headings where they stand."""
        return texts_of(self.loaded.documents)

    @property
    def no_answer(self) -> str:
        return self.section.no_answer or NO_ANSWER.to("zh" if self.language == "zh" else "en")

    def collection(self, train: Sequence[Example]) -> Collection:
        """What the task says of its documents."""
        passages = self.passages
        step = max(1, len(passages) // _COUNTED)
        counted = [self.count_tokens(searched_text(passage)) for passage in passages[::step]]
        return Collection(
            n_documents=len(self.loaded.documents),
            n_passages=len(passages),
            digest=self._digest(),
            passage_tokens=self.section.passage_tokens,
            mean_tokens=sum(counted) / len(counted) if counted else 0.0,
            encoder=self.encoder,
            encoder_elsewhere=self.encoder is not None and catalog.is_elsewhere(self.encoder),
            reranker=self.section.reranker,
            no_answer=self.no_answer,
            unanswerable=any(same_words(row.output, self.no_answer) for row in train),
            min_similarity=self.section.min_similarity,
        )

    def _digest(self) -> str:
        section = self.section.model_dump(mode="json", exclude={"source"})
        content = [section, self.no_answer, [[passage.id, passage.digest] for passage in self.passages]]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def library(self, run_folder: Path, encoder: Callable[[], Encoder], watcher: Watcher) -> Library:
        """The library in the run's folder. Its indexes are made when they are first asked for.

        Args:
            encoder: opens the embedded encoder, shared with the arms that use it.
        """
        named = self.encoder if self.encoder != MINILM.name else None
        opened = partial(catalog.open_encoder, named, progress=watcher.progress) if named else encoder
        return Library(
            folder=run_folder / INDEX,
            language=self.language,
            passage_tokens=self.section.passage_tokens,
            encoder=None if self.encoder is None else _once(opened),
            cut=self.cut,
            reranker=partial(open_reranker, self.section.reranker) if self.section.reranker else None,
            same_as=self.loaded.same_as,
            no_answer=self.no_answer,
            progress=watcher.progress,
        )

    def problems(self) -> list[Text]:
        """What could not be read, one sentence each."""
        return [Text(en=problem.to("en"), zh=problem.to("zh")) for problem in self.loaded.problems]

    def warnings(self, rows: Sequence[Example]) -> list[Text]:
        """What a user should know before the run: files left out, and rows that name documents which are not there."""
        return [*self._unread(), *self._unknown_gold(rows), *self._no_similarity(), *self._sent_away()]

    def _sent_away(self) -> list[Text]:
        if self.encoder is None or not catalog.is_elsewhere(self.encoder):
            return []
        return [
            Text(
                en=f"passages and questions are sent to {self.encoder} to be embedded; what that costs is not known here, so the "
                "prices of the arms that search with it stay unknown, and no budget counts it",
                zh=f"段落和问题会发送给 {self.encoder} 计算向量；费用无从得知，因此用它检索的方案价格未知，预算也不计这部分",
            )
        ]

    def _no_similarity(self) -> list[Text]:
        least = self.section.min_similarity
        if least is None or self.encoder is not None:
            return []
        return [
            Text(
                en=f"min_similarity {least:g} has no effect: the built-in embedding model knows English only, so this task is "
                "searched by words; name an embedding model in documents.encoder",
                zh=f"min_similarity {least:g} 不起作用：内置的嵌入模型只懂英文，本任务只按词检索；请在 documents.encoder 中指定嵌入模型",
            )
        ]

    def _unread(self) -> list[Text]:
        found = self.problems()
        if not found:
            return []
        more_en, more_zh = ("", "") if len(found) <= _LISTED else (", …", "……")
        shown = found[:_LISTED]
        return [
            Text(
                en=f"{len(found)} of the documents' files could not be read, or only in part: "
                + "; ".join(text.en for text in shown)
                + more_en,
                zh=f"有 {len(found)} 个文档文件无法读取或只读出一部分："
                + "；".join(text.zh for text in shown)
                + more_zh,
            )
        ]

    def _unknown_gold(self, rows: Sequence[Example]) -> list[Text]:
        known = names_of(self.passages, self.loaded.same_as)
        unknown = {row.id: missing for row in rows if (missing := [name for name in row.gold if name not in known])}
        if not unknown:
            return []
        row_id, [name, *_] = next(iter(unknown.items()))
        return [
            Text(
                en=f"{len(unknown)} rows name documents that are not there; the first is {name!r} in row {row_id}. "
                "Their gold passages count as unknown",
                zh=f"有 {len(unknown)} 条数据指向不存在的文档，例如数据 {row_id} 中的 {name!r}；这些数据的标准段落按未知处理",
            )
        ]


def open_shelf(section: Documents, language: Language, models: Sequence[Model]) -> Shelf:
    """Read the documents of a task.

    Raises:
        InputError: no document can be read.
        EnvironmentProblem: a library that a file needs is missing.
    """
    encoder = section.encoder or (MINILM.name if language == "en" else None)
    count = models[0].count_tokens if models else _about_tokens
    return Shelf(section, load_documents(section.sources), language, count, encoder)


def with_documents(task: Task, shelf: Shelf, train: Sequence[Example]) -> Task:
    """``task``, saying what its documents are."""
    return task.model_copy(update={"documents": shelf.collection(train)})


def build_index(library: Library, is_new: Callable[[Passage], bool] | None = None) -> IndexFacts:
    """Make the index of the usual passages.

    Where some passages are ``is_new``, they are added to an index that holds the others, as an update would: the time
    that takes is what retrieval pays for new knowledge (seed row C6).
    """
    started = time.perf_counter()
    passages = list(library.passages().values())
    old = [passage for passage in passages if is_new is not None and not is_new(passage)]
    updates = 0 < len(old) < len(passages)
    unchanged = 0
    if updates:
        library.index_of(old)
        unchanged = library.refreshes[library.passage_tokens].unchanged
    between = time.perf_counter()
    index = library.index()
    ended = time.perf_counter()
    if not updates:
        unchanged = library.refreshes[library.passage_tokens].unchanged
    return IndexFacts(
        n_documents=len({passage.document_id for passage in passages}),
        n_passages=len(passages),
        passage_tokens=library.passage_tokens,
        encoder=library.encoder().id if library.encoder is not None else None,
        version=index.version,
        seconds=ended - started if unchanged == 0 else None,
        update_passages=len(passages) - len(old) if updates else None,
        update_seconds=ended - between if updates else None,
    )


def make_index(
    library: Library, digest: str, store: Store, watcher: Watcher, is_new: Callable[[Passage], bool] | None = None
) -> IndexFacts:
    """The index of a run, made or brought up to date, and what it took when it was made first.

    Args:
        digest: of the documents; facts about other documents are not taken for these.
    """
    name = f"index {digest[:16]}"
    kept = store.fact(name)
    watcher.start(Text(en="index of the documents", zh="建立文档索引"))
    if kept is not None:
        facts = IndexFacts.model_validate_json(kept).model_copy(update={"version": library.index().version})
    else:
        facts = build_index(library, is_new)
        store.add_fact(name, facts.model_dump_json())
    rebuilt = library.refreshes[library.passage_tokens].rebuilt_because
    if rebuilt is not None:
        watcher.say(rebuilt)
    watcher.finish(Text(en=f"{facts.n_passages:,} passages", zh=f"{facts.n_passages:,} 个段落"))
    return facts


def _about_tokens(text: str) -> int:
    """A guess where no model is asked: four characters of Latin script make a token, one Chinese character does."""
    wide = sum(character > "\u2e7f" for character in text)
    return wide + (len(text) - wide + 3) // 4


def _once(opened: Callable[[], Encoder]) -> Callable[[], Encoder]:
    """``opened``, called on first use only."""
    kept: list[Encoder] = []

    def encoder() -> Encoder:
        if not kept:
            kept.append(opened())
        return kept[0]

    return encoder
