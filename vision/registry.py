"""Networks by name, so that one is added or swapped with a single line."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from vision.errors import UnknownNetwork

Factory = TypeVar("Factory", bound=Callable[..., Any])


class Registry(Generic[Factory]):
    """A dictionary of factories that explains itself when a name is unknown."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._factories: dict[str, Factory] = {}

    def register(self, name: str) -> Callable[[Factory], Factory]:
        """Decorate a factory to make it known under `name`."""

        def add(factory: Factory) -> Factory:
            if name in self._factories:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._factories[name] = factory
            return factory

        return add

    def __getitem__(self, name: str) -> Factory:
        try:
            return self._factories[name]
        except KeyError:
            known = ", ".join(sorted(self._factories)) or "none"
            raise UnknownNetwork(
                f"There is no {self.kind} called {name!r}. Known: {known}."
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._factories))

    def __contains__(self, name: object) -> bool:
        return name in self._factories
