"""The board, health and the recovery score at the terminal, over real HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Demo


def test_what_has_to_be_done_in_lines_and_as_json(demo: Demo) -> None:
    board = demo.run("operator", "board", "--limit", "200")
    assert board.returncode == 0, board.stderr
    assert "overdue" in board.stdout.splitlines()[0]
    whole = json.loads(demo.run("operator", "board", "--stage", "due", "--json").stdout)
    risks = [item["risk"] for item in whole["items"]]
    assert risks == sorted(risks, reverse=True)
    assert whole["counts"]["due"] >= len(risks) > 0

    listed = json.loads(demo.run("operator", "health", "--health", "due", "--json").stdout)
    number = listed["items"][0]["account"]["account_id"]
    one = demo.run("operator", "health", number)
    assert one.returncode == 0, one.stderr
    assert "WHY" in one.stdout
    assert "Check it out for rotation" in one.stdout

    score = demo.run("operator", "recovery-score", "--lost", "vault", "--fate", "lost")
    assert score.returncode == 0, score.stderr
    assert "stay open to us after any single loss" in score.stdout
    assert "IF LOST" in score.stdout
    absent = demo.run("operator", "health", "999999999999")
    assert absent.returncode == 5
