"""The page of audiences, drawn from the table in the code."""

from __future__ import annotations

from vault.domain.audience import QUIET, ROUTES, Audience, Route
from vault.domain.event import EventType
from vault.domain.notice import Topic

WHO = {
    Audience.CONCERNED: "the person",
    Audience.REQUESTER: "requester",
    Audience.APPROVERS: "approvers",
    Audience.ADMINISTRATORS: "administrators",
    Audience.AUDITORS: "auditors",
    Audience.HANDLERS: "who handles incidents",
    Audience.KEEPERS: "who handles findings",
    Audience.REVIEWERS: "who reviews broken glass",
    Audience.SECONDS: "who may give the second word",
    Audience.NEXT: "who is next in the case",
}

BEFORE = """# Audiences: who is told of which entry

How they are told is in [notices](notices.md). Who did it is not told, unless it is about themselves. Approvers of a
checkout are told only where it needs approvals. Nobody is told of an account that they do not see.

| entry | who | topic | by mail |
| --- | --- | --- | --- |
"""
_MAIL = {True: "always, at once", False: "as chosen"}


def audiences() -> str:
    """Write the page."""
    rows = "".join(_row(event, ROUTES[event]) for event in EventType if event in ROUTES)
    quiet = ", ".join(f"`{event}`" for event in EventType if event in QUIET)
    topics = ", ".join(f"`{topic}`" for topic in Topic)
    after = f"\nTopics: {topics}. Nobody is told of these, which are reviewed in the log: {quiet}.\n"
    return BEFORE + rows + after


def _row(event: EventType, route: Route) -> str:
    who = ", ".join(WHO[audience] for audience in Audience if audience in route.to)
    mail = _MAIL[route.urgent] if route.by_mail else "never"
    return f"| `{event}` | {who} | {route.topic} | {mail} |\n"
