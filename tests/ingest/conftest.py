"""The front door on the test's own store."""

from collections.abc import Iterator

import pytest

from tests.ingest.door import Door, open_door_on


@pytest.fixture
def door(store_url: str) -> Iterator[Door]:
    opened = open_door_on(store_url)
    yield opened
    opened.close()
