"""Which sessions on members' root users are ours: told of by an entry, or asked for and never answered.

Decided here: an `AssumeRoot`, and what its session did, is explained by the entry that names the id of its access key.
A session that was asked for and whose answer never came has no such entry: one `AssumeRoot` of that member from a
minute before to fifteen after is taken for it. Of a member that has no root credentials any more, an `AssumeRoot` that
nobody here asked for is the one way in, and an incident. The table of sessions is an index; the leaf decides.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.account import Custody
from vault.domain.event import EventType
from vault.domain.plans.handover import ROOT_DELETED

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.cloudtrail import CloudRecord
    from vault.domain.keyless import TaskSession
    from vault.ports.store import Unit

BEFORE: Final = timedelta(seconds=60)
AFTER: Final = timedelta(minutes=15)


def explained(unit: Unit, record: CloudRecord) -> str | None:
    """Give the entry that tells of a session of ours, as a match; None where no entry does."""
    if record.access_key is not None:
        session = unit.keyless.session(record.access_key)
        if session is not None and _is_told(unit, session):
            return f"entry:{session.entry}"
    if record.account_id is None or record.name != "AssumeRoot":
        return None
    since, until = record.happened_at - AFTER, record.happened_at + BEFORE
    for session in unit.keyless.unanswered(record.account_id, since, until):
        match = f"entry:{session.entry}"
        taken = [each for each in unit.cloud.matching((match,), 2) if each.record.event_id != record.event_id]
        if not taken and _is_told(unit, session):
            return match
    return None


def is_intrusion(unit: Unit, record: CloudRecord) -> bool:
    """Say whether an `AssumeRoot` that no entry explains went to a member of ours without root credentials.

    Also while it is handed over: one that had none when its work began, and one whose root the vault deleted since.
    """
    account = None if record.account_id is None else unit.accounts.get(record.account_id)
    since = None if account is None else account.held_since
    return (
        account is not None
        and record.error is None
        and since is not None
        and record.happened_at >= since
        and (account.custody is Custody.KEYLESS or _bare_in_transfer(unit, account, record.happened_at))
    )


def _bare_in_transfer(unit: Unit, account: Account, at: datetime) -> bool:
    """Say whether an account that is handed over had no root credentials by our doing at a moment."""
    if account.custody is not Custody.IN_TRANSFER:
        return False
    case = unit.cases.open_of((account.id,)).get(account.id)
    scene = None if case is None else unit.cases.scene(case, account.id)
    place = None if scene is None else scene.place(account.id)
    deleted = None if scene is None else scene.of(account.id, ROOT_DELETED)
    was_bare = place is not None and place.was == Custody.KEYLESS
    by_then = deleted is not None and deleted.settled and deleted.at <= at + BEFORE
    return was_bare or by_then


def _is_told(unit: Unit, session: TaskSession) -> bool:
    entry = unit.log.entry(session.entry)
    if entry is None:
        return False
    account, detail = entry.content.get("account"), entry.content.get("detail")
    if (
        not isinstance(account, dict)
        or not isinstance(detail, dict)
        or account.get("id") != session.account_id
    ):
        return False
    if session.access_key is None:
        return entry.content.get("type") == EventType.KEYLESS_ASKED
    opened = entry.content.get("type") == EventType.KEYLESS_SESSION
    return opened and detail.get("access_key") == session.access_key
