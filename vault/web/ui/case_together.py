"""One word on a step of many accounts as a page shows it: first words, second words side by side, what may be let go.

Decided here: a hundred accounts at a time, each picked until it is taken out; what a second word rests on stands before
the one factor. Which account and which first word stand in the form, so that what a passkey signs names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import request

from vault.domain.outlook import Standing
from vault.services.case_compare import Compared, compare
from vault.services.case_views import Doing
from vault.services.case_words import MOST

if TYPE_CHECKING:
    from vault.domain.case import Step
    from vault.domain.outlook import Item
    from vault.services.case_views import CaseWhole

PICKED = "account"
"""The field of the accounts that a word is on; of a second word with when the first one was said, after a blank."""


@dataclass(frozen=True, slots=True)
class Together:
    """What the reader may say of many accounts at once; `more` counts those that come after these, by word."""

    first: tuple[str, ...]
    second: Compared
    waive: tuple[str, ...]
    mine: tuple[str, ...]
    more: dict[str, int]
    left_out: frozenset[str]

    @property
    def same(self) -> dict[str, list[tuple[str, str]]]:
        """What is the same of all, by the step that it was given for: labels and values, by whom without a label."""
        found: dict[str, list[tuple[str, str]]] = {}
        for fact, value in self.second.same:
            found.setdefault(fact.title, []).append((fact.label, value))
        return found


def together(whole: CaseWhole, step: Step, *, again: bool) -> Together:
    """Say what stands to be said at once of a step of accounts; `again`: a form comes back, with what was taken out."""
    items = [each for each in whole.items if each.step.name == step.name]
    may = {each.account_id: whole.may(each) for each in items if each.waits}
    asked = whole.second_words(step.name)
    two = step.second is not None
    first = _numbers(items, {number for number, doings in may.items() if two and Doing.SAY in doings})
    waive = _numbers(items, {number for number, doings in may.items() if Doing.WAIVE in doings})
    own = {number for number, doings in may.items() if doings == {Doing.DISAGREE}}
    mine = _numbers([each for each in items if each.standing is Standing.ASKED], own)
    groups = {"say": first, "agree": asked, "waive": waive, "disagree": mine}
    more = {name: max(0, len(group) - MOST) for name, group in groups.items()}
    return Together(
        first[:MOST],
        compare(whole, asked[:MOST]),
        waive[:MOST],
        mine[:MOST],
        more,
        frozenset(set(may) - set(picked())) if again and picked() else frozenset(),
    )


def picked() -> tuple[str, ...]:
    """Read which accounts a word is on."""
    return tuple(each.partition(" ")[0] for each in request.form.getlist(PICKED)[: MOST + 1])


def looked_at() -> dict[str, str]:
    """Read for each account when the first word was said that its reader saw."""
    pairs = (each.partition(" ") for each in request.form.getlist(PICKED)[: MOST + 1])
    return {number: at for number, _, at in pairs}


def _numbers(items: list[Item], wanted: set[str]) -> tuple[str, ...]:
    return tuple(each.account_id for each in items if each.account_id in wanted)
