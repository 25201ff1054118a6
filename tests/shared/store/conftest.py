"""A store on a real Valkey."""

from collections.abc import Iterator

import pytest

from shared.store.connect import Store, connect


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = connect(store_url)
    yield opened
    opened.close()
