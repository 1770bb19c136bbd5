"""Each sign of the approvers' queue is in the document, in the words of the code."""

from __future__ import annotations

from pathlib import Path

from vault.domain.risk import MEANING, Risk

DOCUMENT = Path(__file__).parents[2] / "docs" / "approvals.md"


def test_every_sign_is_in_the_document() -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    assert rows == [f"| `{risk}` | {MEANING[risk]} |" for risk in Risk]
