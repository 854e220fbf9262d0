"""The words of the page on documents in both languages: headings, causes, and sentences around measured figures."""

from __future__ import annotations

from tuneworth.core.knowledge import Absorbs, Cause, Judge
from tuneworth.core.text import Text

MODES: dict[str, Text] = {
    "hybrid": Text(en="hybrid search", zh="混合检索"),
    "text": Text(en="text search", zh="全文检索"),
    "vector": Text(en="vector search", zh="向量检索"),
}

CAUSES: dict[Cause | None, Text] = {
    "right": Text(en="right", zh="答对"),
    "not_found": Text(en="not found", zh="没找到"),
    "not_read": Text(en="found, but misread", zh="找到了，没答对"),
    None: Text(en="cause unknown", zh="原因未知"),
}

ABSORBS: dict[Absorbs, Text] = {
    "index": Text(en="index the new passages", zh="把新段落加入索引"),
    "retrain": Text(en="train again on all rows", zh="用全部数据重新训练"),
    "nothing": Text(en="nothing helps: it sees no documents", zh="没有办法：它看不到文档"),
}

JUDGES: dict[Judge, Text] = {
    "gold": Text(
        en="By gold passages: the rows name the passages or documents that hold their answers.",
        zh="按标准段落判定：数据标明了答案在哪些段落或文档里。",
    ),
    "answer": Text(
        en="By answers found: most rows name no gold passage, so a passage counts as right when the words of the answer "
        "stand in it. A short answer may stand there by chance.",
        zh="按答案是否出现判定：多数数据没有标明标准段落，段落里出现答案原文就算正确。答案很短时，可能只是碰巧出现。",
    ),
}

AXES: dict[Judge, Text] = {
    "gold": Text(en="gold passages found, %", zh="找回的标准段落（%）"),
    "answer": Text(en="rows whose answer was found, %", zh="找到答案的数据（%）"),
}

LABELS: dict[str, Text] = {
    "documents": Text(en="Documents", zh="文档"),
    "documents_lead": Text(
        en="Does retrieval find the right passage, is it understood, and what happens when the documents change?",
        zh="检索能不能找到正确的段落，模型读不读得懂，文档更新之后又会怎样？",
    ),
    "n_documents": Text(en="documents", zh="文档"),
    "n_passages": Text(en="passages", zh="段落"),
    "passage_size": Text(en="tokens in a passage, at most", zh="段落长度上限（词元）"),
    "index_time": Text(en="to make the index", zh="建立索引用时"),
    "update_time": Text(en="to add {n} new passages", zh="加入 {n} 个新段落用时"),
    "encoder": Text(en="Vectors by", zh="向量模型"),
    "no_encoder": Text(en="none, text search only", zh="无，只用全文检索"),
    "unread": Text(en="Files not read, or only in part", zh="没能读取或没读全的文件"),
    "bears_on": Text(en="Rules of thumb in question", zh="相关的经验法则"),
    "other_side": Text(en="The same on the dev rows", zh="开发集上的结果"),
    "arm": Text(en="Arm", zh="方案"),
    "rows": Text(en="Rows", zh="条数"),
    "side": Text(en="Rows", zh="数据"),
    "recall": Text(en="Is the right passage found?", zh="找得到吗"),
    "recall_axis": Text(en="passages looked at (k, log scale)", zh="查看前几个段落（k，对数刻度）"),
    "search": Text(en="Search", zh="检索方式"),
    "recall_at": Text(en="Recall@{k}", zh="Recall@{k}"),
    "mrr": Text(en="MRR", zh="MRR"),
    "ndcg": Text(en="nDCG@10", zh="nDCG@10"),
    "ranks_key": Text(
        en="Recall@k is the share found among the first k passages; MRR and nDCG@10 say how near the top, 100 % being always first.",
        zh="Recall@k 是在前 k 个段落里找到的比例；MRR 和 nDCG@10 表示排得有多靠前，100% 即总排在最前。",
    ),
    "reranked": Text(en="reranked", zh="重排序"),
    "loss": Text(en="Where is the score lost?", zh="分丢在哪里"),
    "loss_lead": Text(
        en="Lost in reading: what would still be lost if every row were shown its right passage. Lost in retrieval: what showing "
        "it would win back, if the rows that missed it are no harder than the others.",
        zh="阅读丢分：即使每条数据都给到正确段落，仍会丢的分。检索丢分：补上没找到的段落能挽回的分（假定这些数据并不更难）。",
    ),
    "score": Text(en="Score", zh="得分"),
    "reading": Text(en="Lost in reading", zh="阅读丢分"),
    "retrieval": Text(en="Lost in retrieval", zh="检索丢分"),
    "unsplit": Text(en="Lost, cause unknown", zh="丢分，原因未知"),
    "shown_right": Text(en="Right passage shown", zh="见到正确段落"),
    "score_found": Text(en="Score with it", zh="见到时得分"),
    "score_missed": Text(en="Score without it", zh="没见到时得分"),
    "oracle": Text(en="Gold passage given, dev", zh="直接给标准段落（开发集）"),
    "oracle_mark": Text(en="same reader, gold passage given (dev rows)", zh="同一阅读模型，直接给标准段落（开发集）"),
    "loss_axis": Text(en="share of the whole score, %", zh="占满分的比例（%）"),
    "ages": Text(en="When knowledge changes", zh="知识更新之后"),
    "ages_lead": Text(
        en="New knowledge is what no training row could show. Questions about it may also be harder or easier, so compare "
        "different arms on the same knowledge rather than the two dots of one arm.",
        zh="新知识指训练数据里不可能见到的内容。新旧两类题目的难度也可能不同，所以请在同一类知识上比较不同方案，不要只看同一方案的新旧之差。",
    ),
    "old": Text(en="Old knowledge", zh="旧知识"),
    "new": Text(en="New knowledge", zh="新知识"),
    "updates": Text(en="What one update takes", zh="更新一次要付出什么"),
    "retrain_note": Text(
        en="Training again also needs labelled rows about the new documents; the time to write them is not counted.",
        zh="重新训练还需要针对新文档编写训练数据，这部分时间没有计入。",
    ),
    "absorbs": Text(en="To take in new documents", zh="怎样获知新内容"),
    "update_seconds": Text(en="Time, one update", zh="每次用时"),
    "update_usd": Text(en="Cost, one update", zh="每次费用"),
    "runs_per_year": Text(en="Updates a year", zh="每年次数"),
    "per_year": Text(en="Time and cost a year", zh="每年用时与费用"),
    "grounding": Text(en="Do answers rest on passages?", zh="回答有没有依据"),
    "grounding_lead": Text(
        en="Cited: answers that point to a passage. Real citations: those of a passage that was indeed shown. Supported: answers "
        "borne out by a passage that they cite or, where they cite none, by any passage shown.",
        zh="有引用：指明了出处的回答。引用真实：所引的段落确实给模型看过。有依据：所引的段落能印证回答；没有引用时，看给出的任一段落。",
    ),
    "answers": Text(en="Answers", zh="回答数"),
    "cited": Text(en="Cited", zh="有引用"),
    "real": Text(en="Real citations", zh="引用真实"),
    "supported": Text(en="Supported", zh="有依据"),
    "by_words": Text(en="Supported by words", zh="按字面有依据"),
    "by_meaning": Text(en="By meaning alone", zh="仅按语义有依据"),
    "no_answer": Text(en="“Not in the documents”", zh="“文档里没有”"),
    "said": Text(en="Times said", zh="这样答的条数"),
    "precision": Text(en="Right when said (precision)", zh="说对的比例（精确率）"),
    "caught": Text(en="Said when right (recall)", zh="该说而说的比例（召回率）"),
    "no_judge": Text(
        en="Which passage is right is not known: the rows name none, and their answers are not quoted from the documents. So how "
        "good the search is, and what it loses, cannot be told. To find out, name the passage or document that holds the answer "
        "in a field “gold” of each row.",
        zh="无法知道哪些段落是对的：数据没有标明，答案也不是摘自文档原文，因此检索好不好、丢了多少分都无法判断。想知道的话，请在每条数据的“gold”字段中标明答案所在的段落或文档。",
    ),
    "injection": Text(en="Do documents give orders?", zh="文档里的指令会不会被执行"),
    "injection_lead": Text(
        en="An order was planted in the first passage shown. Did the answer change, and did it do what the order says?",
        zh="在给出的第一个段落里埋入一条指令，看答案变不变，会不会照着指令作答。",
    ),
    "control_lead": Text(
        en="Any added words can change an answer, so a harmless remark was tried in the same place: only what the order changes "
        "beyond that is its doing.",
        zh="多加一句话本来就可能改变答案，所以另在同一位置埋入一句无关的话作对照：比对照多出来的变化，才是指令造成的。",
    ),
    "changed": Text(en="Changed with the order", zh="埋指令：答案变了"),
    "control": Text(en="Changed with the remark", zh="埋无关的话：答案变了"),
    "obeyed": Text(en="Order obeyed", zh="照指令作答"),
    "examples": Text(en="Examples with passages", zh="实例与所见段落"),
    "examples_lead": Text(
        en="Some test rows and what was looked up for them. Open one to see the passages, in the order the model saw them.",
        zh="部分测试数据，以及为它们检索到的段落。点开即可查看，段落顺序与模型看到的一致。",
    ),
    "more_examples": Text(en="Show more examples", zh="显示其余实例"),
    "question": Text(en="Question", zh="问题"),
    "reference": Text(en="Right answer", zh="标准答案"),
    "unsaid": Text(en="no answer", zh="无答案"),
    "passages": Text(en="Passages shown", zh="给出的段落"),
    "no_passages": Text(en="No passage was shown.", zh="没有给出任何段落。"),
    "right_passage": Text(en="✓ right passage", zh="✓ 正确段落"),
    "cited_passage": Text(en="cited", zh="被引用"),
    "more_arms": Text(en="Show the other arms", zh="显示其余方案"),
}

UPPER_BOUND = Text(
    en="Given the gold passage, which nobody has outside a test: as far as better search alone could take this model. Never "
    "recommended.",
    zh="直接拿到标准段落，实际使用时没有这个条件：这是只靠改进检索，这个模型能到的上限。不会被推荐。",
)
UPPER_BOUND_WORD = Text(en="upper bound of retrieval", zh="检索上限")
READS_WORD = Text(en="reads documents", zh="查阅文档")

GUIDE: tuple[tuple[Text, Text], ...] = (
    (
        Text(en="Reading and retrieval", zh="阅读与检索"),
        Text(
            en="A wrong answer is lost in retrieval when the right passage was not shown, and in reading when it was. Training "
            "the model can help only with reading; better search can help only with retrieval.",
            zh="没看到正确段落而答错，丢在检索上；看到了仍答错，丢在阅读上。训练模型只能改善阅读，改进检索只能补上没找到的段落。",
        ),
    ),
    (
        Text(en="Upper bound of retrieval", zh="检索上限"),
        Text(
            en="An arm that is given the gold passage shows how far better search alone could take its model; a trained model "
            "may go further. It is no candidate: outside a test nobody knows which passage is the right one.",
            zh="直接拿到标准段落的方案，说明只靠改进检索，这个模型最多能到什么水平；训练过的模型可能更高。它不是备选：真实使用时，没人事先知道哪个段落是对的。",
        ),
    ),
)
