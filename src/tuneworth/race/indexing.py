"""The indexes of a task's documents, made or brought up to date without a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuneworth.core.text import Text
from tuneworth.data.load import load
from tuneworth.data.sections import Documents
from tuneworth.data.taskfile import TaskFile
from tuneworth.errors import InputError, Problem
from tuneworth.models import catalog
from tuneworth.models.local.sources import MINILM
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.folder import RunFolder
from tuneworth.race.library import INDEX, Shelf, open_shelf
from tuneworth.race.prepare import models
from tuneworth.race.watch import Watcher
from tuneworth.retrieval.hits import Refresh


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


def index_documents(task_file: TaskFile, folder: RunFolder, watcher: Watcher) -> IndexedDocuments:
    """Make the indexes in the run's folder hold the documents as they are now.

    These are the index of the task's size of passages, and those of other sizes that arms of a run have left there.

    Raises:
        InputError: the task names no documents, or none can be read; or the folder belongs to somebody else.
        EnvironmentProblem: the index cannot be written, or a model or library is missing.
    """
    if task_file.documents is None:
        raise InputError(_no_documents(task_file))
    shelf = _shelf(task_file, task_file.documents, watcher)
    folder.create()
    encoder = SharedEncoder(lambda: catalog.open_encoder(MINILM.name, progress=watcher.progress), ())
    library = shelf.library(folder.path, encoder, watcher)
    indexes: list[Indexed] = []
    for size in _sizes(folder, library.passage_tokens):
        watcher.start(_title(size))
        index, refresh = library.index(size), library.refreshes[size]
        if refresh.rebuilt_because is not None:
            watcher.say(refresh.rebuilt_because)
        watcher.finish(Text(en=f"{len(index):,} passages", zh=f"{len(index):,} 个段落"))
        indexes.append(Indexed(size, len(index), index.state.encoder, refresh))
    loaded = shelf.loaded
    return IndexedDocuments(library.folder, len(loaded.documents), indexes, loaded.problems, loaded.notes)


def _shelf(task_file: TaskFile, documents: Documents, watcher: Watcher) -> Shelf:
    """The documents, cut as a run of the same task would cut them: by its language and its first model's tokens."""
    loaded = load(task_file)
    opened = models(task_file, watcher)
    watcher.start(Text(en="reading the documents", zh="读取文档"))
    shelf = open_shelf(documents, loaded.task.language, opened)
    n = len(shelf.loaded.documents)
    watcher.finish(Text(en=f"{n:,} documents", zh=f"{n:,} 篇文档"))
    return shelf


def _sizes(folder: RunFolder, usual: int) -> list[int]:
    """The usual size first, then those of other arms: an arm whose index is left behind would answer from old documents."""
    place = folder.path / INDEX
    others = {
        int(path.name) for path in place.glob("*") if path.is_dir() and path.name.isascii() and path.name.isdigit()
    }
    return [usual, *sorted(others - {usual}, reverse=True)]


def _title(size: int) -> Text:
    return Text(en=f"index, passages of up to {size} tokens", zh=f"建立索引，段落不超过 {size} 个词元")


def _no_documents(task_file: TaskFile) -> Problem:
    message = Text(
        en="names no documents; give them with --documents, or as `documents` in the task file",
        zh="没有指定文档；请用 --documents 指定，或在任务文件中写上 `documents`",
    )
    return Problem(task_file.name or task_file.train, message)
