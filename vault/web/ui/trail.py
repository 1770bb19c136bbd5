"""The trail: entries over all accounts or for one (U4), and one entry with all that proves it.

Decided here: an entry is shown as its exact bytes first; the readable form beside it is only ours.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Response, request, url_for

from vault.domain.event import CATALOGUE
from vault.domain.policy import Permission
from vault.errors import FieldError, Invalid, NotFound, VaultError
from vault.ports.store import EntryFilter, Page, Slice
from vault.web.auth import actor, the_vault
from vault.web.errors import status_of
from vault.web.guard import needs
from vault.web.ui.site import blueprint, next_page, page
from vault.web.ui.story import step_of
from vault.web.ui.words import OUTCOME, event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.ports.store import Entry

PAGE = 50
FILTERS = (
    "account",
    "type",
    "outcome",
    "since",
    "until",
    "q",
    "checkout",
    "actor",
    "reason",
    "ticket",
    "without",
)
ALSO = {"account_id": "account", "checkout_id": "checkout"}
"""What the API calls a filter that has a shorter name here; both are taken."""
READINGS = "audit.viewed,audit.exported,audit.sampled"
"""What an auditor's own work leaves in the log."""
FAMILIES = (
    ("Anything shown or refused", "secret.reveal."),
    ("Anything about requests and leases", "checkout."),
    ("Anything about rotations", "rotation."),
    ("Anything about signing in", ("session.", "stepup.")),
    ("Anything about people and power", ("person.", "role.", "token.")),
    ("Anything about the log itself", ("log.", "audit.", "review.", "outlet.")),
)
"""What the list of types offers first: all of a family at once."""


@blueprint.get("/trail")
@needs(Permission.TRAIL_READ)
def trail_list() -> Response:
    """List entries, newest first."""
    sent = {ALSO.get(name, name): value.strip() for name, value in request.args.items()}
    asked = {name: sent.get(name, "") for name in FILTERS}
    given = {name: value for name, value in asked.items() if value}
    try:
        _check_names(sent)
        found = the_vault().trail.page(actor(), filter_of(asked), Slice(PAGE, request.args.get("cursor")))
        status, error = 200, None
    except NotFound:
        raise
    except VaultError as refusal:
        empty: tuple[Entry, ...] = ()
        found, status, error = Page(empty, None), status_of(refusal), refusal
    return page(
        "ui/trail.html",
        status,
        entries=found.items,
        reached=found.reached,
        asked=asked,
        error=error,
        searched=bool(given),
        next_url=next_page("ui.trail_list", found.next, given),
        readings=READINGS,
        calm=_address({**given, "without": READINGS}),
        loud=_address({name: value for name, value in given.items() if name != "without"}),
        families=[(name, family(begins)) for name, begins in FAMILIES],
        types=[(name, event(name)) for name in sorted(CATALOGUE)],
        outcomes=[(name, word.name) for name, word in OUTCOME.items()],
    )


@blueprint.get("/trail/<int:index>")
@needs(Permission.TRAIL_READ)
def trail_entry(index: int) -> Response:
    """Show one entry: exact bytes, leaf hash, proof, and how to check them."""
    vault = the_vault()
    placed = vault.trail.placed(actor(), index)
    return page(
        "ui/entry.html",
        placed=placed,
        entry=placed.entry,
        told=step_of(placed.entry),
        leaf=placed.entry.leaf.decode(),
        proof=placed.proof,
        vkey=vault.vkey,
    )


@blueprint.get("/trail/checkpoint")
@needs(Permission.TRAIL_READ)
def trail_checkpoint() -> Response:
    """Give the latest signed checkpoint as a file, to be kept."""
    note = the_vault().trail.checkpoint()
    return _file(note.encode(), "text/plain; charset=utf-8", f"checkpoint-{note.splitlines()[1]}")


@blueprint.get("/trail/<int:index>/leaf")
@needs(Permission.TRAIL_READ)
def trail_leaf(index: int) -> Response:
    """Give an entry's exact bytes as a file."""
    entry = the_vault().trail.entry(actor(), index)
    return _file(entry.leaf, "application/json", f"entry-{index}.json")


@blueprint.get("/trail/<int:index>/proof")
@needs(Permission.TRAIL_READ)
def trail_proof(index: int) -> Response:
    """Give an entry's proof as a file (C2SP tlog-proof)."""
    proof = the_vault().trail.proof(actor(), index)
    return _file(proof.encode(), "text/plain; charset=utf-8", f"entry-{index}.tlog-proof")


def _file(content: bytes, media: str, name: str) -> Response:
    return Response(content, content_type=media, headers=_attached(name))


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def filter_of(asked: dict[str, str]) -> EntryFilter:
    """Read what a form's fields ask for; raise `Invalid` for a day that is none."""
    given = {name: asked.get(name) or None for name in FILTERS}
    return EntryFilter(
        account_id=None if given["account"] is None else given["account"].replace(" ", ""),
        actor_id=given["actor"],
        checkout_id=given["checkout"],
        types=several(given["type"]),
        not_types=several(given["without"]),
        outcomes=several(given["outcome"]),
        reason=given["reason"],
        ticket=given["ticket"],
        since=_day(asked["since"], "since"),
        until=_day(asked["until"], "until", and_all_of_it=True),
        text=given["q"],
    )


def _address(given: Mapping[str, str]) -> str:
    return f"{url_for('ui.trail_list')}?{urlencode(given)}"


def _check_names(sent: Mapping[str, str]) -> None:
    """Raise `Invalid` for a name that narrows nothing here: a list of everything would look like its answer."""
    known = {*FILTERS, "cursor"}
    places = tuple(
        FieldError(
            "/query", f"This page knows nothing of {name[:32]!r}; it knows {', '.join(sorted(known))}."
        )
        for name in sent
        if name not in known
    )
    if places:
        raise Invalid("input.invalid", "The address asks for what this page does not know.", errors=places)


def several(text: str | None) -> tuple[str, ...]:
    """Read one or several names, parted by commas."""
    return tuple(name for name in (text or "").split(",") if name)


def family(begins: str | tuple[str, ...]) -> str:
    """Give the names of all types that begin so, parted by commas."""
    return ",".join(name for name in sorted(CATALOGUE) if name.startswith(begins))


def _day(text: str, name: str, *, and_all_of_it: bool = False) -> datetime | None:
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        return day + timedelta(days=1) if and_all_of_it else day
    except (ValueError, OverflowError):  # the last day of the calendar has none after it
        place = FieldError(f"/{name}", "Give a day as YYYY-MM-DD.")
        raise Invalid("input.invalid", place.detail, errors=(place,)) from None
