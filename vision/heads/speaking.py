"""One word at a time, fast: the step that beam search and sampling take of every caption decoder.

Shapes: P photos, B sentences (B / P of each photo, photo by photo), T words, N cells, D attention
width, h heads of d, H hidden width, V words, W sentences of each photo.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

State = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Seen:
    """What of photos every step needs: keys and values (P, N, D), and the first state (P, H)."""

    keys: Tensor
    values: Tensor
    state: State

    def __len__(self) -> int:
        return len(self.keys)

    def of(self, which_P: Tensor) -> "Seen":
        """Some of the photos, by mask or number."""
        hidden, cell = self.state
        return Seen(self.keys[which_P], self.values[which_P], (hidden[which_P], cell[which_P]))


def attend(query_BTD: Tensor, keys_PND: Tensor, values_PND: Tensor, *, heads: int) -> Tensor:
    """What (B, T, D) each query finds in its photo; sentences of one photo ask together."""
    query_PQD = query_BTD.reshape(len(keys_PND), -1, query_BTD.shape[-1])
    q, k, v = (
        part.unflatten(-1, (heads, -1)).transpose(1, 2)
        for part in (query_PQD, keys_PND, values_PND)
    )
    seen_PQD = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    return seen_PQD.reshape(query_BTD.shape)


Linear = Callable[[Tensor], Tensor]


def pack(weight: Tensor, bias: Tensor | None, *, fast: bool) -> Linear:
    """Multiply by a weight; `fast` in bfloat16, where the processor or device multiplies it."""
    if not fast:
        return lambda rows: functional.linear(rows, weight, bias)
    weight, bias = weight.bfloat16(), None if bias is None else bias.bfloat16()
    return lambda rows: functional.linear(rows.bfloat16(), weight, bias).float()


class Speaker:
    """An LSTM with attention after it, unrolled for single steps; nothing here learns.

    What each word adds to the LSTM's gates is computed once, for all words. `fast` multiplies in
    bfloat16, four times as fast as float32 where the processor has it; sums stay in float32.
    """

    def __init__(
        self,
        *,
        words: Tensor,
        bias: Tensor,
        lstm: nn.LSTM,
        query: nn.Linear,
        mix: nn.Linear,
        heads: int,
        fast: bool = False,
    ) -> None:
        with torch.no_grad():
            enter, again, bias_enter, bias_again = lstm.parameters()
            self._gates_of = words @ enter.T + bias_enter + bias_again
            self._recurrent = pack(again, None, fast=fast)
            self._query = pack(query.weight, query.bias, fast=fast)
            self._mix = pack(mix.weight, mix.bias, fast=fast)
            self._name = pack(words, bias, fast=fast)
        self._heads, self._fast = heads, fast

    def prepare(self, seen: Seen) -> Seen:
        """What `step` takes of photos: keys and values (P, heads, N, D / heads) lie together.

        Three queries a photo are too few for PyTorch's fused attention: plain products of these
        take a fifth of its time.
        """
        kind = torch.bfloat16 if self._fast else torch.float32
        keys, values = (
            part.unflatten(-1, (self._heads, -1)).transpose(1, 2).to(kind).contiguous()
            for part in (seen.keys, seen.values)
        )
        return Seen(keys, values, seen.state)

    @torch.no_grad()
    def step(self, words_B: Tensor, seen: Seen, state: State) -> tuple[Tensor, State]:
        """Logits (B, V) of the word after each of `words_B`, and the state after them."""
        hidden_BH, cell_BH = state
        gates = self._gates_of[words_B].add_(self._recurrent(hidden_BH))
        enter, forget, new, leave = gates.chunk(4, dim=-1)
        cell_BH = torch.addcmul(forget.sigmoid() * cell_BH, enter.sigmoid(), new.tanh())
        hidden_BH = leave.sigmoid() * cell_BH.tanh()
        seen_BD = self._attend(self._query(hidden_BH), seen)
        mixed_BW = self._mix(torch.cat([hidden_BH, seen_BD], dim=-1)).tanh_()
        return self._name(mixed_BW), (hidden_BH, cell_BH)

    def _attend(self, query_BD: Tensor, seen: Seen) -> Tensor:
        query_PWhd = query_BD.view(len(seen), -1, self._heads, seen.keys.shape[-1])
        query_PhWd = query_PWhd.transpose(1, 2).to(seen.keys.dtype)
        weights_PhWN = query_PhWd @ seen.keys.transpose(2, 3) * seen.keys.shape[-1] ** -0.5
        seen_PhWd = weights_PhWN.softmax(dim=-1) @ seen.values
        return seen_PhWd.transpose(1, 2).reshape(query_BD.shape).to(query_BD.dtype)
