"""Tiny randomly initialised models in the formats of those that are pulled."""

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = [
    "a",
    "photo",
    "of",
    "the",
    "dog",
    "cat",
    "sea",
    "boat",
    "red",
    "flower",
    "on",
    "grass",
    "in",
    "snow",
    "beach",
    "man",
    "woman",
    "child",
]
END = 3 + len(WORDS)  # CLIP takes the highest id for the end
SIDE = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
SEEING = SIDE | {"image_size": 32, "patch_size": 16}


def write_clip(folder: Path) -> Path:
    """A CLIP of 24 dimensions."""
    from transformers import CLIPConfig, CLIPModel

    tokenizer = write_tokenizer(folder)
    reading = SIDE | {
        "vocab_size": tokenizer.get_vocab_size(),
        "max_position_embeddings": 20,
        "bos_token_id": 1,
        "eos_token_id": END,
        "pad_token_id": 0,
    }
    config = CLIPConfig(text_config=reading, vision_config=SEEING, projection_dim=24)
    return _save(CLIPModel, config, folder)


def write_siglip(folder: Path, *, width: int = 32) -> Path:
    """A SigLIP whose space has `width` dimensions."""
    from transformers import SiglipConfig, SiglipModel

    tokenizer = write_tokenizer(folder)
    reading = SIDE | {
        "vocab_size": tokenizer.get_vocab_size(),
        "max_position_embeddings": 16,
        "hidden_size": width,
    }
    seeing = SEEING | {"hidden_size": width}
    return _save(SiglipModel, SiglipConfig(text_config=reading, vision_config=seeing), folder)


def write_blip(folder: Path) -> Path:
    """A BLIP captioner, its weights in a pickle of tensors as the official ones are."""
    from transformers import BlipConfig, BlipForConditionalGeneration

    tokenizer = write_tokenizer(folder)
    speaking = SIDE | {
        "vocab_size": tokenizer.get_vocab_size(),
        "max_position_embeddings": 40,
        "bos_token_id": 1,
        "eos_token_id": END,
        "sep_token_id": END,
        "pad_token_id": 0,
        "encoder_hidden_size": 32,
        "projection_dim": 16,
    }
    config = BlipConfig(text_config=speaking, vision_config=SEEING, projection_dim=16)
    _save(BlipForConditionalGeneration, config, folder)
    from safetensors.torch import load_file

    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder


def write_tokenizer(folder: Path) -> Tokenizer:
    """Words by themselves, begun and ended."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {word: n for n, word in enumerate(["<pad>", "<s>", "<unk>", *WORDS, "</s>"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", END)]
    )
    tokenizer.add_special_tokens(["<pad>", "<s>", "</s>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer


def _save(kind: Any, config: Any, folder: Path) -> Path:
    torch.manual_seed(0)
    kind(config).eval().save_pretrained(folder, safe_serialization=True)
    assert json.loads((folder / "config.json").read_text())["model_type"]
    return folder
