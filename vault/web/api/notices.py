"""One's own notices and choices; dead letters for administrators and auditors."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from vault.domain.policy import Permission
from vault.ports.store import Slice
from vault.web.api.routes import as_json, blueprint, operation
from vault.web.api.schemas.base import Items, PageQuery
from vault.web.api.schemas.notices import (
    ChoicesResource,
    Choosing,
    CountResource,
    DeadLetterResource,
    NoticeQuery,
    NoticeResource,
)
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN
from vault.web.idempotency import renders


@operation("GET", "/me/notices", SIGNED_IN, problems={422: ("cursor.invalid",)})
def list_notices(sent: NoticeQuery) -> Items[NoticeResource]:
    """List what you were told, newest first."""
    part = Slice(sent.limit, sent.cursor)
    page = the_vault().notices.inbox(actor(), part, unread=sent.state == "unread")
    return Items[NoticeResource](items=[NoticeResource.of(each) for each in page.items], next=page.next)


@operation("POST", "/me/notices/read", SIGNED_IN)
def read_notices() -> CountResource:
    """Mark all as read; say how many were not."""
    return CountResource(count=the_vault().notices.read(actor()))


@operation("POST", "/me/notices/<notice_id>/read", SIGNED_IN)
def read_notice(notice_id: str) -> NoticeResource:
    """Mark one as read."""
    notices = the_vault().notices
    notices.read(actor(), notice_id)
    return NoticeResource.of(notices.get(actor(), notice_id))


@operation("GET", "/me/notices/choices", SIGNED_IN)
def read_notice_choices() -> ChoicesResource:
    """Say how you hear of what."""
    notices = the_vault().notices
    return ChoicesResource.of(notices.choices(actor()), by_mail=notices.by_mail)


@operation("PATCH", "/me/notices/choices", SIGNED_IN, problems={403: ("policy.denied",)})
def choose_notices(sent: Choosing) -> ChoicesResource:
    """Choose how to hear of some topics; what is urgent comes by mail whatever you choose."""
    notices = the_vault().notices
    return ChoicesResource.of(notices.choose(actor(), sent.wanted()), by_mail=notices.by_mail)


@operation("GET", "/notices/dead", SIGNED_IN, problems={403: ("policy.denied",), 422: ("cursor.invalid",)})
def list_dead_letters(sent: PageQuery) -> Items[DeadLetterResource]:
    """List notices that could not be delivered, newest first; for administrators and auditors."""
    page = the_vault().notices.dead(actor(), Slice(sent.limit, sent.cursor))
    return Items[DeadLetterResource](
        items=[DeadLetterResource.of(each) for each in page.items], next=page.next
    )


@operation("POST", "/notices/dead/replay", Permission.PEOPLE_MANAGE)
def replay_dead_letters() -> CountResource:
    """Have all dead letters sent again; say how many."""
    return CountResource(count=the_vault().notices.replay(actor()))


@operation(
    "POST", "/notices/dead/<notice_id>/replay", Permission.PEOPLE_MANAGE, problems={409: ("notice.state",)}
)
def replay_dead_letter(notice_id: str) -> CountResource:
    """Have one dead letter sent again."""
    return CountResource(count=the_vault().notices.replay(actor(), notice_id))


@renders(blueprint, "notice")
def show_replayed(notice_id: str) -> ResponseReturnValue:
    """Draw the answer to a repeated request."""
    del notice_id
    return as_json(CountResource(count=1))
