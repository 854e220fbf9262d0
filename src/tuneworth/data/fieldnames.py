"""What columns are usually called, in English and Chinese, and what such a name says about them.

A name says what its author meant, not what is in it: it decides alone only where nothing else could be meant.
Names are compared by ``key``, so that ``groundTruth``, ``Ground Truth`` and ``ground_truth`` are one. Where no
column has a known name, the last word counts (``customer_message``, 用户留言), since both languages put it last.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s\-_.]+")


_SIMPLIFIED = str.maketrans(
    "標籤題問輸內類別評論對話圖據編號預測結實際參時間說選項訊譯變給",
    "标签题问输内类别评论对话图据编号预测结实际参时间说选项讯译变给",
)
"""Traditional characters that such names are written with."""


def words(*lines: str) -> tuple[str, ...]:
    """The names in ``lines``, which are long enough to be unreadable one a line."""
    return tuple(" ".join(lines).split())


def _set(*lines: str) -> frozenset[str]:
    return frozenset(words(*lines))


QUESTIONS = words(
    "input input_text prompt question query instruction text sentence utterance content message user_message user_input",
    "review comment tweet post ticket email body article document dialogue dialog transcript source source_text src original",
    "description problem goal passage context ctx premise sentence1 text1 text_a question1 code title headline subject",
    "问题 提问 题目 题干 输入 指令 提示词 提示 文本 正文 内容 句子 评论 留言 反馈 诉求 描述 消息 原文 文章 文档",
    "对话 上下文 标题 messages conversations conversation",
)
"""Columns that are asked, the surest first."""
ANSWERS = words(
    "output output_text completion response answer label_text label_name label answer_key correct_option intent category class",
    "class_name sentiment polarity stance emotion target target_text tgt summary highlights reply translation sql sql_query",
    "query command program topic team department queue answers outputs 输出 答案 回答 标签 类别 分类 意图 情感 摘要 译文",
    "结果 答复 解答 正确选项",
)
"""Columns that are answered with, the surest first."""
LAST_ANSWERS = words(
    "labels tags categories intents solution canonical_solution code correct score rating stars similarity",
    "rewritten rewrite paraphrase corrected correction 改写 润色 修改后 得分 评分 星级 打分",
)
"""Columns that are answered with where no other is: beside another they are about it, or more than one answer."""
GENERAL_ANSWERS = _set("output completion response answer label_text label_name label target 输出 答案 回答 标签")
"""Say nothing but that they are the answer; beside one of these, ``category`` is about something else."""
_ANSWER_NOUNS = _set(
    "label labels answer output response completion category class intent annotation summary translation sentiment tag reply",
    "result value code text 标签 答案 回答 回复 输出 类别 分类 意图 标注 结果 修改 译文 摘要 标",
)
_RIGHT = words(
    "ground_truth gold golden reference expected ideal correct corrected true human manual verified adjudicated revised best",
    "标准 参考 正确 期望 预期 真实 人工 最终 终 修正 修订 校正 校对 更正",
)
_SAID_BY_SYSTEM = words(
    "predicted pred generated actual candidate system bot rag model llm auto automatic machine initial draft suggested proposed",
    "模型 预测 生成 系统 自动 机器 初始 初 建议",
)
_TRUTHS = _set(
    "ground_truth groundtruth ground_truths generation_gt expected y_true final_label final_category final_class",
    "final_intent final_annotation",
)
MAYBE_TRUTHS = _set("reference gold golden ideal target 参考 金标")
"""Right answers, or sources, documents and goals: only what is in them tells."""
_SYSTEMS = _set(
    "prediction predictions predicted pred preds y_pred hypothesis_output generated generation generations actual rejected",
    "预测 预测结果 生成结果",
)
_SYSTEM_STARTS = ("model_", "llm_", "gpt", "predicted_", "pred_", "generated_", "模型", "预测", "生成")
MADE_AFTER = _set(
    "explanation explanations rationale rationales reasoning thinking thought thoughts chain_of_thought cot solution",
    "incorrect_answers incorrect_answer wrong_answers wrong_answer distractors negatives negative_answer correct_answers",
    "justification feedback critique analysis answer_text answer_start answer_idx label_id label_idx class_id",
    "resolution score scores confidence probability rating ratings faithfulness relevance",
    "错误答案 干扰项 解释 解析 理由 分析 推理 思考过程 解题过程 答案解析 得分 分数 置信度 概率 评分",
)
"""Come with the answer or after it: whoever asks does not have them yet."""
METADATA = _set(
    "id ids qid retrieval_gt uid uuid guid index idx row row_id key hash md5 sha source_id doc_id document_id chunk_id passage_id",
    "question_id example_id sample_id conversation_id session_id user_id customer_id order_id thread_id message_id",
    "source url link file filename file_name path page line license dataset dataset_name subset config split fold",
    "annotator annotators annotator_id annotator_group worker worker_id rater labeler reviewer author user username",
    "date time datetime timestamp created created_at updated updated_at year month version metadata meta model",
    "model_name num_tokens n_tokens tokens length word_count difficulty level batch run",
    "answer_in_context is_impossible 编号 序号 来源 链接 文件名 标注员 标注人 审核人 日期 时间 创建时间 更新时间 版本",
)
"""About the row, not of it."""
SYSTEM_TURNS = _set("system system_prompt system_message sys_prompt 系统 系统提示 系统提示词 系统消息")
HISTORIES = _set(
    "history chat_history conversation_history dialogue_history dialog_history 历史 历史对话 对话历史 上文"
)
OPTION_LISTS = _set("choices options candidates answer_choices endings option choice 选项 候选项 备选项 候选答案")
INPUTS = _set(
    "context contexts ctx passage passages paragraph paragraphs retrieved_contexts reference_contexts",
    "retrieved retrieval_context retrieved_context retrieved_docs retrieved_documents retrieved_passages search_results support supporting_text background evidence excerpt knowledge schema table_schema db_schema database_schema ddl",
    "create_table tables instruction 指令 premise hypothesis sentence1 sentence2 text1 text2 text_a text_b question1 question2 aspect",
    "aspect_term aspect_category target_language source_language target_lang source_lang src_lang tgt_lang",
    "上下文 语境 段落 材料 背景 背景资料 背景知识 参考资料 参考材料 阅读材料 篇章 检索结果 已知信息 表结构 建表语句 前提 假设 句子1 句子2 文本1 文本2 方面",
    "属性 目标语言 源语言",
)
"""Belong to what is asked wherever they stand beside it."""
MAYBE_INPUTS = _set(
    "subject title heading headline body text content document documents article story facts question query prompt",
    "input topic keyword keywords entity target aspect_name facet persona style tone language lang hint",
    "table product domain role speaker parent parent_comment concept event date_asked image_caption caption code tools",
    "主题 标题 正文 文本 内容 文章 原文 文档 问题 输入 关键词 实体 对象 维度 风格 语气 人设 角色 产品 领域 要求 提示 语言",
)
"""Belong to it if what is in them says so."""
OBJECTS = _set("target entity aspect_name facet 对象 实体 属性 维度")
"""What an opinion is about: part of the question wherever an opinion is the answer."""
OPINIONS = _set("label sentiment polarity stance opinion emotion 情感 情感倾向 立场 极性 标签 态度")
_PLAIN = re.compile(r"(?!(?i:y|n|yes|no|true|false|on|off|null)$)[^\W\d][\w.]*(?:[ \-][\w.]+)*")
_LETTERS = "ABCDEFGHIJ"
_OPTION = re.compile(r"(?:option|opt|choice|answer|ending|solution|sol|选项|候选)?_?([a-j]|\d{1,2})")


def key(name: str) -> str:
    """``name`` as it is compared: words in lower case with ``_`` between them, in simplified characters."""
    return "_".join(word.lower() for word in _WORDS.split(name.strip().translate(_SIMPLIFIED)) if word)


def in_yaml(*names: str) -> str:
    """``names`` as they may stand in a list of a task file, for lines that a message advises."""
    return ", ".join(name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False) for name in names)


def by_key(columns: Iterable[str]) -> dict[str, str]:
    """Key → column; of two columns with one key the first counts."""
    found: dict[str, str] = {}
    for column in columns:
        found.setdefault(key(column), column)
    return found


def is_another(name: str, answer: str) -> bool:
    """Whether ``name`` is ``answer`` once more: ``label_2`` or ``label_b`` beside ``label``."""
    return re.fullmatch(rf"{re.escape(key(answer))}_?(?:\d|[ab]|second|alt|new|old)", key(name)) is not None


def is_truth(name: str) -> bool:
    """Whether a column says of itself that it is right (``gold_label``, 人工标签), so what stands beside it need not be."""
    return key(name) in _TRUTHS or _is_answer_of(key(name), _RIGHT)


def is_system(name: str) -> bool:
    """Whether a column says what some system answered."""
    own = key(name)
    return (
        own in _SYSTEMS
        or _is_answer_of(own, _SAID_BY_SYSTEM)
        or (own.startswith(_SYSTEM_STARTS) and own not in METADATA)
    )


def _is_answer_of(own: str, whose: Iterable[str]) -> bool:
    """Whether ``own`` is one of the words ``whose`` with a word for an answer behind it."""
    return any(own.startswith(who) and own.removeprefix(who).lstrip("_") in _ANSWER_NOUNS for who in whose)


def ends_like(name: str, known: Iterable[str]) -> bool:
    """Whether the last word of ``name`` is one of ``known`` and there is another before it."""
    own = key(name)
    return any(
        own != stem and (own.endswith(f"_{stem}") or ("\u4e00" <= stem[0] <= "\u9fff" and own.endswith(stem)))
        for stem in known
    )


def option_columns(columns: Iterable[str]) -> dict[str, str]:
    """Mark (``A``, ``B``, …) → column, for the options of a row in columns of their own; empty without any.

    They are called ``A``, ``option_a``, ``choice1``, ``选项A`` and the like, all in one way and without a gap. Two
    columns ``a`` and ``b`` are a pair of texts as often; only capitals are options there.
    """
    ways: dict[tuple[str, bool], dict[int, str]] = {}
    for column in columns:
        match = _OPTION.fullmatch(key(column))
        if match is None or (match[1].isdigit() and match[0] == match[1]):
            continue
        place = int(match[1]) if match[1].isdigit() else _LETTERS.index(match[1].upper())
        start = key(column)[: match.start(1)].rstrip("_")
        start += "capital" if not start and column.strip().isupper() else ""
        ways.setdefault((start, match[1].isdigit()), {}).setdefault(place, column)
    for (start, numbered), places in ways.items():
        first = min(places)
        if first and not numbered:
            continue  # letters begin with A
        if (
            len(places) >= (2 if start else 3)
            and first in (0, 1)
            and sorted(places) == list(range(first, first + len(places)))
        ):
            return {_LETTERS[place - first]: places[place] for place in sorted(places) if place - first < len(_LETTERS)}
    return {}
