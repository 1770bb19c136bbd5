"""That AWS takes none of it, said on the checkout's page: only after all was shown, and of a part that is named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.web.ui.test_views import NUMBER, Browser, ask, operator
from vault.domain.credential import PartKind, PartState

if TYPE_CHECKING:
    from tests.support.people import House

__all__ = ["operator"]  # the fixture


def state(house: House) -> PartState:
    with house.vault.units.read() as unit:
        return next(part.state for part in unit.accounts.parts(NUMBER) if part.kind is PartKind.PASSWORD)


def test_it_is_said_once_all_was_shown(operator: Browser, house: House) -> None:
    address = ask(operator)
    early = operator.post(f"{address}/none-works", part="password")
    assert (early.status_code, "Try version 1 first" in early.text) == (409, True)
    operator.post(f"{address}/password")
    for wrong in ({"part": "moon"}, {}):
        answer = operator.post(f"{address}/none-works", **wrong)
        assert (answer.status_code, "Say of which part" in re.sub(r"<[^>]+>", "", answer.text)) == (422, True)
    assert state(house) is PartState.IN_USE
    said = operator.post(f"{address}/none-works", part="password")
    assert (said.status_code, said.headers["Location"]) == (303, address)
    assert state(house) is PartState.LOST
