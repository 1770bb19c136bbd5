"""The log, replayed, is the database (S3): the product's own replay, asked after every story.

`check_replay(world)` raises unless the log of a world leads to exactly what is in its rows, and is itself one that
an honest vault could have written. People whom tests let in by the back door have no entries: of them, and of
nothing else, the rows alone are believed.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import text

from audit.log import Log
from audit.note import Signer
from audit.progress import silent
from vault.adapters.db import SqlUnits, engine_for
from vault.domain.checkout import OPEN
from vault.services.replay import Difference, Outcome, Replay, lines_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.support.world import World

_BACK_DOOR = "test"


class ReplayError(AssertionError):
    """The log and the database tell different stories, or the log tells an impossible one."""


@dataclass(frozen=True, slots=True)
class _Then:
    """A clock that stands where the log ends."""

    at: datetime

    def now(self) -> datetime:
        """Give that time."""
        return self.at


def replayed(engine: Engine) -> Outcome:
    """Replay the log of a database, whatever comes of it."""
    with engine.connect() as connection:
        last = connection.execute(text("SELECT leaf FROM audit_entry ORDER BY seq DESC LIMIT 1")).scalar_one()
    then = datetime.fromisoformat(json.loads(bytes(last))["time"])
    units = SqlUnits(engine, Log("reads.only", Signer.generate("reads.only")), None, {})
    return Replay(units, _Then(then)).examine(silent)


def check_database(url: str) -> Outcome:
    """Raise `ReplayError` unless the database at `url` is in the state that its log leads to."""
    engine = engine_for(url)
    with closing(_Disposing(engine)):
        outcome = replayed(engine)
        with engine.connect() as connection:
            grants = connection.execute(
                text("SELECT id, person_id FROM role_grant WHERE proposed_by = :door"), {"door": _BACK_DOOR}
            ).all()
            open_ones = connection.execute(text("SELECT account_id, state FROM checkout")).all()
    known = {each for row in grants for each in row}
    outcome.differences = [each for each in outcome.differences if not _by_the_back_door(each, known)]
    outcome.count = len(outcome.differences)
    if outcome.count:
        raise ReplayError("the log does not lead to this state: " + "; ".join(lines_of(outcome)))
    claims = Counter(account for account, state in open_ones if state in OPEN)
    if any(count > 1 for count in claims.values()):
        raise ReplayError(f"more than one open checkout for an account: {claims}")
    return outcome


def check_replay(world: World) -> Outcome:
    """As `check_database`, for the database that a world runs on."""
    engine = world.vault.units.engine  # type: ignore[attr-defined]  # the SQL units, as in every real world
    return check_database(engine.url.render_as_string(hide_password=False))


def _by_the_back_door(difference: Difference, known: set[str]) -> bool:
    return difference.entity.partition(".")[0] in {"person", "grant"} and difference.id in known


@dataclass(frozen=True, slots=True)
class _Disposing:
    """Lets go of an engine."""

    engine: Engine

    def close(self) -> None:
        """Let go."""
        self.engine.dispose()
