"""Sentence features of captions, and the export of the text side.

The text tower trains on the features that the exported int8 MiniLM gives, as it will meet them in
the product. int8 costs MiniLM's features 0.6 % of their direction (cosine 0.994 to fp32 on
400 captions) and makes the file a quarter as large.
"""

import copy
import hashlib
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from vision.collection import Collection
from vision.sessions import open_session
from vision.training.embedding.minilm import WIDTH, MiniLM, minilm_tokenizer, pretrained_minilm

BATCH = 32
LARGE = 10_000  # numbers in a weight that is worth storing in half
MAX_TOKENS = 128  # what MiniLM was trained with; a query is rarely 20


class TextSide(nn.Module):
    """MiniLM and a tower in one network: ids_BT, mask_BT -> (B, embed_dim)."""

    def __init__(self, minilm: MiniLM, tower: nn.Module) -> None:
        super().__init__()
        self.minilm = minilm
        self.tower = tower

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        return self.tower(self.minilm(ids_BT, mask_BT))


def export_text_side(network: TextSide, *, to: Path, output: str = "embedding") -> None:
    """Write a text side as ONNX: MiniLM in int8, the tower in float16."""
    network = copy.deepcopy(network).eval()
    network.minilm.words = network.minilm.words.as_one_table()  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as scratch:
        exact = Path(scratch) / "fp32.onnx"
        _export_fp32(network, to=exact, output=output)
        quantize_dynamic(
            str(exact),
            str(to),
            weight_type=QuantType.QInt8,
            per_channel=True,
            # 7 bits: processors without VNNI add int8 products in 16 bits, which 8 would overflow.
            reduce_range=True,
            nodes_to_exclude=_nodes_of_tower(exact),
        )
    _halve(to)


def export_sentence_encoder(to: Path) -> None:
    """Write int8 MiniLM alone, to train a tower on its features."""
    export_text_side(TextSide(pretrained_minilm(), nn.Identity()), to=to, output="features")


def caption_features(
    collection: Collection, split: str, *, encoder: Path, cache: Path
) -> NDArray[np.float32]:
    """Sentence features of all captions of a split, (captions, 384), kept in `cache`.

    Rows follow `collection.captions(split)`, photo by photo.
    """
    captions = [text for texts in collection.captions(split).values() for text in texts]
    return kept_features(captions, f"{collection.name}.{split}", encoder=encoder, cache=cache)


def kept_features(
    texts: Sequence[str], name: str, *, encoder: Path, cache: Path
) -> NDArray[np.float32]:
    """`sentence_features` of texts, kept in `cache` under `name` and a hash of their content."""
    digest = hashlib.sha256(encoder.read_bytes() + "\n".join(texts).encode()).hexdigest()[:12]
    kept = cache / f"{name}.sentences.{digest}.npy"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, sentence_features(texts, encoder=encoder))
    return np.load(kept)


def sentence_features(texts: Sequence[str], *, encoder: Path) -> NDArray[np.float32]:
    """int8 MiniLM features of texts, (n, 384). Texts of equal length run together."""
    session = open_session(encoder)
    encodings = minilm_tokenizer().encode_batch(list(texts))
    rows_of_length: dict[int, list[int]] = defaultdict(list)
    for row, encoding in enumerate(encodings):
        rows_of_length[len(encoding.ids)].append(row)
    features = np.empty((len(texts), WIDTH), dtype=np.float32)
    for rows in rows_of_length.values():
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            ids_BT = np.array([encodings[row].ids for row in batch])
            (features[batch],) = session.run(None, {"ids": ids_BT, "mask": np.ones_like(ids_BT)})
    return features


def _export_fp32(network: nn.Module, *, to: Path, output: str) -> None:
    ids = torch.tensor([[101, 2048, 6077, 102], [101, 6077, 102, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    axes = {"ids": {0: "batch", 1: "tokens"}, "mask": {0: "batch", 1: "tokens"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter; see vision.training.backbone
        torch.onnx.export(
            network,
            (ids, mask),
            str(to),
            input_names=["ids", "mask"],
            output_names=[output],
            dynamic_axes={**axes, output: {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )


def _nodes_of_tower(path: Path) -> list[str]:
    """The tower's nodes, also by the names that the quantiser gives to what it takes apart."""
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    names = [node.name for node in graph.node if node.name.startswith("/tower/")]
    return names + [f"{name}_MatMul" for name in names]


def _halve(path: Path) -> None:
    """Store large float32 weights as float16; ONNX Runtime widens them once, when it loads them."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(path))
    casts = []
    for weight in model.graph.initializer:
        if weight.data_type == TensorProto.FLOAT and np.prod(weight.dims) >= LARGE:
            name = weight.name
            half = numpy_helper.to_array(weight).astype(np.float16)
            weight.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    onnx.save(model, str(path))
