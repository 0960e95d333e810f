"""The text side of a joint model as one ONNX file, since the web process runs no torch.

In int8 where that changes the embeddings little, which is measured as it is exported.
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from vision.sessions import open_session
from vision.strong.joint import Projection

BATCH = 16
# Mean cosine between int8 and float embeddings below which float is kept, four times as large.
INT8_COSINE = 0.98


class ClipTexts(nn.Module):
    """CLIP's text side: token ids (B, T) without padding -> (B, projection_dim).

    The sentence's last token, its end, has read all before it.
    """

    def __init__(self, text_model: nn.Module, out: nn.Module) -> None:
        super().__init__()
        self.text_model, self.out = text_model, out

    def forward(self, ids_BT: Tensor) -> Tensor:
        model: Any = self.text_model
        hidden_BTD = model.embeddings(input_ids=ids_BT)
        length = ids_BT.shape[1]
        later = torch.ones(length, length, device=ids_BT.device).triu(1)
        hidden_BTD = _through(model, hidden_BTD, later[None, None] * -1e9)
        return self.out(hidden_BTD[:, -1])


class SiglipTexts(nn.Module):
    """SigLIP's text side: it learned from sentences padded to one length and reads the last place.

    Token ids (B, T) without padding -> (B, projection_size).
    """

    def __init__(self, text_model: nn.Module, *, length: int, padding: int) -> None:
        super().__init__()
        self.text_model, self.length, self.padding = text_model, length, padding

    def forward(self, ids_BT: Tensor) -> Tensor:
        model: Any = self.text_model
        padding = torch.full((1, self.length), self.padding, dtype=torch.long, device=ids_BT.device)
        padding = padding.expand(ids_BT.shape[0], self.length)
        ids_BT = torch.cat([ids_BT, padding], dim=1)[:, : self.length]
        return model.head(_through(model, model.embeddings(input_ids=ids_BT), None)[:, -1])


def _through(model: Any, hidden_BTD: Tensor, mask: Tensor | None) -> Tensor:
    for layer in model.encoder.layers:
        out = layer(hidden_BTD, attention_mask=mask)
        hidden_BTD = out[0] if isinstance(out, tuple) else out
    return model.final_layer_norm(hidden_BTD)


class _Exported(nn.Module):
    """What `TextEncoder` runs: ids and a mask that is always full -> (B, 512)."""

    def __init__(self, texts: nn.Module, projection: Projection) -> None:
        super().__init__()
        self.texts, self.projection = texts, projection

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        # Both inputs must stay in the graph, though nothing is ever masked.
        return self.projection(self.texts(ids_BT)) * mask_BT[:, :1].float()


def features_of(
    texts: nn.Module, tokenizer: Tokenizer, sentences: list[str]
) -> NDArray[np.float32]:
    """A model's own features of sentences, (n, width) of unit norm; each runs alone."""
    found = []
    with torch.inference_mode():
        for sentence in sentences:
            ids_1T = torch.tensor([tokenizer.encode(sentence).ids])
            found.append(nn.functional.normalize(texts(ids_1T), dim=-1)[0].numpy())
    return np.stack(found)


def export(
    texts: nn.Module,
    projection: Projection,
    tokenizer: Tokenizer,
    *,
    to: Path,
    probes: list[str],
) -> dict[str, Any]:
    """Write the text side and say how near int8 comes to float on `probes`."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory(dir=to.parent) as scratch:
        exact, small = Path(scratch) / "fp32.onnx", Path(scratch) / "int8.onnx"
        _export_fp32(_Exported(texts, projection).eval(), tokenizer.encode("a photo").ids, exact)
        quantize_dynamic(
            str(exact),
            str(small),
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,  # as in vision.training.embedding.sentences
            nodes_to_exclude=_nodes_of_projection(exact),
        )
        cosine = _agreement(exact, small, tokenizer, probes)
        chosen = small if cosine >= INT8_COSINE else exact
        chosen.rename(to)
    return {"int8_cosine": round(cosine, 4), "weights": chosen.stem}


def _export_fp32(network: nn.Module, ids: list[int], to: Path) -> None:
    ids_1T = torch.tensor([ids])
    axes = {"ids": {0: "batch", 1: "tokens"}, "mask": {0: "batch", 1: "tokens"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter; see vision.training.backbone
        torch.onnx.export(
            network,
            (ids_1T, torch.ones_like(ids_1T)),
            str(to),
            input_names=["ids", "mask"],
            output_names=["embedding"],
            dynamic_axes={**axes, "embedding": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )


def _nodes_of_projection(path: Path) -> list[str]:
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    return [node.name for node in graph.node if node.name.startswith("/projection/")]


def _agreement(exact: Path, small: Path, tokenizer: Tokenizer, probes: list[str]) -> float:
    one, other = (_run(path, tokenizer, probes) for path in (exact, small))
    return float((one * other).sum(axis=1).mean())


def _run(path: Path, tokenizer: Tokenizer, sentences: list[str]) -> NDArray[np.float32]:
    session = open_session(path)
    found = []
    for sentence in sentences:
        ids_1T = np.array([tokenizer.encode(sentence).ids], dtype=np.int64)
        feed = {"ids": ids_1T, "mask": np.ones_like(ids_1T)}
        found.append(session.run(["embedding"], feed)[0][0])
    return np.stack(found)
