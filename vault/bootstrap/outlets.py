"""What leaves the vault, made of settings: who publishes checkpoints, notes on tickets, and the outlets by name."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from vault.services.highwater import HighWater
from vault.services.publishing import Pace, Publishing
from vault.services.ticket_notes import TicketNotes

if TYPE_CHECKING:
    from vault.bootstrap.compose import Ground
    from vault.bootstrap.outside import Outside
    from vault.ports.feeds import Feed
    from vault.services.daily_note import DailyNote
    from vault.services.outlets import Outlets
    from vault.settings import Settings


def publishing_of(ground: Ground, outside: Outside, outlets: Outlets) -> Publishing:
    """Give what publishes checkpoints to the places outside, at the pace of the settings."""
    log = ground.settings.log
    pace = Pace(timedelta(seconds=log.publish_seconds), timedelta(seconds=log.heartbeat_seconds))
    high_water = HighWater(ground.units, outside.verifiers, outside.mark)
    return Publishing(
        ground.units, outlets, high_water, ground.clock, pace, outside.anchors, outside.cosigner
    )


def notes_of(ground: Ground) -> tuple[Feed, ...]:
    """Give what writes evidence on tickets, where the system takes notes."""
    system = ground.tickets
    if system is None or not system.takes_notes:
        return ()
    base = ground.settings.server.public_url.rstrip("/")
    return (TicketNotes(ground.units, system, ground.clock, base),)


def witnesses_of(settings: Settings) -> dict[str, str]:
    """Give the vkey of each witness by the name of its outlet."""
    vkeys = [line.strip().partition(" ")[2].strip() for line in settings.anchors.witnesses]
    return {f"witness/{vkey.partition('+')[0]}": vkey for vkey in vkeys}


def names_of(ground: Ground, outside: Outside, daily_note: DailyNote) -> tuple[str, ...]:
    """Name the outlets of these settings, those whose confirmation counts first."""
    signer = () if outside.cosigner is None else (outside.cosigner,)
    named = (*outside.anchors, *outside.copies, *signer, *ground.feeds)
    letters = (daily_note.name,) if daily_note.to and outside.mailer is not None else ()
    return (*(each.name for each in named), *letters)
