"""The daily review of the log, and how much happened when."""

from __future__ import annotations

from datetime import date

from flask.typing import ResponseReturnValue

from vault.domain.policy import Permission
from vault.errors import not_found
from vault.services.reviews import DayState
from vault.web.api.routes import as_json, blueprint, operation
from vault.web.api.schemas.reviews import (
    ActivityQuery,
    ActivityResource,
    DayResource,
    DaysQuery,
    DaysResource,
    ReviewResource,
    SignBody,
    SignedResource,
)
from vault.web.auth import actor, the_vault
from vault.web.idempotency import renders


@operation("GET", "/reviews", Permission.LOG_REVIEW)
def list_reviews(sent: DaysQuery) -> DaysResource:
    """List the last days of the log and whether each was reviewed, newest first."""
    days = the_vault().reviews.days(actor(), sent.days)
    red = sum(1 for day in days if day.state is DayState.RED)
    return DaysResource(items=[DayResource.of(each) for each in days], unreviewed=red)


@operation("GET", "/reviews/<day>", Permission.LOG_REVIEW)
def read_review(day: str) -> ReviewResource:
    """Look at one day and what stands out in it; that you looked is an entry."""
    return ReviewResource.of_review(the_vault().reviews.review(actor(), day_of(day)))


@operation("POST", "/reviews/<day>/sign", Permission.LOG_REVIEW, problems={409: ("review.state",)})
def sign_review(day: str, sent: SignBody) -> SignedResource:
    """Sign a day's review, once, with a sentence, a word on each anomaly, and one on what was not looked at.

    Not by who did other work than auditing that day, and not before the day is over and its work is written down.
    """
    return SignedResource.of_signed(*the_vault().reviews.sign(actor(), day_of(day), sent.signing))


@operation("GET", "/activity", Permission.LOG_READ)
def read_activity(sent: ActivityQuery) -> ActivityResource:
    """Count disclosures, refusals and sign-ins of the last days; that you looked is an entry."""
    return ActivityResource.of(the_vault().activities.look(actor(), sent.days))


@renders(blueprint, "review")
def show_again(day: str) -> ResponseReturnValue:
    """Draw a signed day for a repeated request."""
    return as_json(DayResource.of(the_vault().reviews.get(actor(), day_of(day))))


def day_of(text: str) -> date:
    """Read a day from a path; what is none is not there."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise not_found("day", text[:10]) from None
    if found.isoformat() != text:
        raise not_found("day", text[:10])
    return found
