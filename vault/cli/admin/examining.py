"""What doctor does with the whole log: replay it against the database, and write down that it was examined.

Decided here: how differences are told on a terminal, and that a look which cannot be written into the log is told
of, not refused: whoever examines a broken vault needs the answer most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from audit.progress import bar
from vault.adapters.clock import SystemClock
from vault.bootstrap.ground import open_signer
from vault.bootstrap.open import units_for
from vault.cli.admin.checks import Finding, Level
from vault.domain.actor import system_actor
from vault.errors import VaultError
from vault.services.replay import Outcome, Replay, examined, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault.settings import Settings

DOCTOR: Final = system_actor("doctor")
WORST_SHOWN: Final = 20
STEP: Final = (
    "Keep the database as it is, as evidence. Somebody changed it without the vault, or the vault has a fault:"
    " see docs/operations.md, 'Log and database disagree'."
)


def check_state(settings: Settings, told: dict[str, Any]) -> Iterator[Finding]:
    """Replay the log against the database and record it; what a program reads of it goes into `told`."""
    units = units_for(settings, open_signer(settings))
    replay = Replay(units, SystemClock())
    try:
        try:
            outcome = replay.examine(bar("replaying the log"))
        except VaultError as error:
            yield Finding("state", Level.FAIL, error.detail)
            return
        told.update(as_json(outcome))
        if not outcome.count:
            words = f"{outcome.entries} entries lead to exactly what is kept: {outcome.things} rows compared"
            yield Finding("state", Level.OK, words)
        for words in list(lines_of(outcome))[:WORST_SHOWN]:
            yield Finding("state", Level.FAIL, words)
        if outcome.count:
            beyond = f"; {outcome.count - WORST_SHOWN} more" if outcome.count > WORST_SHOWN else ""
            first = "" if outcome.first is None else f", first at {outcome.first}"
            words = f"{outcome.count} differences between log and database{first}{beyond}"
            yield Finding("state", Level.FAIL, words, STEP)
        replay.record(DOCTOR, outcome)
    except VaultError as error:
        yield _unwritten(error)
    finally:
        units.engine.dispose()


def record_examined(settings: Settings, differences: int) -> Iterator[Finding]:
    """Write down that every entry of the log was examined."""
    units = units_for(settings, open_signer(settings))
    try:
        with units.read() as unit:
            size = unit.ranges.size()
        examined(units, DOCTOR, SystemClock().now(), "entries", size, differences)
    except VaultError as error:
        yield _unwritten(error)
    finally:
        units.engine.dispose()


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Give an outcome for programs."""
    return {
        "entries": outcome.entries,
        "rows": outcome.things,
        "differences": outcome.count,
        "first": None if outcome.first is None else str(outcome.first),
        "told": [
            {
                "entity": each.entity,
                "id": each.id,
                "log": each.log,
                "database": each.database,
                "index": None if each.place is None else each.place.index,
                "log_put_aside": None if each.place is None else each.place.log,
                "words": each.words,
            }
            for each in outcome.differences
        ],
    }


def _unwritten(error: VaultError) -> Finding:
    return Finding("examined", Level.WARN, f"this examination is not in the log: {error.detail}")
