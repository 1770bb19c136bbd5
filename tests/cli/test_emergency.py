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
    joined = demo.run("operator", "checkout", "join", "310000000099")
    assert joined.returncode == 5, joined.stderr


def test_a_drill_and_other_keys_are_proposed_by_one_and_agreed_to_by_another(demo: Demo) -> None:
    why = ("--why", "the yearly look at every credential")
    made = demo.run("admin", "keys", "drill", *why, "--json", given=demo.code("admin"))
    assert made.returncode == 0, made.stderr
    proposal = json.loads(made.stdout)
    assert (proposal["kind"], proposal["subject"]) == ("drill", "live")
    agreed = demo.run("admin", "proposals", proposal["id"], "--agree", number=1, given=demo.code("admin", 1))
    assert agreed.returncode == 0, agreed.stderr
    keys = demo.run("admin", "keys", "rewrap", "local-1", *why, "--remove-old", given=demo.code("admin"))
    assert keys.returncode == 0, keys.stderr
    assert "Then, on the host: rootvault rewrap" in keys.stdout
    assert "--remove-old" in keys.stdout
    none = demo.run("operator", "keys", "drill", *why, given=demo.code("operator"))
    assert (none.returncode, "policy.denied" in none.stderr) == (4, True)
