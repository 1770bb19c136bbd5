"""Reviews and activity on the wire."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field, StringConstraints

from vault.ports.store import Receipt
from vault.services.activity import Activity
from vault.services.anomalies import MEANING, Anomaly
from vault.services.reviews import DAYS, DAYS_MAX, UNREAD, Day, DayState, Review, Signing
from vault.web.api.schemas.base import Body, Query, QueryNumber, ReceiptResource, Resource, Words

Key = Annotated[str, StringConstraints(pattern=f"^(a_[0-9a-f]{{12}}|{UNREAD})$")]


class DaysQuery(Query):
    """How many days back."""

    days: Annotated[QueryNumber, Field(ge=1, le=DAYS_MAX)] = DAYS


class ActivityQuery(Query):
    """How many days back."""

    days: Annotated[QueryNumber, Field(ge=1, le=DAYS)] = 30


class SignBody(Body):
    """What a reviewer signs."""

    digest: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] = Field(
        description="`digest` of the review that was looked at."
    )
    sentence: Words
    answers: dict[Key, Words] = Field(
        default={},
        description=f"By `key` of each anomaly: what was done about it; under `{UNREAD}`, where the day is not"
        " `complete`, about the entries that were not looked at.",
    )

    @property
    def signing(self) -> Signing:
        """Give what the service takes."""
        return Signing(self.digest, self.sentence, self.answers)


class SignatureResource(Resource):
    """The entry that is the signature of a day."""

    entry: int
    leaf_hash: str
    by: str
    at: dt.datetime
    sentence: str
    digest: str


class DayResource(Resource):
    """One day of the log (UTC): the entries from `first` up to, and without, `until`."""

    day: dt.date
    first: int
    until: int
    entries: int
    state: DayState
    signature: SignatureResource | None
    moved: bool = Field(description="True where the signed range is not the one the day has now.")

    @classmethod
    def of(cls, day: Day) -> DayResource:
        """Show one."""
        return cls.model_validate(_members(day))


class DaysResource(Resource):
    """The last days, newest first."""

    items: list[DayResource]
    unreviewed: int = Field(description="How many are over for more than 24 hours and not signed.")


class AnomalyResource(Resource):
    """One thing that stands out, with the entries that it is about."""

    key: str
    rule: str
    weight: int = Field(description="3 is looked at first.")
    name: str
    why: str
    words: str
    count: int = Field(description="Above 1 where more than 20 of the rule were put together.")
    who: str = Field(description="Of the first entry.")
    account: str | None = Field(description="Of the first entry.")
    at: dt.datetime
    entries: list[int]

    @classmethod
    def of(cls, anomaly: Anomaly) -> AnomalyResource:
        """Show one."""
        meaning, first = MEANING[anomaly.rule], anomaly.leaves[0]
        return cls(
            key=anomaly.key,
            rule=anomaly.rule,
            weight=meaning.weight,
            name=meaning.name,
            why=meaning.why,
            words=anomaly.words,
            count=anomaly.count,
            who=first.who.name,
            account=first.account or None,
            at=first.at,
            entries=[leaf.index for leaf in anomaly.leaves],
        )


class ReviewResource(DayResource):
    """One day with what stands out in it."""

    anomalies: list[AnomalyResource]
    digest: str = Field(description="SHA-256 of the canonical JSON of what was found and of `unread`.")
    complete: bool
    unread: list[str] = Field(description="Types of which not all notable entries were looked at.")
    in_the_way: str = Field(description="Why you cannot sign it now; empty where you can.")

    @classmethod
    def of_review(cls, review: Review) -> ReviewResource:
        """Show it."""
        more = {
            "anomalies": [AnomalyResource.of(each) for each in review.found],
            "digest": review.digest,
            "complete": review.complete,
            "unread": list(review.unread),
            "in_the_way": review.stands_in_the_way,
        }
        return cls.model_validate({**_members(review.day), **more})


class SignedResource(DayResource):
    """A day that was signed just now, with the receipt of its entry."""

    receipt: ReceiptResource

    @classmethod
    def of_signed(cls, day: Day, receipt: Receipt) -> SignedResource:
        """Show it."""
        return cls.model_validate({**_members(day), "receipt": ReceiptResource.of(receipt)})


class DayCountResource(Resource):
    """What one day had."""

    day: dt.date
    entries: int
    disclosures: int
    refusals: int
    sign_ins: int


class AccountCountResource(Resource):
    """How many disclosures one account had."""

    account: str
    disclosures: int


class ActivityResource(Resource):
    """The last days, oldest first."""

    days: list[DayCountResource]
    hours: list[int] = Field(description="Disclosures by hour of the day (UTC).")
    accounts: list[AccountCountResource]

    @classmethod
    def of(cls, activity: Activity) -> ActivityResource:
        """Show it."""
        return cls(
            days=[
                DayCountResource(
                    day=each.day,
                    entries=each.entries,
                    disclosures=each.disclosures,
                    refusals=each.refusals,
                    sign_ins=each.sign_ins,
                )
                for each in activity.days
            ],
            hours=list(activity.hours),
            accounts=[AccountCountResource(account=number, disclosures=n) for number, n in activity.accounts],
        )


def _members(day: Day) -> dict[str, object]:
    leaf = day.signed
    signature = (
        None
        if leaf is None
        else SignatureResource(
            entry=leaf.index,
            leaf_hash=leaf.leaf_hash,
            by=leaf.who.name,
            at=leaf.at,
            sentence=leaf.told("sentence"),
            digest=leaf.told("digest"),
        )
    )
    return {
        "day": day.day,
        "first": day.stretch.first,
        "until": day.stretch.until,
        "entries": day.stretch.count,
        "state": day.state,
        "signature": signature,
        "moved": day.moved,
    }
