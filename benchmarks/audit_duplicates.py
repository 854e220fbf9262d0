"""Repeated rows and leaks: are those found that there are, and is nothing else called one?

**Repeats.** In sms_spam the rows that repeat an earlier one are known by another road: equal once case and
punctuation are gone.

**Leaks.** Into 5 % of the test rows of three sets a training row is put, changed in one way; each way has its own
copy of both files, four times over, and the test rows are otherwise the original ones. A training row is taken for a change only
if it can be changed that way: it has a number to change, capitals to lower. Names: sentences with a made name are
added to the training row and, with another name, to the test row, since hardly any row of these sets has one; in
e2e_nlg the `name[…]` slot gets another made name wherever it stands. A leak counts as found if the test row is
reported at all, and as told apart if under its own kind.

**False alarms** are the original test rows that are reported as certain leaks (`leaks.repeats`) although no training
row is equal to them once case, punctuation, numbers and the order of words are gone, judged here by other code than
the audit's. What is equal in that sense is a leak of the original files and is counted apart. Every false alarm is
printed, so that a reader can judge it. Rows "in close wording" are reported by the audit under another, lower
heading; they are counted in the last column.

    python benchmarks/audit_duplicates.py --data DATA [--seed 5]
"""

from __future__ import annotations

import argparse
import json
import random
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tuneworth.audit import Subject
from tuneworth.audit.duplicates import find_repeats
from tuneworth.audit.leaks import Kind, Leak, find_leaks
from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.stats.intervals import wilson

SETS = ("banking77", "e2e_nlg", "csl_category_zh")
PLANTED = 0.05
TURNS = 4
SYLLABLES = [
    "ba",
    "da",
    "fen",
    "gor",
    "hal",
    "ion",
    "jas",
    "kel",
    "lom",
    "mar",
    "nev",
    "ost",
    "pir",
    "qual",
    "rin",
    "sol",
    "tor",
    "ul",
    "ven",
    "wes",
    "yal",
    "zan",
]
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉建文辉力永健"
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
CITIES = ("北京市", "上海市", "成都市", "南昌市", "青岛市", "大连市", "苏州市", "兰州市", "贵阳市", "长沙市")


def measure(data: Path, seed: int = 5) -> str:
    return f"{repeats(data)}\n\n{leaks(data, seed)}"


def read(path: Path, source: str) -> list[Example]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Example(Query(f"{source}-{at}", (Message("user", row["input"]),)), row["output"], source=f"{source}.jsonl:{at}")
        for at, row in enumerate(rows, 1)
    ]


def repeats(data: Path) -> str:
    """sms_spam: rows equal to an earlier one but for case and punctuation."""
    rows = read(data / "sms_spam" / "train.jsonl", "train")
    seen: set[str] = set()
    known: set[int] = set()
    for at, row in enumerate(rows):
        form = re.sub(r"\W+", " ", row.query.text.lower()).strip()
        if form in seen:
            known.add(at)
        seen.add(form)
    found = find_repeats(rows, "label")
    counts = Counter(repeat.degree for repeat in found)
    missed = known - {repeat.row for repeat in found}
    return (
        f"### Repeated rows\n\nsms_spam, {len(rows):,} training rows: {len(known)} repeat an earlier one but for case and "
        f"punctuation; {len(known) - len(missed)} of them are found. All that is found: {counts['exact']} to the letter, "
        f"{counts['spacing']} but for case, spacing or punctuation, {counts['near']} nearly word for word."
    )


def leaks(data: Path, seed: int) -> str:
    lines = [
        "### Leaks\n",
        "| set | change | planted | found | told apart | original rows | already there | false alarms | close wording |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    alarms: list[str] = []
    for name in SETS:
        train, test = read(data / name / "train.jsonl", "train"), read(data / name / "test.jsonl", "test")
        for kind, change in changes(name).items():
            counts = Counter[str]()
            for turn in range(TURNS):
                rng = random.Random(f"{seed} {name} {kind} {turn}")
                alarms += _planted(name, list(train), list(test), kind, change, rng, counts)
            lines.append(f"| {name} | {kind} | {_cells(counts)} |")
    shown = [f"- {alarm}" for alarm in dict.fromkeys(alarms)] or ["None."]
    return "\n".join([*lines, "", "False alarms, each once:", "", *shown])


def _cells(counts: Counter[str]) -> str:
    n, found = counts["planted"], counts["found"]
    interval = wilson(found, n)
    return (
        f"{n} | {found / n:.1%} ({interval.low:.1%} to {interval.high:.1%}) | {counts['apart'] / n:.0%} | {counts['original']:,} "
        f"| {counts['there']} | {counts['false']} ({counts['false'] / counts['original']:.2%}) | {counts['close']}"
    )


Change = Callable[[str, str, random.Random], tuple[str, str, str, str] | None]
"""(input, output) → (train input, train output, test input, test output), or ``None`` if it cannot be changed so."""


def changes(name: str) -> dict[Kind, Change]:
    chinese = name.endswith("_zh")
    names = _slot_names if name == "e2e_nlg" else _han_names if chinese else _latin_names
    return {"numbers": _numbers, "names": names, "spacing": _case_and_spaces, "order": _order}


def _planted(
    name: str,
    train: list[Example],
    test: list[Example],
    kind: Kind,
    change: Change,
    rng: random.Random,
    counts: Counter[str],
) -> list[str]:
    """Plant leaks of one kind, look for them, add to ``counts``; returns the false alarms."""
    places = set(rng.sample(range(len(test)), round(PLANTED * len(test))))
    sources = iter(rng.sample(range(len(train)), len(train)))
    for at in sorted(places):
        source, made = next(
            (source, made)
            for source in sources
            if (made := change(train[source].query.text, train[source].output, rng))
        )
        train[source] = _with(train[source], made[0], made[1])
        test[at] = _with(test[at], made[2], made[3])
    found = {leak.test: leak for leak in find_leaks(_subject(name, train, test))}
    known = _equal_forms(train)
    original = [leak for at, leak in found.items() if at not in places and leak.kind != "wording"]
    false = [leak for leak in original if not _forms(test[leak.test].query.text) & known]
    counts["planted"] += len(places)
    counts["found"] += len(places & set(found))
    counts["apart"] += sum(at in found and found[at].kind == kind for at in places)
    counts["original"] += len(test) - len(places)
    counts["there"] += len(original) - len(false)
    counts["false"] += len(false)
    counts["close"] += sum(leak.kind == "wording" and at not in places for at, leak in found.items())
    return [_shown(name, leak) for leak in false]


def _subject(name: str, train: Sequence[Example], test: Sequence[Example]) -> Subject:
    kind = "text" if name == "e2e_nlg" else "label"
    return Subject(Task(name=name, kind=kind, metric="accuracy"), tuple(train), tuple(test))


def _with(row: Example, text: str, output: str) -> Example:
    return replace(row, query=Query(row.id, (Message("user", text),)), output=output, references=(output,))


def _equal_forms(rows: Sequence[Example]) -> set[str]:
    return {form for row in rows for form in _forms(row.query.text)}


def _forms(text: str) -> set[str]:
    """Without case, punctuation and numbers; with and without the order of words (Chinese: characters)."""
    plain = re.sub(r"\d+", "#", text.lower())
    kept = "".join(sign for sign in plain if sign.isalnum() or sign == "#")
    words = re.findall(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+|#", plain)
    return {kept, "order " + " ".join(sorted(words))} if sum(map(str.isalpha, kept)) >= 6 else set()


def _shown(name: str, leak: Leak) -> str:
    return f"{name}, {leak.kind}: test row {leak.test + 1}, training row {leak.train[0] + 1}"


def _numbers(text: str, output: str, rng: random.Random) -> tuple[str, str, str, str] | None:
    """Another number for each; a row without one gets a sentence with one (a slot in e2e_nlg has its own)."""
    if not re.search(r"\d", text):
        if rng.random() < 0.5:
            return None
        number, other = rng.sample(range(2, 5_000), 2)
        tail = "，编号{}" if re.search("[\u4e00-\u9fff]", text) else " Reference number {}."
        return text + tail.format(number), output, text + tail.format(other), output
    numbers = {number: str(int(number) + rng.randint(1, 700)) for number in re.findall(r"\d+", text)}

    def renumbered(match: re.Match[str]) -> str:
        return numbers.get(match.group(), match.group())

    return text, output, re.sub(r"\d+", renumbered, text), output


def _case_and_spaces(text: str, output: str, rng: random.Random) -> tuple[str, str, str, str] | None:
    """Upper or lower case, doubled, added and (Chinese) full-width spaces, in turn."""
    changed = rng.choice((str.upper, str.lower, _doubled, _led))(text)
    return None if changed == text else (text, output, changed, output)


def _doubled(text: str) -> str:
    return text.replace(" ", "  ") if " " in text else f"{text[:4]} {text[4:9]}\u3000{text[9:]}"


def _led(text: str) -> str:
    return f"  {text} \n"


def _order(text: str, output: str, rng: random.Random) -> tuple[str, str, str, str] | None:
    """Two halves swapped, or all words in another order; in Chinese at a place between characters."""
    if re.search("[\u4e00-\u9fff]", text):
        cut = rng.randrange(2, max(len(text) - 2, 3))
        changed = text[cut:] + text[:cut]
    else:
        words = text.split(", ") if text.count(", ") > 1 else text.split()
        joint = ", " if text.count(", ") > 1 else " "
        if len(words) < 4:
            return None
        cut = rng.randrange(1, len(words))
        changed = joint.join(words[cut:] + words[:cut] if rng.random() < 0.5 else rng.sample(words, len(words)))
    return None if changed == text else (text, output, changed, output)


def _made_name(rng: random.Random) -> str:
    return "".join(rng.sample(SYLLABLES, 2)).capitalize()


def _latin_names(text: str, output: str, rng: random.Random) -> tuple[str, str, str, str] | None:
    """A sentence with a made name, with capitals or, one time in four, without."""
    sentence = rng.choice(
        ("My name is {}.", "I am writing for {} here.", "Please tell {} as well.", "It is about {} again.")
    )
    one, two = (" ".join(_made_name(rng) for _ in range(rng.choice((1, 2)))) for _ in range(2))
    if rng.random() < 0.25:
        one, two = one.lower(), two.lower()
    return f"{text} {sentence.format(one)}", output, f"{text} {sentence.format(two)}", output


def _han_names(text: str, output: str, rng: random.Random) -> tuple[str, str, str, str] | None:
    """A person or a city that the title is said to be about."""
    one, two = rng.sample(CITIES, 2) if rng.random() < 0.5 else (_han_name(rng), _han_name(rng))
    frame = rng.choice(("{}——以{}为例", "{}：{}的案例", "{}（{}视角）"))
    return frame.format(text, one), output, frame.format(text, two), output


def _han_name(rng: random.Random) -> str:
    return rng.choice(SURNAMES) + "".join(rng.sample(GIVEN, rng.choice((1, 2))))


def _slot_names(text: str, output: str, rng: random.Random) -> tuple[str, str, str, str] | None:
    match = re.match(r"name\[([^\]]+)\]", text)
    if match is None:
        return None
    old, new = match.group(1), f"The {_made_name(rng)} {rng.choice(string.ascii_uppercase)}{_made_name(rng).lower()}"
    return text, output, text.replace(old, new), output.replace(old, new)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    print(measure(args.data, args.seed))


if __name__ == "__main__":
    main()
