"""Receipts of what was opened offline, entered into the log once the service runs again (S6).

Decided here: that a credential which somebody opened with shares counts as disclosed: its parts are due for rotation,
and until then only rotation or an incident opens the account. Mail that was opened is told of. One transaction an
account, and an account that has this receipt already is passed by, so that whoever is cut off enters the receipt again.
A receipt is believed without proof: it can only make more due than there is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from vault.domain.actor import Reach
from vault.domain.credential import PartKind
from vault.domain.event import Event, EventType, SecretRef
from vault.domain.told import changes
from vault.errors import Invalid
from vault.ports.store import EntryFilter, Slice

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.errors import Fact
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units

FORMAT: Final = "root-vault recovery receipt 1"
TEXT_MAX: Final = 64 * 1024 * 1024
_SHORT: Final = 300
_ID: Final = 36
_HASH: Final = 64
_PAGE: Final = 100
_ENTERED: Final = (EventType.CREDENTIAL_RECOVERED, EventType.MAIL_RECOVERED)


@dataclass(frozen=True, slots=True)
class Entered:
    """What a receipt led to: versions that are due now, versions that are not here any more, accounts passed by.

    `mails` are those that it says were opened, and that are here.
    """

    receipt: str
    versions: int
    gone: int
    known: int
    mails: int = 0


@dataclass(frozen=True, slots=True)
class Receipts:
    """The use case of entering a receipt."""

    units: Units
    clock: Clock

    def enter(self, actor: Actor, text: str) -> Entered:
        """Enter a receipt; raises `Invalid` input.invalid for what is none, or is of another vault."""
        read = _read(text)
        name = hashlib.sha256(text.strip().encode()).hexdigest()
        with self.units.read() as unit:
            if read.get("vault") != unit.vault_id:
                raise _no_receipt("It is of another vault.")
        opened, mails = _opened(read), _mails(read)
        detail = _detail(name, read)
        now = self.clock.now()
        told = {"opened": sum(map(len, opened.values())), "mails": sum(map(len, mails.values()))}
        self._tell(actor, {**detail, **told}, now)
        versions = gone = known = letters = 0
        for account_id in sorted({*opened, *mails}):
            places = opened.get(account_id, [])
            with self.units.write() as unit:
                if account_id and unit.accounts.lock(account_id) is None:
                    gone += len(places)
                    continue
                letters_here = mails.get(account_id, [])
                if self._is_known(unit, account_id, name, {mail_id for mail_id, _ in letters_here}):
                    known += 1
                    continue
                for kind, number, sha256 in places:
                    found = self._mark(unit, actor, (account_id, kind, number, sha256), detail, now)
                    versions += found
                    gone += not found
                letters += self._tell_of_mail(unit, actor, letters_here, detail, now)
                unit.commit()
        return Entered(name, versions, gone, known, letters)

    def _tell(self, actor: Actor, detail: Mapping[str, Fact], now: datetime) -> None:
        facts: dict[str, Fact] = {"command": "recovery enter", **detail}
        with self.units.write() as unit:
            unit.log.record(Event(EventType.HOST_COMMAND, actor, detail=facts), now)
            unit.commit()

    def _is_known(self, unit: Unit, account_id: str, name: str, mails: set[str]) -> bool:
        """Say whether this receipt was entered before: for an account, or (empty) for these `mails` to none."""
        wanted, cursor = EntryFilter(types=_ENTERED, account_id=account_id or None), None
        while True:
            page = unit.log.page(wanted, Reach(everything=True), Slice(_PAGE, cursor))
            for entry in page.items:
                detail = entry.content.get("detail")
                if not isinstance(detail, dict):
                    continue
                is_of_it = detail.get("receipt") == name
                if is_of_it and (account_id or detail.get("mail") in mails):
                    return True
            if page.next is None:
                return False
            cursor = page.next

    def _tell_of_mail(
        self,
        unit: Unit,
        actor: Actor,
        mails: list[tuple[str, str]],
        detail: Mapping[str, Fact],
        now: datetime,
    ) -> int:
        """Tell of each mail that was opened and is here, emptied or not; give how many."""
        told = 0
        for mail_id, sha256 in mails:
            mail = unit.mail.get(mail_id)
            if mail is None:
                continue
            facts: dict[str, Fact] = {**detail, "mail": mail.id, "sha256": sha256}
            event = Event(EventType.MAIL_RECOVERED, actor, account_id=mail.account_id, detail=facts)
            unit.log.record(event, now)
            told += 1
        return told

    def _mark(
        self,
        unit: Unit,
        actor: Actor,
        place: tuple[str, PartKind, int, str],
        detail: Mapping[str, Fact],
        now: datetime,
    ) -> bool:
        account_id, kind, number, sha256 = place
        version = unit.versions.get(account_id, kind, number)
        if version is None or version.sha256 != sha256:
            return False
        unit.versions.mark_disclosed(version, now)
        event = Event(
            EventType.CREDENTIAL_RECOVERED,
            actor,
            account_id=account_id,
            secret=SecretRef.of(version),
            changes=changes(version, replace(version, disclosed_at=version.disclosed_at or now)),
            detail=detail,
        )
        unit.log.record(event, now)
        return True


def _read(text: str) -> Mapping[str, Any]:
    if len(text) > TEXT_MAX:
        raise _no_receipt("It is too long.")
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        raise _no_receipt("It is not JSON.") from None
    if not isinstance(read, dict) or read.get("format") != FORMAT:
        raise _no_receipt("It is of no known format.")
    return read


def _opened(read: Mapping[str, Any]) -> dict[str, list[tuple[PartKind, int, str]]]:
    found: dict[str, list[tuple[PartKind, int, str]]] = {}
    try:
        for each in read["opened"]:
            place = (PartKind(each["kind"]), int(each["version"]), str(each["sha256"]))
            found.setdefault(str(each["account"]), []).append(place)
    except (KeyError, TypeError, ValueError):
        raise _no_receipt("What was opened is not told in it.") from None
    return found


def _mails(read: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Read which mails were opened, by account (empty: of none); a receipt of before there was any names none."""
    found: dict[str, list[tuple[str, str]]] = {}
    try:
        for each in read.get("mails", ()):
            mail = (str(each["mail"])[:_ID], str(each["sha256"])[:_HASH])
            found.setdefault(str(each["account"] or ""), []).append(mail)
    except (KeyError, TypeError):
        raise _no_receipt("Which mail was opened is not told in it.") from None
    return found


def _detail(name: str, read: Mapping[str, Any]) -> dict[str, Fact]:
    by = read.get("by")
    return {
        "receipt": name,
        "recipient": _short(read.get("recipient")),
        "at": _short(read.get("at")),
        "to": _short(read.get("to")),
        "why": _short(read.get("why")),
        "by": _short(", ".join(map(str, by)) if isinstance(by, list) else ""),
        "backup_sha256": _short(read.get("backup_sha256")),
    }


def _short(value: object) -> str:
    words = str(value or "")[:_SHORT]
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in words)


def _no_receipt(why: str) -> Invalid:
    return Invalid("input.invalid", f"This is no receipt of `rootvault recover` for this vault. {why}")
