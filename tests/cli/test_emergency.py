"""Emergencies on the terminal: one command freezes, two people lift, broken glass is listed and reviewed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Demo

UNTOUCHED = "310000000038"
WHY = ("--why", "it was a test of the alarm")


def test_one_freezes_and_two_lift(demo: Demo) -> None:
    frozen = demo.run("operator", "freeze", UNTOUCHED, "--why", "a stolen laptop")
    assert frozen.returncode == 0, frozen.stderr
    assert f"account:{UNTOUCHED}" in frozen.stdout
    listed = demo.run("approver", "freezes")
    assert "a stolen laptop" in listed.stdout
    (found,) = json.loads(demo.run("approver", "freezes", "--json").stdout)["items"]
    first = demo.run("approver", "lift", found["id"], *WHY, given=demo.code("approver"))
    assert first.returncode == 0, first.stderr
    assert "waits for a second person" in first.stdout
    alone = demo.run("operator", "lift", found["id"], *WHY, number=1, given=demo.code("operator", 1))
    assert alone.returncode == 4, alone.stderr
    second = demo.run("admin", "lift", found["id"], *WHY, given=demo.code("admin"))
    assert second.returncode == 0, second.stderr
    assert "lifted" in second.stdout
    assert json.loads(demo.run("approver", "freezes", "--json").stdout)["items"] == []
    assert UNTOUCHED in demo.run("approver", "freezes", "--all").stdout


def test_what_cannot_be_is_told_in_words(demo: Demo) -> None:
    nothing = demo.run("operator", "freeze", "everything")
    assert (nothing.returncode, "Give vault" in nothing.stderr) == (7, True), nothing.stderr
    words = ("--ticket", "INC-1", "--why", "an emergency that cannot wait for anybody", "--break-glass")
    denied = demo.run("operator", "checkout", "ask", UNTOUCHED, "--reason", "BILL_ROOT", *words, number=1)
    assert denied.returncode == 4, denied.stderr
    assert "not enabled to break the glass" in denied.stderr
    assert demo.run("approver", "glass").returncode == 0
    assert demo.run("approver", "glass", UNTOUCHED).returncode == 2
    joined = demo.run("operator", "checkout", "join", UNTOUCHED)
    assert joined.returncode == 5, joined.stderr
