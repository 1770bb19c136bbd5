"""A ticket system over HTTP that answers in JSON: where each thing stands in the answer is a setting.

    GET  <url with {ticket}>        200 and a JSON object, or 404: there is no such ticket
    POST <notes_url with {ticket}>  {"<note_field>": words}, with an Idempotency-Key
    POST <create_url>               {"<subject_field>": subject, "<note_field>": words}, with an Idempotency-Key

Decided here: places are JSON pointers (RFC 6901); a list there means any of it. Only TLS or this machine is spoken to,
redirects are not followed, no answer is read beyond 256 kB, and all of it ends in ten seconds. What cannot be read
counts as no answer. Never decided here: what an answer means for a checkout (`vault.domain.ticket`).
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from vault.adapters.bounded import Bounded
from vault.adapters.deadline import Deadline
from vault.adapters.feeds.webhook import check_address
from vault.adapters.private_file import read_private
from vault.domain.formats import compact
from vault.domain.ids import fold_email
from vault.domain.outlet import plain
from vault.domain.ticket import Ticket
from vault.errors import Refused, Unavailable
from vault.ports.feeds import Delivery

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT: Final = 10.0
PLACE: Final = "{ticket}"
_ANSWER_MOST: Final = 262_144
_OK: Final = range(200, 300)
NUMBER: Final = re.compile(r"[!-~]{1,100}", re.ASCII)
"""What a ticket system may call a new ticket."""
_NOT_THERE: Final = (404, 410)
_FOR_GOOD: Final = frozenset({400, 403, 404, 405, 409, 410, 413, 415, 422})
"""Answers to a note that another try would not change."""
_WAIT_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Places:
    """Where things stand in an answer, as JSON pointers; an empty one is not looked at."""

    state: str = "/status"
    open_states: frozenset[str] = frozenset({"open"})
    accounts: str = ""
    customers: str = ""
    assignees: str = ""
    since: str = ""
    until: str = ""
    number: str = ""
    """Where the ticket's own number stands; where it is named, another ticket's answer is refused."""


@dataclass(frozen=True, slots=True)
class HttpTickets:
    """Implements `TicketSystem`."""

    url: str
    places: Places
    token: str = field(default="", repr=False)
    notes_url: str = ""
    note_field: str = "text"
    create_url: str = ""
    subject_field: str = "subject"
    created_at: str = "/number"
    """Where the number of a new ticket stands in the answer, as a JSON pointer."""
    trusted: ssl.SSLContext | None = None
    """Who may vouch for the system; this machine's usual authorities where it is None."""

    def __post_init__(self) -> None:
        for setting, address in (("tickets.url", self.url), ("tickets.notes_url", self.notes_url)):
            if address or setting == "tickets.url":
                check_address(address.replace(PLACE, "T-1"), setting)
                if PLACE not in (urlsplit(address).path + urlsplit(address).query):
                    words = f"{setting} must hold {PLACE} behind the host's name, where the number goes"
                    raise Refused("settings.invalid", words)

        if self.create_url:
            check_address(self.create_url, "tickets.create_url")

    @property
    def makes_tickets(self) -> bool:
        """Whether tickets can be made."""
        return bool(self.create_url)

    @property
    def takes_notes(self) -> bool:
        """Whether notes can be written on tickets."""
        return bool(self.notes_url)

    def find(self, number: str) -> Ticket | None:
        """Look a ticket up; None where there is none; `Unavailable` ticket.unavailable."""
        try:
            status, body, _ = self._ask("GET", self.url, number, None, {})
        except (OSError, http.client.HTTPException) as failure:
            raise _away(f"no answer: {str(failure) or type(failure).__name__}") from None
        if status in _NOT_THERE:
            return None
        if status not in _OK:
            raise _away(f"it answered {status}")
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            raise _away("its answer is not JSON") from None
        if not isinstance(found, dict):
            raise _away("its answer is not a JSON object")
        return self._ticket(number, found)

    def note(self, number: str, words: str, key: str) -> Delivery:
        """Write a note; an answer that another try would not change is final (`gone`)."""
        body = compact({self.note_field: words})
        try:
            status, _, wait = self._ask("POST", self.notes_url, number, body, {"Idempotency-Key": key})
        except (OSError, http.client.HTTPException) as failure:
            return Delivery(0, plain(f"no answer: {str(failure) or type(failure).__name__}"))
        if status in _OK:
            return Delivery(1)
        return Delivery(0, f"answered {status}", wait, gone=status in _FOR_GOOD)

    def create(self, subject: str, words: str, key: str) -> tuple[str, Delivery]:
        """Make a ticket; an answer that another try would not change is final (`gone`)."""
        body = compact({self.subject_field: subject, self.note_field: words})
        try:
            status, said, wait = self._ask("POST", self.create_url, "", body, {"Idempotency-Key": key})
        except (OSError, http.client.HTTPException) as failure:
            return "", Delivery(0, plain(f"no answer: {str(failure) or type(failure).__name__}"))
        if status not in _OK:
            return "", Delivery(0, f"answered {status}", wait, gone=status in _FOR_GOOD - {404})
        try:
            numbers = _texts(_at(json.loads(said), self.created_at))
        except (ValueError, RecursionError):
            numbers = frozenset()
        number = next(iter(numbers), "") if len(numbers) == 1 else ""
        return number if NUMBER.fullmatch(number) else "", Delivery(1)

    def _ticket(self, number: str, found: dict[str, object]) -> Ticket:
        places = self.places
        if places.number and number not in _texts(_at(found, places.number)):
            raise _away("its answer is about another ticket")
        return Ticket(
            number,
            is_open=bool(_texts(_at(found, places.state)) & places.open_states),
            accounts=frozenset(
                each.replace("-", "").replace(" ", "") for each in self._some(found, places.accounts)
            ),
            customers=self._some(found, places.customers),
            assignees=frozenset(fold_email(each) for each in self._some(found, places.assignees)),
            since=_time(found, places.since),
            until=_time(found, places.until),
        )

    def _some(self, found: dict[str, object], place: str) -> frozenset[str]:
        return _texts(_at(found, place)) if place else frozenset()

    def _ask(
        self, method: str, url: str, number: str, body: str | None, more: dict[str, str]
    ) -> tuple[int, bytes, timedelta | None]:
        address = url.replace(PLACE, quote(number, safe=""))
        parts = urlsplit(address)
        headers = {"Accept": "application/json", "User-Agent": "root-vault", **more}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        within = (self.trusted or ssl.create_default_context()) if parts.scheme == "https" else None
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with Deadline(TIMEOUT) as deadline:
            connection = Bounded(parts.hostname or "", parts.port, TIMEOUT, deadline, within)
            try:
                sent = None if body is None else body.encode("ascii")
                connection.request(method, path, body=sent, headers=headers)
                answer = connection.getresponse()
                with answer:
                    said = answer.read(_ANSWER_MOST + 1)
                deadline.check()  # an end that was heard then may be ours
            finally:
                connection.close()
        if len(said) > _ANSWER_MOST:
            raise http.client.HTTPException("its answer is too long")
        return answer.status, said, _wait(answer.headers.get("Retry-After", ""))


def read_token(path: Path) -> str:
    """Read the token of a private file, one line; raise `Refused`, never naming it."""
    try:
        lines = read_private(path).decode("ascii").split()
    except UnicodeDecodeError:
        lines = []
    if len(lines) != 1:
        raise Refused("settings.invalid", f"{path} must hold the ticket system's token, on one line of ASCII")
    return lines[0]


def check_pointer(setting: str, pointer: str) -> None:
    """Return for a JSON pointer or nothing; else raise `Refused`."""
    if pointer and not pointer.startswith("/"):
        detail = f"{setting} must be a JSON pointer such as /fields/status (RFC 6901), or empty"
        raise Refused("settings.invalid", detail)


def _at(found: object, pointer: str) -> object:
    """Give what stands at a JSON pointer (RFC 6901 section 4); None where nothing does."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isascii() and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def _texts(value: object) -> frozenset[str]:
    """Give a text, or the texts of a list; numbers as they are written, and nothing of anything else."""
    values = value if isinstance(value, list) else [value]
    return frozenset(
        str(each).strip()
        for each in values
        if isinstance(each, str | int) and not isinstance(each, bool) and str(each).strip()
    )


def _time(found: dict[str, object], place: str) -> datetime | None:
    """Read a time (RFC 3339); one without a zone is UTC, one that is none is no answer."""
    value = _at(found, place) if place else None
    if value is None or value == "":
        return None
    try:
        time = datetime.fromisoformat(str(value))
        return (time.replace(tzinfo=UTC) if time.tzinfo is None else time).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _away("it names a time that is none") from None


def _wait(header: str) -> timedelta | None:
    is_seconds = header.isascii() and header.isdigit() and len(header) <= _WAIT_DIGITS
    return timedelta(seconds=int(header)) if is_seconds else None


def _away(words: str) -> Unavailable:
    return Unavailable("ticket.unavailable", plain(words))
