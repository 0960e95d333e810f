"""From a checkpoint in `transformers`' format to the parts of a version.

Only classes that are named here are built, from numbers and names of the configuration, never code
that a repository brings; weights come from safetensors only and must fit without remainder.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn

from vision.errors import PullError
from vision.pixels import squash_batch
from vision.sight import Image
from vision.strong import fitting, texts
from vision.strong.extra import transformers
from vision.strong.joint import ClipPhotos, SiglipPhotos, normalised
from vision.training.publish import Draft, save_half

# As the published preprocessing of each model says.
CLIP_PIXELS = {
    "pixel_mean": [0.48145466, 0.4578275, 0.40821073],
    "pixel_deviation": [0.26862954, 0.26130258, 0.27577711],
}
SIGLIP_PIXELS = {"pixel_mean": [0.5] * 3, "pixel_deviation": [0.5] * 3}
VISION_KEYS = (
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "image_size",
    "patch_size", "num_channels", "hidden_act", "layer_norm_eps",
)  # fmt: skip
SIGLIP_PADDING = 0


def make_clip(fetched: Path, draft: Draft, photos: Sequence[Image]) -> dict[str, Any]:
    model = _model("CLIPModel", fetched)
    config = _vision_config(model) | {"projection_dim": model.config.projection_dim}
    side = ClipPhotos(config)
    side.vision, side.out = model.vision_model, model.visual_projection
    written = texts.ClipTexts(model.text_model, model.text_projection)
    length = int(model.config.text_config.max_position_embeddings)
    return _joint("clip", draft, side, written, config, CLIP_PIXELS, fetched, photos, length)


def make_siglip(fetched: Path, draft: Draft, photos: Sequence[Image]) -> dict[str, Any]:
    model = _model("SiglipModel", fetched)
    config = _vision_config(model)
    side = SiglipPhotos(config)
    side.vision = model.vision_model
    length = int(model.config.text_config.max_position_embeddings)
    written = texts.SiglipTexts(model.text_model, length=length, padding=SIGLIP_PADDING)
    return _joint("siglip", draft, side, written, config, SIGLIP_PIXELS, fetched, photos, length)


def make_blip(fetched: Path, draft: Draft) -> dict[str, Any]:
    model = _model("BlipForConditionalGeneration", fetched)
    config = json.loads(model.config.to_json_string(use_diff=False))
    save_half(model, draft.folder / "blip.safetensors")
    _tokenizer(fetched).save(str(draft.folder / "blip.tokenizer.json"))
    draft.parts["captions"] = {
        "name": "blip",
        "file": "blip.safetensors",
        "tokenizer": "blip.tokenizer.json",
        "config": {key: config[key] for key in ("text_config", "vision_config", "projection_dim")},
        "input_size": config["vision_config"]["image_size"],
        **CLIP_PIXELS,
    }
    return {"parameters": sum(p.numel() for p in model.parameters())}


def _joint(
    kind: str,
    draft: Draft,
    side: nn.Module,
    written: nn.Module,
    config: dict[str, Any],
    pixels: dict[str, Any],
    fetched: Path,
    photos: Sequence[Image],
    length: int,
) -> dict[str, Any]:
    """Fit the projection, write both sides, and describe them in the draft."""
    tokenizer = _tokenizer(fetched, lower=kind == "siglip")
    tokenizer.enable_truncation(length)
    own = texts.features_of(written.eval(), tokenizer, fitting.sentences())
    spec = {
        "name": kind,
        "file": f"{kind}.safetensors",
        "projection": f"{kind}.projection.safetensors",
        "width": own.shape[1],
        "config": config,
        "input_size": config["image_size"],
        **pixels,
    }
    fitted = fitting.fit(own, _seen(side, spec, photos))
    save_half(side, draft.folder / f"{kind}.safetensors")
    save_half(fitted.photos, draft.folder / f"{kind}.projection.safetensors")
    figures = texts.export(
        written,
        fitted.texts,
        tokenizer,
        to=draft.folder / f"{kind}.text.onnx",
        probes=fitting.sentences()[::17],
    )
    tokenizer.save(str(draft.folder / f"{kind}.tokenizer.json"))
    draft.parts["embedding"] = spec
    draft.parts["text"] = {
        "name": f"{kind}-text",
        "onnx": f"{kind}.text.onnx",
        "tokenizer": f"{kind}.tokenizer.json",
        "max_tokens": length,
    }
    return {"projection": fitted.figures, "text": figures}


def _seen(side: nn.Module, spec: dict[str, Any], photos: Sequence[Image]) -> NDArray[np.float32]:
    """The model's own features of photos, (m, width) of unit norm."""
    found = [np.empty((0, spec["width"]), dtype=np.float32)]
    side.eval()
    for image in photos:
        pixels = squash_batch([image], spec["input_size"])
        with torch.inference_mode():
            x = normalised(pixels, spec["pixel_mean"], spec["pixel_deviation"], "cpu")
            found.append(nn.functional.normalize(side(x), dim=-1).numpy())
    return np.concatenate(found)


def _model(name: str, folder: Path) -> Any:
    """Build the named class and fill it. Raises PullError when weights lack, are left over or of
    another shape."""
    library = transformers()
    try:
        model, loading = getattr(library, name).from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            attn_implementation="eager",
            dtype=torch.float32,
            output_loading_info=True,
        )
    except Exception as error:  # transformers and safetensors raise a dozen unrelated classes
        raise PullError(f"{folder.name} was refused: it is no {name} ({error}).") from None
    # Older files carry counters of positions, which are no weights.
    keys = (str(key) for kind in loading.values() for key in kind)
    odd = sorted(key for key in keys if "position_ids" not in key)
    if odd:
        raise PullError(f"{folder.name} was refused: it does not fit {name}; look at: {odd[:5]}.")
    for key, value in model.state_dict().items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise PullError(f"{folder.name} was refused: {key!r} holds what is not a number.")
    return model.eval()


def _vision_config(model: Any) -> dict[str, Any]:
    return {key: getattr(model.config.vision_config, key) for key in VISION_KEYS}


def _tokenizer(folder: Path, *, lower: bool = False) -> Tokenizer:
    """The tokenizer without padding; `lower` for models that learned lower-case sentences."""
    try:
        described = json.loads((folder / "tokenizer.json").read_text("utf-8"))
        if lower:
            steps = [{"type": "Lowercase"}, described.get("normalizer")]
            steps = [step for step in steps if step]
            described["normalizer"] = {"type": "Sequence", "normalizers": steps}
        tokenizer = Tokenizer.from_str(json.dumps(described))
    except Exception as error:  # tokenizers raises bare Exception
        raise PullError(f"tokenizer.json was refused: it is no tokenizer ({error}).") from None
    tokenizer.no_padding()
    return tokenizer
