"""Figures of a classifier in words. Torch-free: pages say the same as the model card."""

from typing import Any

TENTHS = 10


def often(share: float) -> str:
    """How often, for people: "about 9 of 10 times"; near the ends in hundredths."""
    if share >= 0.995:
        return "practically every time"
    if share >= 0.95 or 0 < share < 0.05:
        return f"about {max(1, round(100 * share))} of 100 times"
    if share <= 0:
        return "never"
    return f"about {round(TENTHS * share)} of 10 times"


def in_words(figures: dict[str, Any]) -> list[str]:
    """Sentences, most important first."""
    said = [
        f"Right {often(figures['top1'])}, on {figures['photos']:,} photos that it has not learned "
        "from.",
        f"It says its tag on {often(figures['said']).removeprefix('about ').removesuffix(' times')}"
        f" of those photos, and is then right {often(figures['right_when_said'])}.",
    ]
    if figures["confusions"]:
        worst = figures["confusions"][0]
        said.append(f"Most often it takes {worst['is']} for {worst['taken_for']}.")
    background = figures["background"]
    if background["photos"]:
        said.append(
            f"Of {background['photos']:,} photos of the library that show none of its classes, it "
            f"tags {background['tagged']:.1%} all the same."
        )
    else:
        said.append(
            "The library had no photos to learn from what none of the classes looks like; train "
            "it again once there are some hundred."
        )
    return said
