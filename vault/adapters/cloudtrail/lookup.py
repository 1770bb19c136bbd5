"""The event history of a region (``cloudtrail:LookupEvents``): 90 days of management events, asked for.

Decided here: three questions, because one attribute can be asked for at a time: events of KMS, events of the
user name ``root``, and ``AssumeRoot``, which tells whose the sessions are that act as root for a task. Time is
asked for in windows, oldest first; a window that was read moves the position, so that an interrupted reading
goes on there. The last `OVERLAP` is asked for again each time, because events come late; what was seen before
is kept once. AWS allows two questions a second for an account and region: they are paced, and throttling is
waited out. Answers come newest first, 50 at a time.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from vault.adapters.aws import checked_endpoint, client_config, code_of
from vault.errors import Refused, Unavailable
from vault.ports.cloud import Known, Part, Unreadable

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient

SIGN_IN_REGION: Final = "us-east-1"
"""Where root's sign-ins are recorded, whatever the region they are made for."""
KEPT: Final = timedelta(days=90)
OVERLAP: Final = timedelta(hours=6)
WINDOW: Final = timedelta(days=1)
PACE: Final = 0.5
"""Seconds between two questions (AWS: two a second)."""
PAUSES: Final = (1.0, 2.0, 4.0, 8.0)
"""Seconds to wait when throttled, one try after the other."""
PAGE: Final = 50
REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]", re.ASCII)
QUESTIONS: Final = (("EventSource", "kms.amazonaws.com"), ("Username", "root"), ("EventName", "AssumeRoot"))
_THROTTLED: Final = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException"})


class Lookup:
    """The event history of one region, for the account of the vault's credentials."""

    def __init__(
        self,
        region: str,
        *,
        endpoint: str = "",
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if REGION.fullmatch(region) is None:
            detail = f"{region[:64]!r} in cloud.lookup_regions is no region; write us-east-1."
            raise Refused("settings.invalid", detail, setting="cloud.lookup_regions")
        self._region = region
        self._endpoint = checked_endpoint(endpoint)
        self._sleep, self._monotonic = sleep, monotonic
        self._asked_at = float("-inf")
        self._kept: CloudTrailClient | None = None
        self.name = f"lookup:{region}"

    def parts(self, position: str, known: Known, now: datetime) -> Iterator[Part | str]:  # noqa: ARG002 - the port's signature
        """Give the windows since the last reading, oldest first, each with the position behind it."""
        oldest = now - KEPT
        begin = max(oldest, datetime.fromisoformat(position) - OVERLAP) if position else oldest
        while begin < now:
            end = min(begin + WINDOW, now)
            for name, value in QUESTIONS:
                place = f"{self.name}/{name}"
                yield Part(place, end.isoformat(), self._window(name, value, begin, end))
            yield end.isoformat()
            begin = end

    def _window(
        self, name: str, value: str, begin: datetime, end: datetime
    ) -> Callable[[], Iterator[object]]:
        def records() -> Iterator[object]:
            token = ""
            while True:
                asked: dict[str, Any] = {
                    "LookupAttributes": [{"AttributeKey": name, "AttributeValue": value}],
                    "StartTime": begin.astimezone(UTC),
                    "EndTime": end.astimezone(UTC),
                    "MaxResults": PAGE,
                }
                answer = self._ask(asked | ({"NextToken": token} if token else {}))
                for event in answer.get("Events", []):
                    yield _record(event)
                token = str(answer.get("NextToken") or "")
                if not token:
                    return

        return records

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        for pause in (*PAUSES, None):
            self._sleep(max(0.0, self._asked_at + PACE - self._monotonic()))
            self._asked_at = self._monotonic()
            try:
                return dict(self._client().lookup_events(**asked))
            except (ClientError, BotoCoreError) as failure:
                if code_of(failure) not in _THROTTLED or pause is None:
                    raise self._unavailable(failure) from None
                self._sleep(pause)
        raise AssertionError("the last try answers or raises")  # pragma: no cover - it does

    def _client(self) -> CloudTrailClient:
        if self._kept is None:
            self._kept = boto3.session.Session().client(
                "cloudtrail",
                region_name=self._region,
                endpoint_url=self._endpoint,
                config=client_config(20.0),
            )
        return self._kept

    def _unavailable(self, failure: ClientError | BotoCoreError) -> Unavailable:
        detail = (
            f"The event history of {self._region} cannot be read ({code_of(failure)}). Look whether the vault's "
            "role has cloudtrail:LookupEvents."
        )
        return Unavailable("cloud.unavailable", detail, cause=code_of(failure))


def _record(event: object) -> object:
    """Give the record in an answer, which carries it as text."""
    text = event.get("CloudTrailEvent") if isinstance(event, dict) else None
    if not isinstance(text, str):
        return Unreadable("no record")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return Unreadable("json")
