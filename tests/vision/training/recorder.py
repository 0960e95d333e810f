"""Somebody who listens to a training, and may stop it."""


class Recorder:
    """A progress callback that keeps losses and may pull the plug."""

    def __init__(self, *, stop_after: int | None = None) -> None:
        self.losses: list[tuple[int, float]] = []
        self.stop_after = stop_after

    def __call__(self, done: int, total: int, figures: dict[str, float]) -> None:
        self.losses.append((done, figures["loss"]))
        if done == self.stop_after:
            raise KeyboardInterrupt
