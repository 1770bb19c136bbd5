"""Documents and code say the same."""

from __future__ import annotations

import pytest

from tests.docs.generated import DOCUMENTS, ROOT
from vault.domain.event import CATALOGUE, EventType


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_is_what_the_code_says(name: str) -> None:
    written = (ROOT / "docs" / name).read_text("utf-8")
    assert DOCUMENTS[name]() + "\n" == written, "run: python -m tests.docs.generated"


def test_every_event_is_in_the_catalogue() -> None:
    assert set(EventType) == set(CATALOGUE)
