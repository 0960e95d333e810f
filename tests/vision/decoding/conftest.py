from collections.abc import Iterator

import pytest

from vision.decoding import DecoderPool, Limits


@pytest.fixture(scope="session")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(2, Limits()) as pool:
        yield pool
