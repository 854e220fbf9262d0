"""What a person can be asked about a situation: the questions, what each is for, and how it is answered.

Every fact can be asked for but those that only rows or a run can show. Nothing heavy is imported: the command line
makes its options from this table before anything runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuneworth.advisor.words import QUESTIONS, VALUES
from tuneworth.core.text import Text

Kind = Literal["yes_no", "whole", "number", "choice"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one fact.

    Attributes:
        explanation: what the question is for and how to tell.
    """

    fact: str
    kind: Kind
    text: Text
    explanation: Text

    @property
    def choices(self) -> dict[str, Text]:
        """The answers of a ``choice`` question and how they read, in order; empty for the others."""
        return VALUES[self.fact] if self.kind == "choice" else {}


_ASKED: dict[str, tuple[Kind, Text]] = {
    "scenario": (
        "choice",
        Text(
            "Pick what most requests are. It says which rules of thumb speak at all. Name the main job, not the topic: "
            "sorting legal mail is classification, drafting contracts is specialised work.",
            "按大多数请求来选，它决定哪些经验适用。看的是做什么事，而不是什么行业：给法务邮件分类属于“分类”，起草合同才属于“专业领域任务”。",
        ),
    ),
    "output_kind": (
        "choice",
        Text(
            "Labels and JSON can be forced by constrained decoding, so their format is no reason to tune. "
            "A fixed list of labels can also be answered by a small classifier.",
            "标签和 JSON 可以靠约束解码保证格式，因此格式本身不成其为微调的理由；固定标签还可以用小分类器来做。",
        ),
    ),
    "clear_structure": (
        "yes_no",
        Text(
            "Yes if two people who know the job would agree on what goes in and what comes out. "
            "A model learns a clear mapping with far fewer rows.",
            "如果两个懂业务的人对“输入什么、输出什么”看法一致，就答是。映射越清楚，要学会它所需的数据越少。",
        ),
    ),
    "distinct_style": (
        "yes_no",
        Text(
            "Yes if readers would notice a wrong voice: a founder's letters, a brand, classical Chinese. "
            "No if polite and clear is enough.",
            "如果语气不对读者一眼就能看出来（创始人的口吻、品牌调性、文言文），就答是；只要礼貌清楚就行，则答否。",
        ),
    ),
    "specialised_domain": (
        "yes_no",
        Text(
            "Yes if a layman could not judge the answers: medicine, law, fault diagnosis. General models know less there.",
            "如果外行判断不了答案对错（医疗、法律、故障诊断等），就答是。这类内容通用模型懂得较少。",
        ),
    ),
    "repetitive": (
        "yes_no",
        Text(
            "Yes if the texts differ in their data but hardly in their build: order mails, inspection notes. "
            "A small model can take over such work.",
            "如果每次只是换数据、结构几乎不变（订单邮件、巡检记录等），就答是。这类活小模型就能接手。",
        ),
    ),
    "prompt_suffices": (
        "yes_no",
        Text(
            "Try a good prompt with a few examples on twenty real inputs. Yes if format and tone hold every time. "
            "Skip it if you have not tried: guessing here misleads.",
            "拿二十条真实输入，配上几个示例试一个认真写的提示词；格式和语气每次都稳，就答是。没试过就跳过，猜的答案会误导结论。",
        ),
    ),
    "total_rows": (
        "whole",
        Text(
            "Input/output pairs you have now, checked or not. A rough count will do, such as 800 or 12k.",
            "现有的输入输出数据有多少对，不论是否检查过。大致数目即可，例如 800 或 1.2万。",
        ),
    ),
    "quality_rows": (
        "whole",
        Text(
            "Rows left after repeats, conflicts and wrong labels are gone. With a file at hand, "
            "`--task rows.jsonl` counts repeats and conflicts for you; `tuneworth audit` also estimates wrong labels.",
            "去掉重复、矛盾和标错之后剩下的数据。手头有文件的话，`--task rows.jsonl` 会自动扣除重复和矛盾，`tuneworth audit` 还能估计标错率。",
        ),
    ),
    "label_price_usd": (
        "number",
        Text(
            "What you would pay, or the time it takes times its price, for one more correct row. "
            "It turns missing rows into money.",
            "再得到一条正确数据的花费，自己标就按工时折算。用它把数据缺口换算成钱。",
        ),
    ),
    "needs_documents": (
        "yes_no",
        Text(
            "Yes if a right answer needs text that only you have: manuals, policies, tickets. "
            "That text can be looked up at answer time.",
            "如果答对需要只有自己才有的资料（手册、制度、工单等），就答是。这些内容可以在回答时现查。",
        ),
    ),
    "knowledge_changes": (
        "choice",
        Text(
            "The facts, not the form of answers. What changes weekly is better looked up than trained into weights.",
            "指答案依据的事实，而不是回答的形式。每周都变的内容，与其训进权重，不如现查。",
        ),
    ),
    "behaviour_changes": (
        "choice",
        Text(
            "The wanted format, tone or set of labels, not the facts. Each change means a new training run for a tuned "
            "model and an edit for a prompt.",
            "指格式、语气、标签体系等要求，而不是事实。每变一次，微调模型要重新训练，提示词只需改几句。",
        ),
    ),
    "calls_per_day": (
        "number",
        Text(
            "Requests on a usual day, once it is in use. Volume decides whether a machine of your own pays.",
            "上线后平常一天的请求数。自己部署划不划算，主要看量。",
        ),
    ),
    "p95_target_ms": (
        "number",
        Text(
            "The slowest 5 % may take longer. 2s and 800ms are understood. Skip it if nobody waits for the answer.",
            "允许最慢的 5% 超出。可以写 2s 或 800ms。没有人在等结果就跳过。",
        ),
    ),
    "concurrency": (
        "whole",
        Text(
            "Requests that are being answered at the same moment at a busy time.",
            "高峰时同一时刻正在处理的请求数。",
        ),
    ),
    "cost_sensitive": (
        "yes_no",
        Text(
            "Yes if a feature would be dropped because a call costs a cent instead of a tenth of one.",
            "如果单次调用从一厘涨到一分，功能就做不下去了，就答是。",
        ),
    ),
    "private": (
        "yes_no",
        Text(
            "Yes if law, contract or policy forbids sending a row to anybody else. This rules out every outside API.",
            "如果法规、合同或公司制度不允许把数据发给任何外部方，就答是。这样就排除了所有外部 API。",
        ),
    ),
    "local_deployment": (
        "yes_no",
        Text(
            "Yes if the model has to run on your premises, on a device, or in a private cloud, for whatever reason.",
            "无论出于什么原因，只要模型必须跑在自己的机房、设备或私有云里，就答是。",
        ),
    ),
    "skills": (
        "choice",
        Text(
            "Who would train, check and re-train the model? Count only people who have time for it.",
            "谁来训练、验收、以后再重训？只算真正抽得出时间的人。",
        ),
    ),
    "hardware": (
        "choice",
        Text(
            "What you own or may rent. A small adapter trains on one GPU; a classifier on embeddings needs only a CPU.",
            "自有的或可以租用的都算。小模型的 LoRA 一块 GPU 就能训，向量加分类头只需 CPU。",
        ),
    ),
    "api_usd_per_1k_calls": (
        "number",
        Text(
            "From the bill, or tokens a call times the price list. With the volume it gives the monthly cost.",
            "看账单，或用每次的 token 数乘单价估算。有了调用量，就能算出每月费用。",
        ),
    ),
    "machine_usd_per_hour": (
        "number",
        Text(
            "Rent, or purchase price over its life plus power. It is compared with the API at your volume.",
            "租金，或购机价按寿命摊销再加电费。在你的调用量下与 API 费用相比。",
        ),
    ),
}
"""Fact → how it is answered, and what is said when ``?`` is typed."""

ASKABLE: dict[str, Question] = {
    name: Question(name, kind, QUESTIONS[name], explanation) for name, (kind, explanation) in _ASKED.items()
}
"""Fact name → its question."""
