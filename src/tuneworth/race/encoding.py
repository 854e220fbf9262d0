"""One sentence encoder for a whole run, with the vectors of the training rows kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.task import Language
from tuneworth.data.language import has_other_scripts
from tuneworth.models import catalog
from tuneworth.models.base import Encoder, TextRole


def choose_encoder(language: Language, texts: Sequence[str]) -> str | None:
    """Name of the embedded sentence encoder for ``texts``, most of them in ``language``; ``None`` where there is no engine."""
    return catalog.encoder_at_hand(language, mixed=language == "en" and has_other_scripts(texts))


class SharedEncoder:
    """Opens the encoder on first use and embeds each training text once.

    Only training texts are kept: a row to be answered is embedded every time, as it would be in
    production, so measured latencies are real. ``seconds_saved`` is the time that kept vectors would
    have cost, less what opening the encoder took (it may have to be fetched): the runner adds it to
    what fitting an arm costs.
    """

    def __init__(self, open_encoder: Callable[[], Encoder], train_texts: Sequence[str]):
        self._open = open_encoder
        self._encoder: Encoder | None = None
        self._keep = frozenset(train_texts)
        self._kept: dict[str, NDArray[np.float32]] = {}
        self._seconds_per_text = 0.0
        self.seconds_saved = 0.0

    def __call__(self) -> SharedEncoder:
        if self._encoder is None:
            started = time.perf_counter()
            self._encoder = self._open()
            self.seconds_saved -= time.perf_counter() - started
        return self

    @contextmanager
    def forgetful(self) -> Iterator[None]:
        """No vector is kept meanwhile: the time for a row is then what it will be, also for one of the training rows."""
        kept, self._keep = self._keep, frozenset[str]()
        try:
            yield
        finally:
            self._keep = kept

    @property
    def opened(self) -> bool:
        return self._encoder is not None

    @property
    def id(self) -> str:
        return self._real().id

    def describe(self) -> dict[str, Any]:
        return self._real().describe()

    def encode(self, texts: Sequence[str], *, role: TextRole = "text") -> NDArray[np.float32]:
        """Unit vectors, shape ``(len(texts), dimension)``."""
        if role != "text":  # for the index of documents, which keeps its own
            return self._real().encode(texts, role=role)
        if not texts or any(text not in self._keep for text in texts):
            return self._real().encode(texts)
        new = list(dict.fromkeys(text for text in texts if text not in self._kept))
        if new:
            started = time.perf_counter()
            self._kept.update(zip(new, self._real().encode(new), strict=True))
            self._seconds_per_text = (time.perf_counter() - started) / len(new)
        self.seconds_saved += self._seconds_per_text * (len(texts) - len(new))
        return np.stack([self._kept[text] for text in texts])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The same vectors where nobody measures the time: those that are kept are not computed again."""
        kept = [place for place, text in enumerate(texts) if text in self._keep]
        others = [place for place, text in enumerate(texts) if text not in self._keep]
        vectors = np.concatenate([self.encode([texts[place] for place in places]) for places in (kept, others)])
        return vectors[np.argsort(kept + others)]

    def _real(self) -> Encoder:
        self()
        assert self._encoder is not None
        return self._encoder
