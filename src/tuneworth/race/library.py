"""The documents of a task: loaded, cut for its models, indexed in the run's folder."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from tuneworth.audit._personal.sent import MaskedEncoder, Masker, known_values
from tuneworth.core.documents import Passage
from tuneworth.core.knowledge import IndexFacts
from tuneworth.core.offline import keeps_private
from tuneworth.core.task import Collection, Example, Language
from tuneworth.core.text import Text
from tuneworth.costs.prices import Rates
from tuneworth.data.documents.cutting import cut
from tuneworth.data.documents.load import LoadedDocuments, load_documents, texts_of
from tuneworth.data.load import load
from tuneworth.data.sections import Documents
from tuneworth.data.taskfile import TaskFile
from tuneworth.errors import InputError, Problem
from tuneworth.metrics._parts.words import same_words
from tuneworth.models import catalog
from tuneworth.models.api.services import Endpoint, Stated, endpoint_of
from tuneworth.models.base import Encoder, Meter, Model
from tuneworth.models.encoders import encoder_for
from tuneworth.race.arms import open_models
from tuneworth.race.encoding import SharedEncoder, choose_encoder
from tuneworth.race.folder import RunFolder
from tuneworth.race.privacy import leaving, treatment_of
from tuneworth.race.store import Store
from tuneworth.race.watch import Watcher
from tuneworth.retrieval.fulltext import searched_text
from tuneworth.retrieval.gold import names_of
from tuneworth.retrieval.hits import Refresh
from tuneworth.retrieval.library import Library
from tuneworth.retrieval.rerank import open_reranker
from tuneworth.words.names import listed
from tuneworth.words.say import say

INDEX = "index"
"""Name of the indexes' folder inside that of the run."""
_COUNTED = 64
"""Passages whose tokens are counted to know their mean."""
_LISTED = 3


@dataclass
class Shelf:
    """The documents as loaded, and how the task wants them cut and searched.

    Attributes:
        count_tokens: of the first candidate model.
        own_encoder: the embedded encoder for these documents and their questions; ``None`` where there is none.
        masker: masks what an embedding model elsewhere is sent.
        meter: what calls of a service's encoder go through.
        stated, services: prices, and what the task file says of services.
    """

    section: Documents
    loaded: LoadedDocuments
    language: Language
    count_tokens: Callable[[str], int]
    own_encoder: str | None
    masker: Masker | None = None
    meter: Meter | None = None
    stated: Mapping[str, Rates] = field(default_factory=dict[str, Rates])
    services: Stated | None = None
    _cut: dict[int, list[Passage]] = field(default_factory=dict[int, list[Passage]])

    @property
    def encoder(self) -> str | None:
        """Name of the embedding model; ``None``: search goes by words."""
        return self.section.encoder or self.own_encoder

    @property
    def endpoint(self) -> Endpoint | None:
        """Of the embedding model, where a service has it."""
        name = self.encoder
        if name is None or catalog.name_kind(name, self.services) != "api":
            return None
        return endpoint_of(name, self.services)

    @property
    def is_elsewhere(self) -> bool:
        """Whether what is embedded leaves this machine."""
        return self.endpoint is not None and not self.endpoint.is_here

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
        return self.section.no_answer or say("run.documents.no_answer").to("zh" if self.language == "zh" else "en")

    def collection(self, train: Sequence[Example]) -> Collection:
        """What the task says of its documents."""
        passages = self.passages
        step = max(1, len(passages) // _COUNTED)
        counted = [self.count_tokens(searched_text(passage)) for passage in passages[::step]]
        section = self.section.model_dump(mode="json", exclude={"source"})
        content = [section, self.no_answer, [[passage.id, passage.digest] for passage in passages]]
        return Collection(
            n_documents=len(self.loaded.documents),
            n_passages=len(passages),
            digest=hashlib.sha256(json.dumps(content).encode()).hexdigest(),
            passage_tokens=self.section.passage_tokens,
            mean_tokens=sum(counted) / len(counted) if counted else 0.0,
            encoder=self.encoder,
            encoder_elsewhere=self.is_elsewhere,
            encoder_service=None if self.endpoint is None else self.endpoint.stated,
            masked=self.masker is not None,
            reranker=self.section.reranker,
            no_answer=self.no_answer,
            unanswerable=any(same_words(row.output, self.no_answer) for row in train),
            min_similarity=self.section.min_similarity,
        )

    def library(self, run_folder: Path, encoder: Callable[[], Encoder], watcher: Watcher) -> Library:
        """The library in the run's folder. Its indexes are made when they are first asked for.

        Args:
            encoder: opens the own encoder, shared with the arms that use it.
        """
        named = self.encoder if self.encoder != self.own_encoder else None
        opened = partial(self._open, named, watcher) if named else encoder
        return Library(
            folder=run_folder / INDEX,
            language=self.language,
            passage_tokens=self.section.passage_tokens,
            encoder=None if self.encoder is None else cache(opened),
            cut=self.cut,
            reranker=partial(open_reranker, self.section.reranker) if self.section.reranker else None,
            same_as=self.loaded.same_as,
            no_answer=self.no_answer,
            progress=watcher.progress,
        )

    def _open(self, name: str, watcher: Watcher) -> Encoder:
        opened = catalog.open_encoder(
            name, progress=watcher.progress, stated=self.stated, meter=self.meter, services=self.services
        )
        return MaskedEncoder(opened, self.masker) if self.masker is not None and self.is_elsewhere else opened

    def problems(self) -> list[Text]:
        """What could not be read, one sentence each."""
        return [Text(en=problem.to("en"), zh=problem.to("zh")) for problem in self.loaded.problems]

    def warnings(self, rows: Sequence[Example]) -> list[Text]:
        """What a user should know before the run: files left out, and rows that name documents which are not there."""
        found: list[Text] = []
        if unread := self.problems():
            shown = listed(unread[:_LISTED])
            more = say("run.documents.and_more") if len(unread) > _LISTED else ""
            found.append(say("run.documents.unread", n=len(unread), shown=shown, more=more))
        known = names_of(self.passages, self.loaded.same_as)
        unknown = {row.id: missing for row in rows if (missing := [name for name in row.gold if name not in known])}
        if unknown:
            row_id, [name, *_] = next(iter(unknown.items()))
            found.append(say("run.documents.unknown_gold", n=len(unknown), name=repr(name), row_id=row_id))
        if self.section.min_similarity is not None and self.encoder is None:
            found.append(say("run.documents.no_similarity", least=f"{self.section.min_similarity:g}"))
        if self.is_elsewhere:
            found.append(say("run.documents.sent_away", encoder=str(self.encoder)))
        return found


def open_shelf(
    section: Documents,
    language: Language,
    models: Sequence[Model],
    questions: Sequence[str] = (),
    stated: Mapping[str, Rates] | None = None,
    services: Stated | None = None,
) -> Shelf:
    """Read the documents of a task.

    Args:
        questions: of the rows; with the documents they decide which encoder reads both.
        stated, services: prices that the user states, and what the task file says of services.

    Raises:
        InputError: no document can be read.
        EnvironmentProblem: a library that a file needs is missing.
    """
    count = models[0].count_tokens if models else about_tokens
    loaded = load_documents(section.sources)
    encoder = choose_encoder(language, [*questions, *texts_of(loaded.documents)])
    return Shelf(section, loaded, language, count, encoder, stated=stated or {}, services=services)


def about_tokens(text: str) -> int:
    """A guess where no model is asked: four characters of Latin script make a token, one Chinese character does."""
    wide = sum(character > "\u2e7f" for character in text)
    return wide + (len(text) - wide + 3) // 4


# -- the index of a run ------------------------------------------------------------------------------------


def make_index(
    library: Library, digest: str, store: Store, watcher: Watcher, is_new: Callable[[Passage], bool] | None = None
) -> IndexFacts:
    """The index of a run, made or brought up to date, and what it took when it was made first.

    Args:
        digest: of the documents; facts about other documents are not taken for these.
    """
    name = f"index {digest[:16]}"
    kept = store.fact(name)
    watcher.start(say("run.documents.index"))
    if kept is not None:
        facts = IndexFacts.model_validate_json(kept).model_copy(update={"version": library.index().version})
    else:
        facts = build_index(library, is_new)
        store.add_fact(name, facts.model_dump_json())
    rebuilt = library.refreshes[library.passage_tokens].rebuilt_because
    if rebuilt is not None:
        watcher.say(rebuilt)
    watcher.finish(say("run.documents.n_passages", n=facts.n_passages))
    return facts


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


# -- the indexes alone, without a run ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Indexed:
    """An index after the refresh: of passages of one size.

    Attributes:
        encoder: id of the embedding model; ``None`` for an index that is searched by words only.
    """

    passage_tokens: int
    n_passages: int
    encoder: str | None
    refresh: Refresh


@dataclass(frozen=True)
class IndexedDocuments:
    """All indexes of a run's folder, and what happened to the documents on the way.

    Attributes:
        folder: that of the indexes.
        problems: files that could not be read, or only in part.
        notes: what was done without being asked, such as a duplicate left out.
    """

    folder: Path
    n_documents: int
    indexes: list[Indexed]
    problems: list[Problem]
    notes: list[Problem]


@keeps_private
def index_documents(task_file: TaskFile, folder: RunFolder, watcher: Watcher) -> IndexedDocuments:
    """Make the indexes in the run's folder hold the documents as they are now, cut as a run of the task would cut them.

    These are the index of the task's size of passages, and those of other sizes that arms of a run have left there: an
    arm whose index is left behind would answer from old documents.

    Raises:
        InputError: the task names no documents, or none can be read; or the folder belongs to somebody else; or documents with
            personal data would be sent to be embedded, and nobody has agreed.
        EnvironmentProblem: the index cannot be written, or a model or library is missing.
    """
    if task_file.documents is None:
        raise InputError(Problem(task_file.name or task_file.train, say("run.documents.none_named")))
    rows = load(task_file)
    models = open_models(task_file, watcher)
    watcher.start(say("run.documents.reading"))
    questions = [row.query.text for row in rows.examples]
    shelf = open_shelf(task_file.documents, rows.task.language, models, questions, services=task_file.stated_services)
    loaded = shelf.loaded
    watcher.finish(say("run.documents.n_documents", n=len(loaded.documents)))
    sent = leaving([], shelf, rows.task, None, watcher)
    if (
        sent is not None
        and treatment_of(sent, task_file.personal_data, None, task_file.name or task_file.train) == "mask"
    ):
        shelf.masker = Masker(known_values(sent.texts))
    folder.create()
    own = shelf.own_encoder or encoder_for(rows.task.language)
    encoder = SharedEncoder(lambda: catalog.open_encoder(own, progress=watcher.progress), ())
    library = shelf.library(folder.path, encoder, watcher)
    names = [path.name for path in (folder.path / INDEX).glob("*") if path.is_dir()]
    others = {int(name) for name in names if name.isascii() and name.isdigit()} - {library.passage_tokens}
    indexes: list[Indexed] = []
    for size in (library.passage_tokens, *sorted(others, reverse=True)):
        watcher.start(say("run.documents.index_of", size=str(size)))
        index, refresh = library.index(size), library.refreshes[size]
        if refresh.rebuilt_because is not None:
            watcher.say(refresh.rebuilt_because)
        watcher.finish(say("run.documents.n_passages", n=len(index)))
        indexes.append(Indexed(size, len(index), index.state.encoder, refresh))
    return IndexedDocuments(library.folder, len(loaded.documents), indexes, loaded.problems, loaded.notes)
