"""CloudTrail's event history for tests: `LookupEvents`, which moto does not have, with AWS's own rules.

One attribute can be asked for at a time; an answer holds at most 50 events, newest first, with a NextToken that is
good for the same question only; what is older than 90 days is gone; `StartTime` after `EndTime` is refused. What
the history holds is what a test puts into it (`History.put`), by the region that each record names. AWS's rate
of two questions a second is not enforced, but refused where a test says so (`throttle_next`). Unlike AWS it is
consistent at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from unittest import mock

from moto.cloudtrail import responses
from moto.core.exceptions import JsonRESTError

KEPT: Final = timedelta(days=90)
PAGE_MAX: Final = 50
_ATTRIBUTES: Final[dict[str, Callable[[dict[str, Any]], object]]] = {
    "EventId": lambda record: record.get("eventID"),
    "EventName": lambda record: record.get("eventName"),
    "EventSource": lambda record: record.get("eventSource"),
    "Username": lambda record: _user(record),  # noqa: PLW0108 - defined below
    "AccessKeyId": lambda record: record.get("userIdentity", {}).get("accessKeyId"),
    "ReadOnly": lambda record: str(record.get("readOnly", False)).lower(),
}


@dataclass(slots=True)
class History:
    """The test's hand on the event history."""

    now: Callable[[], datetime]
    records: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    throttled: int = 0

    def put(self, *records: dict[str, Any]) -> None:
        """Let records have arrived."""
        self.records.extend(records)

    def throttle_next(self, times: int) -> None:
        """Refuse the next questions."""
        self.throttled += times

    def answer(self, region: str, question: dict[str, Any]) -> dict[str, Any]:
        """Answer one question as AWS does."""
        self.asked.append({"region": region} | question)
        if self.throttled:
            self.throttled -= 1
            raise _refuse("ThrottlingException", "Rate exceeded")
        attributes = question.get("LookupAttributes", [])
        if len(attributes) > 1:
            raise _refuse("InvalidLookupAttributesException", "Only one lookup attribute can be specified.")
        size = question.get("MaxResults", PAGE_MAX)
        if not 1 <= size <= PAGE_MAX:
            raise _refuse("InvalidMaxResultsException", "MaxResults is from 1 to 50.")
        since, until = _when(question.get("StartTime")), _when(question.get("EndTime"))
        if since is not None and until is not None and since > until:
            raise _refuse("InvalidTimeRangeException", "StartTime is after EndTime.")
        oldest = max(self.now() - KEPT, since or self.now() - KEPT)
        found = [
            record
            for record in self.records
            if record["awsRegion"] == region
            and oldest <= _at(record) <= (until or self.now())
            and all(
                _ATTRIBUTES[each["AttributeKey"]](record) == each["AttributeValue"] for each in attributes
            )
        ]
        found.sort(key=_at, reverse=True)
        same = {name: value for name, value in question.items() if name != "NextToken"}
        name = hashlib.sha256(json.dumps([region, same], sort_keys=True).encode()).hexdigest()[:16]
        first = self._first(question.get("NextToken"), name)
        answer: dict[str, Any] = {"Events": [_event(record) for record in found[first : first + size]]}
        if len(found) > first + size:
            answer["NextToken"] = f"{name}:{first + size}"
        return answer

    @staticmethod
    def _first(token: str | None, name: str) -> int:
        if token is None:
            return 0
        question, _, first = token.partition(":")
        if question != name:
            raise _refuse("InvalidNextTokenException", "The token is of another question.")
        return int(first)


@contextlib.contextmanager
def event_history(now: Callable[[], datetime]) -> Iterator[History]:
    """Give moto's CloudTrail an event history, and take it away again."""
    history = History(now)

    def lookup_events(self: Any) -> str:
        return json.dumps(history.answer(self.region, json.loads(self.body or "{}")))

    with mock.patch.object(responses.CloudTrailResponse, "lookup_events", lookup_events, create=True):
        yield history


def _refuse(code: str, message: str) -> JsonRESTError:
    return JsonRESTError(code, message)


def _event(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "EventSource": record["eventSource"],
        "EventTime": _at(record).timestamp(),
        "Username": _user(record),
        "Resources": [],
        "CloudTrailEvent": json.dumps(record),
    }


def _user(record: dict[str, Any]) -> str:
    identity = record.get("userIdentity", {})
    return "root" if identity.get("type") == "Root" else str(identity.get("userName", "rootvault"))


def _at(record: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(record["eventTime"])


def _when(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
