"""The index names every document, and every link between documents leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.support.repository import ROOT

DOCS: Final = ROOT / "docs"
PAGES: Final = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
LINK: Final = re.compile(r"\]\((?!https?://)([^)#\s]+)(?:#[^)]*)?\)")


def test_the_index_names_every_document_once() -> None:
    named = LINK.findall((DOCS / "README.md").read_text("utf-8"))
    there = {path.name for path in DOCS.iterdir() if path.suffix in {".md", ".json"}} - {"README.md"}
    assert sorted({*there, "adr/README.md"}) == sorted(named)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
