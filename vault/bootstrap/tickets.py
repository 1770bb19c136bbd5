"""The ticket system that the settings name, opened and checked; nothing is asked of it yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.adapters.tickets import HttpTickets, Places, check_pointer, read_token

if TYPE_CHECKING:
    from vault.settings import Settings


def open_tickets(settings: Settings) -> HttpTickets | None:
    """Make the connector; None where the settings name no system."""
    told = settings.tickets
    if not told.url:
        return None
    places = Places(
        state=told.state_at,
        open_states=frozenset(told.open_states),
        accounts=told.accounts_at,
        customers=told.customers_at,
        assignees=told.assignees_at,
        since=told.since_at,
        until=told.until_at,
        number=told.number_at,
    )
    for name in ("state", "accounts", "customers", "assignees", "since", "until", "number"):
        check_pointer(f"tickets.{name}_at", getattr(places, name))
    token = read_token(settings.file(told.token_file)) if told.token_file else ""
    check_pointer("tickets.created_at", told.created_at)
    return HttpTickets(
        told.url,
        places,
        token,
        told.notes_url,
        told.note_field,
        told.create_url,
        told.subject_field,
        told.created_at,
    )
