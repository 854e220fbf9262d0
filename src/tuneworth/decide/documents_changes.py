"""What would change the verdict, as far as documents have a say: better search, a better reader, newer rows.

What finding or reading better would win is measured on the rows at hand (`LossSplit`); that rows whose passage is
hard to find are as easy to read as the others is an assumption, and said.
"""

from __future__ import annotations

from tuneworth.core.run import ArmResult
from tuneworth.core.text import Text
from tuneworth.decide.documents import Diagnosis, best_reader, diagnosis_of, only_old
from tuneworth.decide.documents_knowledge import every
from tuneworth.decide.documents_words import part
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.phrases import say
from tuneworth.decide.ruling import Ruling
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.words.numbers import points, score, signed_interval


def document_changes(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """The nearest ways to another verdict that lead through the documents; none for a task without."""
    if evidence.documents is None:
        return []
    return [
        *_newer_rows(evidence, ruling),
        *_untrained_reader(evidence, ruling),
        *_what_is_lost(evidence, ruling),
        *_pace(evidence, ruling),
    ]


def _newer_rows(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """What an arm that learned by heart would have to be tested on."""
    arm, known = ruling.tuned, evidence.documents
    if arm is None or known is None or known.knowledge_every_days is None or not only_old(evidence, arm):
        return []
    return [
        say(
            "Test rows about documents that are newer than the training rows would: at least {least}, marked by `doc_set` or "
            "`date`. They show what {arm} is worth after the next change, {every}.",
            "补充一些问新文档（晚于训练数据）的测试数据，就能判断{arm}在文档更新（{every}一次）之后还值多少：至少 {least} 条，用 `doc_set` 或 `date` 标明。",
            least=MIN_PAIRS,
            arm=evidence.name(arm),
            every=every(known.knowledge_every_days),
        )
    ]


def _untrained_reader(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """Whether perfect search alone could catch up with tuning."""
    pair, rival = ruling.pair, ruling.untuned
    diagnosis = diagnosis_of(evidence, rival)
    if ruling.case != "gain" or pair is None or rival is None or diagnosis is None:
        return []
    won = diagnosis.split.retrieval
    parts = {"rival": evidence.name(rival), "won": part(won), "gain": points(pair.difference)}
    if won.interval.high < pair.interval.low:
        return [
            say(
                "Better retrieval alone would not: finding the passage every time would win {rival} {won}, and it is {gain} behind "
                "({interval}).",
                "只改进检索还不够：每次都找到正确段落，也只能为{rival}挽回 {won}，而它落后 {gain}（{interval}）。",
                interval=signed_interval(pair.interval),
                **parts,
            )
        ]
    return [
        say(
            "Better retrieval may: finding the passage every time would win {rival} {won}, and it is {gain} behind. Were it to serve "
            "the tuned arm as well, the gap could stay.",
            "改进检索也许会：每次都找到正确段落，可为{rival}挽回 {won}，而它落后 {gain}。不过检索变好，微调方案也可能同样受益。",
            **parts,
        )
    ]


def _what_is_lost(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """What the recommended reader, else the best there is, could still win."""
    chosen = ruling.recommended
    arm = chosen if chosen is not None and chosen.reads_documents else best_reader(evidence)
    diagnosis = diagnosis_of(evidence, arm)
    if arm is None or diagnosis is None or diagnosis.cause in ("never_found", "little"):
        return []
    told = [_search(evidence, arm, diagnosis), _reader(evidence, arm, diagnosis)]
    return [text for text in told if text is not None]


def _search(evidence: Evidence, arm: ArmResult, diagnosis: Diagnosis) -> Text | None:
    won = diagnosis.split.retrieval
    if won.interval.low <= 0 or won.value < evidence.task.margin:
        return None
    return say(
        "Better retrieval could lift {arm} by {won}, were the rows whose passage is missed as easy to read as the others.",
        "改进检索可让{arm}提高 {won}，前提是没找到段落的那些数据读起来并不更难。",
        arm=evidence.name(arm),
        won=part(won),
    )


def _reader(evidence: Evidence, arm: ArmResult, diagnosis: Diagnosis) -> Text | None:
    lost, oracle = diagnosis.split.reading, diagnosis.split.oracle
    if lost.interval.low < evidence.task.margin:
        return None
    alone = Text(en="", zh="")
    if oracle is not None:
        alone = say(
            " Given the right passage alone it scores {oracle} on the dev rows.",
            "只给它正确段落时，开发集得分为 {oracle}。",
            oracle=score(oracle),
        )
    return say(
        "A better reader could lift {arm} by up to {lost}: that much is lost although the passage is there.{alone}",
        "换用更好的阅读模型，最多可让{arm}提高 {lost}：这些是段落就在眼前仍丢掉的分。{alone}",
        arm=evidence.name(arm),
        lost=part(lost),
        alone=alone,
    )


def _pace(evidence: Evidence, ruling: Ruling) -> list[Text]:
    """An arm that learned by heart, of a task that does not say whether its documents change."""
    arm, known = ruling.recommended, evidence.documents
    if arm is None or known is None or known.knowledge_every_days is not None:
        return []
    if not arm.tuned or arm.reads_documents:
        return []
    return [
        say(
            "Documents that change would: {arm} answers by heart. Say how often in `updates.knowledge_every_days`.",
            "文档如果会更新，结论就可能改变：{arm}靠记忆作答。请在 `updates.knowledge_every_days` 中写明多久更新一次。",
            arm=evidence.name(arm),
        )
    ]
