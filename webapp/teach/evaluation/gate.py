"""May a backbone become the default? Beside EfficientNet-Lite2, on photos nobody trained on."""

from typing import Any

from webapp.teach.evaluation.figures import Figures, figure

RECALL_SHARE = 0.95  # of recall@10, text -> image
AGREEMENT_SHARE = 0.90  # of the top-5 agreement with Lite2 in fp32


def verdict(theirs: Figures, ours: Figures) -> dict[str, Any]:
    """Whether a candidate's figures (`theirs`) come near enough to the default's (`ours`)."""
    recall = _share(theirs, ours, "retrieval", "text_to_image", "recall@10")
    agreement = _share(theirs, ours, "classification", "top5")
    return {
        "recall@10_share": recall,
        "recall@10_needed": RECALL_SHARE,
        "top5_share": agreement,
        "top5_needed": AGREEMENT_SHARE,
        "passed": recall >= RECALL_SHARE and agreement >= AGREEMENT_SHARE,
    }


def _share(theirs: Figures, ours: Figures, *path: str) -> float:
    return figure(theirs, *path) / max(figure(ours, *path), 1e-9)
