"""Self-critical sequence training: say sentences, and make those likelier that score above par.

Cross-entropy asks for the next word of somebody's sentence; people judge whole sentences. So the
decoder samples several sentences of each photo, and the log probability of each is pushed by how
much its CIDEr-D exceeds the mean of the others. Sources: Rennie et al. 2017 (arXiv:1612.00563);
the mean as baseline, Luo 2020 (arXiv:2003.09971).

Shapes: P photos, S samples of each, B = P * S sentences, T words, V words of the language.
"""

import numpy as np
import torch
from torch import Tensor

from vision.heads.polyglot import END, SPECIAL, UNKNOWN, Photos, PolyglotDecoder
from vision.heads.speaking import Seen, Speaker
from vision.training.captions.data import MAX_WORDS, NO_WORD, Task
from vision.training.captions.rewards import CiderReward
from vision.training.distributed.world import current_world


def self_critical_loss(
    model: PolyglotDecoder,
    task: Task,
    reward: CiderReward,
    *,
    photos: int,
    samples: int,
    temperature: float,
    fast: bool,
    rng: np.random.Generator,
) -> tuple[Tensor, float]:
    """Loss to descend, and the mean reward of the sentences said; of all processes' photos."""
    world = current_world()
    chosen, pictures, view = task.draw_photos(photos, rng)
    count, own = len(chosen), world.part(len(chosen), least=1)
    chosen, pictures = chosen[own], pictures.part(own, world.device)
    with torch.no_grad():
        seen = model.eval().look(pictures)
    speaker = model.speaker(task.language, fast=fast)
    said_BT = sample(speaker, seen, task, samples=samples, temperature=temperature)
    # References describe the photo as it was taken: "left" of a mirrored one is its "right".
    said = said_BT.cpu()
    known_BT = torch.from_numpy(task.mirrored)[said.clamp(min=0)] if view else said
    rewards_PS = torch.tensor(
        [
            reward(int(chosen[row // samples]), [w for w in words if w != NO_WORD])
            for row, words in enumerate(known_BT.where(said >= 0, NO_WORD).tolist())
        ],
        device=world.device,
    ).unflatten(0, (-1, samples))
    advantage_PS = rewards_PS - rewards_PS.mean(dim=1, keepdim=True)
    advantage_PS = advantage_PS * samples / max(1, samples - 1)
    every_PS = world.gathered(advantage_PS, count)
    advantage_PS = advantage_PS / every_PS.std().clamp(min=1e-3)
    likely_BT = log_probabilities(model.train(), pictures, said_BT, task, temperature=temperature)
    gain = world.summed((likely_BT.sum(dim=1) * advantage_PS.flatten()).sum())
    rewards = world.gathered(rewards_PS, count)
    return -gain / world.summed((said_BT >= 0).sum()), float(rewards.mean())


@torch.no_grad()
def sample(speaker: Speaker, seen: Seen, task: Task, *, samples: int, temperature: float) -> Tensor:
    """Sentences (B, T) with their END, NO_WORD after it, drawn word by word."""
    seen, count = speaker.prepare(seen), len(seen) * samples
    hidden, cell = (part.repeat_interleave(samples, dim=0) for part in seen.state)
    state, words_B = (hidden, cell), torch.full((count,), task.start, device=hidden.device)
    running_B = torch.ones(count, dtype=torch.bool, device=hidden.device)
    said = []
    for _ in range(MAX_WORDS):
        logits_BV, state = speaker.step(words_B, seen, state)
        words_B = _draw((_allowed(logits_BV, task.language) / temperature).softmax(dim=-1))
        said.append(words_B.where(running_B, NO_WORD))
        running_B &= words_B != END
        if not running_B.any():
            break
    return torch.stack(said, dim=1)


def _draw(chances_BV: Tensor) -> Tensor:
    """One word (B,) of each row; one random number a row is a tenth of multinomial's time."""
    upto_BV = chances_BV.cumsum(dim=-1)
    where_B1 = torch.rand(len(upto_BV), 1, device=upto_BV.device) * upto_BV[:, -1:]
    return torch.searchsorted(upto_BV, where_B1)[:, 0].clamp(max=upto_BV.shape[1] - 1)


def log_probabilities(
    model: PolyglotDecoder, photos: Photos, said_BT: Tensor, task: Task, *, temperature: float
) -> Tensor:
    """(B, T) of each word given those before, 0 after the end; with gradients."""
    first_B1 = torch.full((len(said_BT), 1), task.start, device=said_BT.device)
    before_BT = torch.cat([first_B1, said_BT[:, :-1].clamp(min=END)], dim=1)
    logits_BTV = model.read(before_BT, model.look(photos), task.language).float()
    likely_BTV = (_allowed(logits_BTV, task.language) / temperature).log_softmax(dim=-1)
    likely_BT1 = likely_BTV.gather(-1, said_BT.clamp(min=END)[..., None])
    return likely_BT1[..., 0] * (said_BT >= 0)


def _allowed(logits: Tensor, language: str) -> Tensor:
    """Without the special words, which are never said."""
    never = torch.zeros(logits.shape[-1], device=logits.device)
    never[UNKNOWN : len(SPECIAL[language])] = float("-inf")
    return logits + never
