"""Which rows ask for knowledge that is newer than the training rows, and how each arm does on them.

New is what no training row could show: a row about a set of documents that no training row is about, or about
knowledge that is dated later than that of every training row. Seed rows N2, A2 and C6: an arm that learned by heart
should lose here what one that looks things up does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tuneworth.core.documents import Passage
from tuneworth.core.knowledge import Absorbs, Age, AgeScore, UpdateCost
from tuneworth.core.outcome import Stage
from tuneworth.core.registry import load_plugin, plugin_modules
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.costs.spend import machine_usd
from tuneworth.findings.documents.seen import Seen
from tuneworth.race.arms import GROUP
from tuneworth.race.results import scores
from tuneworth.retrieval.library import Library
from tuneworth.words.names import joined
from tuneworth.words.numbers import plain
from tuneworth.words.say import say

DAYS_PER_YEAR = 365.25
_LISTED = 3


@dataclass(frozen=True)
class Ages:
    """How old and new are told apart, and what is which.

    Attributes:
        of: row id → age, of the rows for which it is known.
        is_new: whether a passage holds new knowledge; for making the index as before an update, then adding these.
    """

    of: Mapping[str, Age]
    is_new: Callable[[Passage], bool]
    how: Text

    @property
    def any_new(self) -> bool:
        """Some row asks for new knowledge."""
        return "new" in self.of.values()

    @property
    def words(self) -> Text:
        """How it was told, and how many rows of each age there are."""
        n = Counter(self.of.values())
        return say("findings.ages.counted", how=self.how, n_new=n["new"], n_old=n["old"])


def age_of(train: Sequence[Example], rows: Sequence[Example], library: Library) -> Ages | None:
    """The ages of ``rows`` (dev and test) and of the library's passages.

    Told by sets where most training rows have one and something is new by them, else by dates in the same way. A row
    has the set and the date it names itself, else those of the documents it names.

    Returns:
        ``None`` where nothing is new, or neither sets nor dates can tell.
    """
    passages = list(library.passages().values())
    told = [ages for ages in (_by_set(train, rows, library), _by_date(train, rows, library)) if ages is not None]
    with_new_rows = (ages for ages in told if ages.any_new)
    with_new_passages = (ages for ages in told if any(map(ages.is_new, passages)))
    return next(with_new_rows, None) or next(with_new_passages, None)


def ages(seen: Seen, told: Ages) -> list[AgeScore]:
    """The score of every measured arm on old, and on new knowledge; yardsticks as well, to compare with."""
    found = (_score(seen, told, arm, age) for arm in seen.measured() for age in ("old", "new"))
    return [score for score in found if score is not None]


def _score(seen: Seen, told: Ages, arm: ArmResult, age: Age) -> AgeScore | None:
    """On test rows; dev rows count where the test side has none of this age, or the arm did not meet it."""
    sides: tuple[Stage, Stage] = ("test", "dev")
    for stage in sides:
        rows = {row.id: row for row in seen.rows(stage) if told.of.get(row.id) == age}
        by_row = seen.outcomes(arm.arm_id, stage)
        outcomes = [by_row[row_id] for row_id in rows if row_id in by_row]
        found = scores(outcomes, rows, [seen.metric], seen.seed)
        if found:
            return AgeScore(arm_id=arm.arm_id, age=age, stages=[stage], score=found[seen.metric.id])
    return None


# -- telling ----------------------------------------------------------------------------------------------


def _by_set(train: Sequence[Example], rows: Sequence[Example], library: Library) -> Ages | None:
    known = [names for row in train if (names := _sets(row, library))]
    if not _most(known, train):
        return None
    old = frozenset[str]().union(*known)
    of: dict[str, Age] = {row.id: "old" if names <= old else "new" for row in rows if (names := _sets(row, library))}

    def is_new(passage: Passage) -> bool:
        return passage.doc_set is not None and passage.doc_set not in old

    sets = joined([plain(name) for name in sorted(old)[:_LISTED]], say("units.names.between"))
    more = say("findings.ages.and_more") if len(old) > _LISTED else ""
    return Ages(of, is_new, say("findings.ages.by_set", sets=sets, more=more))


def _sets(row: Example, library: Library) -> frozenset[str]:
    if row.doc_set is not None:
        return frozenset([row.doc_set])
    return frozenset(passage.doc_set for passage in library.named(row) if passage.doc_set is not None)


def _by_date(train: Sequence[Example], rows: Sequence[Example], library: Library) -> Ages | None:
    known = [day for row in train if (day := _date(row, library)) is not None]
    if not _most(known, train):
        return None
    newest = max(known)
    of: dict[str, Age] = {
        row.id: "new" if day > newest else "old" for row in rows if (day := _date(row, library)) is not None
    }

    def is_new(passage: Passage) -> bool:
        return passage.changed is not None and passage.changed > newest

    return Ages(of, is_new, say("findings.ages.by_date", newest=newest.isoformat()))


def _date(row: Example, library: Library) -> date | None:
    if row.changed is not None:
        return row.changed
    return max((passage.changed for passage in library.named(row) if passage.changed is not None), default=None)


def _most(known: Sequence[object], train: Sequence[Example]) -> bool:
    """Whether enough training rows say what they are about, to call what they do not name new."""
    return 2 * len(known) > len(train) and len(train) > 0


# -- the price of an update --------------------------------------------------------------------------------


def updates(seen: Seen) -> list[UpdateCost]:
    """What it takes each measured arm but the yardsticks to know of new documents (seed rows C6 and X5).

    - An arm that looks things up knows them once they are indexed, also when it was trained to read: what it learned is how
      to read, and that stays. Its seconds are those of adding the new passages to the index, of the task's usual size.
    - An arm that answers by heart and learns from all its rows has to be fitted again, on all of them. NOT included: the
      rows about the new documents, which somebody must write first; and that the new knowledge is learned is not certain.
      What that takes is not known of an arm whose fit was on some of the rows only, or was cut short by the time.
    - Nothing helps an arm that answers by heart and learns from no rows, or from a handful: a few examples show what an
      answer looks like, they do not hold the documents.
    """
    documents, every = seen.task.documents, seen.knowledge_every_days
    paid_elsewhere = documents is not None and documents.encoder_elsewhere
    found: list[UpdateCost] = []
    for arm in (arm for arm in seen.measured() if not arm.yardstick):
        seconds, absorbs = None, how_absorbed(arm)
        if absorbs == "index":
            seconds = seen.index.update_seconds
        elif absorbs == "retrain":
            in_part = arm.n_train is not None and arm.n_train < len(seen.split.train)
            cut = arm.fit_details.get("stopped") == "time"
            seconds = None if in_part or cut else arm.cost.fit_seconds or None
        unknown = absorbs == "index" and paid_elsewhere
        found.append(
            UpdateCost(
                arm_id=arm.arm_id,
                absorbs=absorbs,
                seconds=seconds,
                usd=None if unknown else machine_usd(seconds, seen.machine_usd_per_hour),
                runs_per_year=DAYS_PER_YEAR / every if every is not None and absorbs != "nothing" else None,
            )
        )
    return found


def how_absorbed(arm: ArmResult) -> Absorbs:
    """What ``arm`` must do to know of new documents. A strategy that is no longer installed is taken not to learn from all rows."""
    if arm.reads_documents:
        return "index"
    grows = arm.strategy in plugin_modules(GROUP) and load_plugin(GROUP, arm.strategy).grows
    return "retrain" if arm.tuned or grows else "nothing"
