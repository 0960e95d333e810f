"""The embedding of a version: image head, and text side in the same space."""

import shutil

from vision.training.checkpoint import Progress, silent
from vision.training.embedding import EmbeddingTraining, load_pairs, train_embedding
from vision.training.minilm import model_folder
from vision.training.publish import save_half
from vision.training.sentences import MAX_TOKENS, export_sentence_encoder, export_text_side
from vision.training.workshop import Parts, Workshop


def make_embedding(
    shop: Workshop, config: EmbeddingTraining, *, progress: Progress = silent
) -> Parts:
    """Train both towers into the draft."""
    encoder = shop.sentence_encoder
    if not encoder.exists():
        export_sentence_encoder(encoder)
    pairs = [
        load_pairs(shop.features, each, "train", encoder=encoder, views=shop.views)
        for each in shop.all_collections()
    ]
    model = train_embedding(pairs, config, work=shop.work, progress=progress)
    save_half(model.image, shop.draft / "embedding.safetensors")
    export_text_side(model.text, to=shop.draft / "text.int8.onnx")
    shutil.copyfile(model_folder() / "tokenizer.json", shop.draft / "tokenizer.json")
    return {
        "embedding": {
            "name": "linear",
            "file": "embedding.safetensors",
            "config": config.network.to_json(),
        },
        "text": {
            "name": "minilm-tower",
            "onnx": "text.int8.onnx",
            "tokenizer": "tokenizer.json",
            "max_tokens": MAX_TOKENS,
        },
    }
