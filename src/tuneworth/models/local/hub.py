"""Any model of the hub, in the hub library's own cache (``HF_HOME``). Its code and pickles stay there."""

from __future__ import annotations

from pathlib import Path

from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.models.local.sources import HUB_TIMEOUT_S, Progress, first_line, hub_errors, quiet_hub, watched

# Weights as safetensors only: the other formats of the hub can carry code.
PATTERNS = ["*.safetensors", "*.json", "*.jinja", "*.txt", "tokenizer.model"]


def fetch_hub(hub_id: str, *, progress: Progress | None = None) -> Path:
    """The folder of ``owner/name``: from the hub, or the copy an earlier download left.

    Raises:
        EnvironmentProblem: the hub does not answer and there is no copy.
        InputError: the hub has no such model, or the model has no safetensors weights.
    """
    import huggingface_hub
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        with quiet_hub():
            info = huggingface_hub.HfApi().model_info(hub_id, timeout=HUB_TIMEOUT_S, files_metadata=True)
            sizes = {sibling.rfilename: sibling.size or 0 for sibling in info.siblings or []}
            _require_safetensors(hub_id, list(sizes))
            cache = Path(huggingface_hub.constants.HF_HUB_CACHE) / f"models--{hub_id.replace('/', '--')}"
            total = sum(size for name, size in sizes.items() if name.endswith(".safetensors"))
            with watched(cache, total, progress):
                return Path(huggingface_hub.snapshot_download(hub_id, allow_patterns=PATTERNS))
    except GatedRepoError as error:
        raise _refused(
            hub_id,
            "is gated: accept its licence on huggingface.co and log in with `hf auth login`",
            "是受限模型：请先在 huggingface.co 上接受其许可协议，再用 `hf auth login` 登录",
        ) from error
    except RepositoryNotFoundError as error:
        raise _refused(
            hub_id, "is not on the hub, or is private to someone else", "在 Hub 上不存在，或者是他人的私有模型"
        ) from error
    except hub_errors() as error:
        return _earlier_copy(hub_id, first_line(error))


def _require_safetensors(hub_id: str, names: list[str]) -> None:
    if not any(name.endswith(".safetensors") for name in names):
        raise _refused(
            hub_id,
            "has no safetensors weights; other formats can carry code and are not loaded",
            "没有 safetensors 权重；其他格式可能夹带代码，不予加载",
        )


def _refused(hub_id: str, en: str, zh: str) -> InputError:
    return InputError(Problem(hub_id, Text(en=en, zh=zh)))


def _earlier_copy(hub_id: str, reason: str) -> Path:
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(huggingface_hub.snapshot_download(hub_id, allow_patterns=PATTERNS, local_files_only=True))
    except LocalEntryNotFoundError as error:
        message = Text(
            en=f"the model hub does not answer ({reason}) and there is no local copy",
            zh=f"模型 Hub 无响应（{reason}），本机也没有缓存",
        )
        step = Text(
            en="Check the network, or use an embedded model or a local folder.",
            zh="请检查网络，或改用内置模型、本地模型目录。",
        )
        raise EnvironmentProblem(Problem(hub_id, message), step) from error
