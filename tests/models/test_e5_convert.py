"""The packed 4-bit format of multilingual-e5-small becomes the model that it was packed from."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from tuneworth.models.local.e5_convert import convert_e5

WIDTH, LAYERS, HEADS, INNER, VOCABULARY, POSITIONS = 64, 2, 4, 96, 50, 40


def q4_0(matrix: np.ndarray) -> bytes:
    """Blocks of 32 weights: a float16 scale, then halves of bytes, the first 16 weights low."""
    blocks = matrix.astype(np.float32).reshape(-1, 32)
    scale = np.abs(blocks).max(axis=1) / 7
    values = np.clip(np.round(blocks / scale[:, None]) + 8, 0, 15).astype(np.uint8)
    packed = values[:, :16] | (values[:, 16:] << 4)
    return b"".join(np.float16(one).tobytes() + row.tobytes() for one, row in zip(scale, packed, strict=True))


def tensors_of(module) -> list[tuple[str, bool, np.ndarray]]:
    """(name, quantised, values) of a BERT, under the short names of the file."""
    state = {name: values.numpy() for name, values in module.state_dict().items()}
    found = [
        ("emb.word", True, state["embeddings.word_embeddings.weight"]),
        ("emb.pos", False, state["embeddings.position_embeddings.weight"]),
        ("emb.type", False, state["embeddings.token_type_embeddings.weight"]),
        ("emb.ln.w", False, state["embeddings.LayerNorm.weight"]),
        ("emb.ln.b", False, state["embeddings.LayerNorm.bias"]),
    ]
    parts = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense",
        "fo": "output.dense",
        "oln": "output.LayerNorm",
    }
    for layer in range(LAYERS):
        for short, part in parts.items():
            stem = f"encoder.layer.{layer}.{part}"
            found.append((f"l{layer}.{short}.w", "ln" not in short, state[f"{stem}.weight"]))
            found.append((f"l{layer}.{short}.b", False, state[f"{stem}.bias"]))
    return found


def pack(module, path: Path, *, magic: bytes = b"E5S1", block: int = 32) -> None:
    head = magic + struct.pack("<I7ifi", 1, WIDTH, LAYERS, HEADS, INNER, VOCABULARY, POSITIONS, 2, 1e-12, block)
    pieces = [b"<s>", b"<pad>", b"</s>", b"<unk>", b"a"]
    ends = np.cumsum([0, *map(len, pieces)]).astype("<u4").tobytes()
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, sum(map(len, pieces))) + ends + bytes(4 * len(pieces))
    head += b"".join(pieces) + struct.pack("<iI", 1, 9) + struct.pack("<IBI", 65, 1, 97)
    tensors = [
        (name, packed, values.size, q4_0(values) if packed else values.astype("<f4").tobytes())
        for name, packed, values in tensors_of(module)
    ]
    at = len(head) + 4 + sum(2 + len(name) + 21 for name, *_ in tensors)
    directory = struct.pack("<i", len(tensors))
    for name, packed, size, stored in tensors:
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", packed, size, at, len(stored))
        at += len(stored)
    path.write_bytes(head + directory + b"".join(stored for *_, stored in tensors))


@pytest.fixture
def bert():
    from transformers import BertConfig, BertModel

    torch.manual_seed(5)
    shape = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS}
    config = BertConfig(
        vocab_size=VOCABULARY, intermediate_size=INNER, max_position_embeddings=POSITIONS, layer_norm_eps=1e-12, **shape
    )
    module = BertModel(config).eval()
    torch.nn.init.normal_(module.embeddings.word_embeddings.weight, 0.0, 0.02)
    for norm in (part for part in module.modules() if isinstance(part, torch.nn.LayerNorm)):
        torch.nn.init.normal_(norm.weight, 1.0, 0.2)
        torch.nn.init.normal_(norm.bias, 0.0, 0.2)
    return module


def test_a_packed_model_becomes_the_one_it_was_made_from(bert, tmp_path, caplog):
    from transformers import AutoModel

    pack(bert, tmp_path / "e5.bin")
    convert_e5(tmp_path / "e5.bin", tmp_path)
    again = AutoModel.from_pretrained(tmp_path, dtype=torch.float32)
    ids = torch.tensor([[0, 7, 9, 11, 2], [0, 40, 41, 49, 2]])
    with torch.no_grad():
        expected, found = bert(ids).last_hidden_state, again(ids).last_hidden_state
    assert again.config.layer_norm_eps == 1e-12
    cosines = torch.nn.functional.cosine_similarity(expected, found, dim=-1)
    assert float(cosines.min()) > 0.99
    assert float(cosines.min()) < 1  # quantised after all
    exact = dict(again.named_parameters())
    for name, values in bert.named_parameters():
        if "LayerNorm" in name or (name.endswith("bias") and "pooler" not in name) or "position" in name:
            assert torch.equal(exact[name], values), name
    assert not caplog.records


@pytest.mark.parametrize(("wrong", "what"), [({"magic": b"GGUF"}, "begins with"), ({"block": 64}, "blocks of 64")])
def test_another_format_is_refused(bert, tmp_path, wrong, what):
    pack(bert, tmp_path / "e5.bin", **wrong)
    with pytest.raises(ValueError, match=what):
        convert_e5(tmp_path / "e5.bin", tmp_path)
