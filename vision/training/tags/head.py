"""From photos and what people wrote of them to a tag head: probes, weights, curves, thresholds."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vision.heads.word_model import WordModel, calibrate, fold_log_odds, sigmoid, weigh
from vision.training.steps import Progress, silent
from vision.training.tags.fusion import (
    Fusion,
    Witnessed,
    fit_curve,
    fit_weights,
    mean_weights,
)
from vision.training.tags.looked import NOWHERE, EyeCalibration, surely_right_from
from vision.training.tags.material import TagPhotos
from vision.training.tags.probes import Probes, ProbeTraining, train_probes
from vision.training.tags.thresholds import NEVER, Judged, TagCalibration, thresholds
from vision.vocabulary import Word

logger = logging.getLogger(__name__)

CLASSES = 1000


@dataclass(frozen=True, slots=True)
class TagTraining:
    """Settings of the tag head. Photos with several captions count `captioned_weight` times."""

    probe: ProbeTraining = field(default_factory=ProbeTraining)
    fusion: Fusion = field(default_factory=Fusion)
    calibration: TagCalibration = field(default_factory=TagCalibration)
    eye: EyeCalibration = field(default_factory=EyeCalibration)
    captioned_weight: float = 2.0
    lowest_rate: float = 0.3
    rate_hold: float = 20.0  # photos for which the usual rate counts
    # Of photos that are surely of a word, one caption names it in at least this share, whatever the
    # usual rate is: what is plain to see is named more often.
    plain_rate: float = 0.85


@dataclass(frozen=True, slots=True)
class TrainedTags:
    """The head of all words, from which probability each is said, and how it does on photos that
    its probes have not seen."""

    model: WordModel
    thresholds: NDArray[np.float32]
    unseen: list[NDArray[np.float32]]


def train_tags(
    photos: Sequence[TagPhotos],
    words: Sequence[Word],
    prompts_WD: NDArray[np.float32],
    rates_W: NDArray[np.float32],
    config: TagTraining,
    *,
    progress: Progress = silent,
) -> TrainedTags:
    """Train the head. `rates_W` is the share of captions that name a word of photos that show it,
    NaN where that is unknown."""
    fold = fold_matrix(words)
    probes = train_probes(photos, config.probe, progress=progress)
    rates = usual_rates(rates_W, photos, config)
    said = [
        _witnesses(each, own, fold, prompts_WD)
        for each, own in zip(photos, probes.unseen, strict=True)
    ]
    columns = _Columns(photos, said, rates, config)
    weights = _weights(columns, words, fold, probes, config)
    groups = sorted({word.group for word in words})
    group = np.array([groups.index(word.group) for word in words])
    log_odds = [weigh((one[0], one[1], one[2]), weights) for one in said]
    knots, values = _curves(columns, log_odds, group, len(groups), config)
    unseen = [calibrate(each, group, knots, values) for each in log_odds]
    judged = [columns.judged(number, unseen) for number in range(len(words))]
    said_from = thresholds(judged, [word.group for word in words], config.calibration)
    model = WordModel(
        fold,
        prompts_WD,
        probes.weights,
        weights,
        group,
        _and_straight(knots),
        _and_straight(values),
    )
    for word in columns.looked_at(probes.has_probe):
        probed, shows = columns.looks(word, probes.unseen)
        least = surely_right_from(probed, shows, config.calibration, config.eye)
        sure = probed >= least
        logger.info(
            "looked word=%s photos=%d right=%d said=%d right_of_said=%d",
            *(words[word].name.replace(" ", "_"), len(shows), shows.sum()),
            *(sure.sum(), shows[sure].sum()),
        )
        said_from[word] = config.eye.said_from if least < NOWHERE else NEVER
        if least < NOWHERE:
            _say_by_probe(model, word, said_from[word], least)
            for own, each in zip(unseen, probes.unseen, strict=True):
                own[:, word] = sigmoid(each[:, word] + model.weights[word, 0])
    model.weights[:, 0] += model.weights[:, 3] * probes.bias
    return TrainedTags(model, said_from, unseen)


def _and_straight(curves_GK: NDArray[np.float32]) -> NDArray[np.float32]:
    """Curves and one more, which changes nothing: (G + 1, K)."""
    straight = np.linspace(-30, 30, curves_GK.shape[1], dtype=np.float32)
    return np.concatenate([curves_GK, straight[None]])


def _say_by_probe(model: WordModel, word: int, probability: float, least: float) -> None:
    """Let a word have this probability where its probe says `least` log-odds, and ask nothing else.

    People looked at the first photos of the probe, which had not seen them; the embedding had.
    """
    model.weights[word] = (np.log(probability / (1 - probability)) - least, 0.0, 0.0, 1.0)
    model.group[word] = len(model.knots) - 1


def fold_matrix(words: Sequence[Word]) -> NDArray[np.float32]:
    """Which classes each word sums, those of narrower words included: (W, 1000), 0 or 1."""
    place = {word.name: number for number, word in enumerate(words)}
    matrix = np.zeros((len(words), CLASSES), np.float32)
    for word in reversed(words):
        matrix[place[word.name], list(word.classes)] = 1.0
        if word.broader in place:
            above = matrix[place[word.broader]]
            np.maximum(above, matrix[place[word.name]], out=above)
    return matrix


def usual_rates(
    rates_W: NDArray[np.float32], photos: Sequence[TagPhotos], config: TagTraining
) -> NDArray[np.float32]:
    """Rates of mention, rare words leaning on the mean of all; never below the lowest believed."""
    known = np.isfinite(rates_W)
    usual = float(rates_W[known].mean()) if known.any() else 1.0
    several = [each for each in photos if each.captions > 1]
    counts = sum((each.shown.sum(axis=0) for each in several), np.zeros(len(rates_W)))
    own = np.where(known, rates_W, usual)
    held = (counts * own + config.rate_hold * usual) / (counts + config.rate_hold)
    return np.clip(held, config.lowest_rate, 1.0).astype(np.float32)


class _Columns:
    """What all collections say of one word at a time."""

    def __init__(
        self,
        photos: Sequence[TagPhotos],
        said: Sequence[NDArray[np.float32]],
        rates: NDArray[np.float32],
        config: TagTraining,
    ) -> None:
        self.photos, self.said = photos, said
        self.rates = [self._rates(each, rates) for each in photos]
        self.plain_rate = config.plain_rate
        self.weights = [config.captioned_weight if each.captions > 1 else 1.0 for each in photos]

    @staticmethod
    def _rates(each: TagPhotos, rates: NDArray[np.float32]) -> NDArray[np.float32]:
        whole = each.complete | (each.captions != 1)
        return np.where(whole, 1.0, rates).astype(np.float32)

    def known(self, word: int) -> list[tuple[int, NDArray[np.bool_]]]:
        """By collection the photos of which anything is known about the word."""
        return [
            (number, each.judged[word] | each.shown[:, word])
            for number, each in enumerate(self.photos)
        ]

    def witnessed(self, word: int) -> Witnessed:
        rows = self.known(word)
        return Witnessed(
            witnesses=np.concatenate([self.said[n][:, own, word].T for n, own in rows]),
            named=np.concatenate([self.photos[n].shown[own, word] for n, own in rows]),
            rate=self._spread(rows, self.rates, word),
            weight=np.concatenate(
                [np.full(own.sum(), self.weights[n], np.float32) for n, own in rows]
            ),
        )

    def judged(self, word: int, probable: Sequence[NDArray[np.float32]]) -> Judged:
        return self._judged(self.known(word), word, probable)

    def looked_at(self, has_probe: NDArray[np.bool_]) -> list[int]:
        """Words with a probe of which somebody looked at photos."""
        looked = np.any([each.looks.any(axis=0) for each in self.photos], axis=0)
        return [int(word) for word in np.flatnonzero(looked & has_probe)]

    def looks(
        self, word: int, of: Sequence[NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Of the photos that were looked at for a word: their values in `of`, and who shows it."""
        own = [each.looks[:, word] != 0 for each in self.photos]
        pairs = list(zip(self.photos, own, of, strict=True))
        return (
            np.concatenate([values[rows, word] for _, rows, values in pairs]),
            np.concatenate([each.looks[rows, word] > 0 for each, rows, _ in pairs]),
        )

    def fully_told(self, word: int, probable: Sequence[NDArray[np.float32]]) -> Judged:
        """The word where several people told, or all was labelled: what silence means there is
        known."""
        told = [
            n for n, each in enumerate(self.photos) if each.captions and self.rates[n][word] == 1
        ]
        rows = self.known(word)
        return self._judged([rows[n] for n in told] or rows, word, probable)

    def _judged(
        self,
        rows: Sequence[tuple[int, NDArray[np.bool_]]],
        word: int,
        probable: Sequence[NDArray[np.float32]],
    ) -> Judged:
        right = np.concatenate([self.photos[n].right[own, word] for n, own in rows])
        rate = np.maximum(self._spread(rows, self.rates, word), self.plain_rate)
        return Judged(
            np.concatenate([probable[n][own, word] for n, own in rows]),
            (right / rate).astype(np.float32),
            np.concatenate([np.full(own.sum(), n) for n, own in rows]),
        )

    @staticmethod
    def _spread(
        rows: Sequence[tuple[int, NDArray[np.bool_]]],
        values: Sequence[NDArray[np.float32]],
        word: int,
    ) -> NDArray[np.float32]:
        return np.concatenate([np.full(own.sum(), values[n][word], np.float32) for n, own in rows])


def _witnesses(
    each: TagPhotos,
    probed: NDArray[np.float32],
    fold: NDArray[np.float32],
    prompts_WD: NDArray[np.float32],
) -> NDArray[np.float32]:
    """What classes, likeness and the probe that has not seen a photo say: (3, photos, W)."""
    classes = fold_log_odds(each.logits.astype(np.float32), fold)
    likeness = each.embeddings.astype(np.float32) @ prompts_WD.T
    return np.stack([classes, likeness, probed])


def _weights(
    columns: _Columns,
    words: Sequence[Word],
    fold: NDArray[np.float32],
    probes: Probes,
    config: TagTraining,
) -> NDArray[np.float32]:
    """Weights (W, 4): first those of well-known words, from which the others learn."""
    uses = np.stack([fold.any(axis=1), np.ones(len(words), bool), probes.has_probe], axis=1)
    data = [columns.witnessed(number) for number in range(len(words))]
    known = [n for n, one in enumerate(data) if one.named.sum() >= config.fusion.well_known]
    first = mean_weights([])
    alone = {n: fit_weights(data[n], first, config.fusion, uses=uses[n]) for n in known}
    blind = np.array([True, True, False])
    without = {n: fit_weights(data[n], first, config.fusion, uses=uses[n] & blind) for n in known}
    fitted = np.zeros((len(words), 4), np.float32)
    for number, word in enumerate(words):
        kin = alone if probes.has_probe[number] else without
        prior = _kin_weights([kin[n] for n in known if words[n].group == word.group], kin)
        fitted[number] = fit_weights(data[number], prior, config.fusion, uses=uses[number])
    return fitted


def _kin_weights(
    group: Sequence[NDArray[np.float32]], everyone: dict[int, NDArray[np.float32]]
) -> NDArray[np.float32]:
    """The middle weight of each witness among the words of a group that have it, or among all."""
    prior = mean_weights([])
    for number in range(4):
        own = [weights for weights in group if weights[number]]
        own = own if len(own) >= 3 else [w for w in everyone.values() if w[number]]
        if own:
            prior[number] = mean_weights(own)[number]
    return prior


def _curves(
    columns: _Columns,
    log_odds: Sequence[NDArray[np.float32]],
    group: NDArray[np.int64],
    groups: int,
    config: TagTraining,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Knots and values (G, K) of each group's curve, from photos that no probe has seen."""
    curves = []
    for number in range(groups):
        own = np.flatnonzero(group == number).tolist()
        judged = [columns.fully_told(word, log_odds) for word in own]
        curves.append(
            fit_curve(
                np.concatenate([each.probable for each in judged]),
                np.concatenate([each.right for each in judged]),
                knots=config.fusion.knots,
            )
        )
    return np.stack([knots for knots, _ in curves]), np.stack([values for _, values in curves])


__all__ = ["TagTraining", "TrainedTags", "fold_matrix", "sigmoid", "train_tags", "usual_rates"]
