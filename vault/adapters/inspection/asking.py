"""One question to AWS at a time: every way it can fail becomes a reason, and none is an answer.

Decided here: which of AWS's words mean that the role may not ask, and that throttling is waited out, as long as there
is time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from vault.adapters.aws import code_of
from vault.domain.inspection import Fact, Known, Reason, Unknown
from vault.domain.trail_text import plain

DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "403"}
)
"""AWS's words for: the role may not. ``403`` is what a service says that sends no word."""
THROTTLED: Final = frozenset(
    {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}
)
CODE_MAX: Final = 64
"""Characters of AWS's word for an error."""
_REQUEST_ID: Final = re.compile(r"[!-~]{1,128}", re.ASCII)
PAUSES: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds to wait when throttled, one try after the other."""

Answer = Fact[Mapping[str, Any]]


class Asker:
    """Asks, as long as there is time, and remembers the request ids of the answers."""

    def __init__(
        self,
        seconds: float,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sleep, self._monotonic = sleep, monotonic
        self._until = monotonic() + seconds
        self._ids: list[str] = []

    @property
    def request_ids(self) -> tuple[str, ...]:
        """AWS's names of the answers so far, as CloudTrail has them."""
        return tuple(self._ids)

    def ask(self, call: Callable[[], Mapping[str, Any]], absent: str = "") -> Fact[Mapping[str, Any] | None]:
        """Ask once; the error `absent` is an answer, None: there is no such thing."""
        for pause in (*PAUSES, None):
            if self._monotonic() >= self._until:
                return Unknown(Reason.NOT_ASKED)
            try:
                answer = call()
            except (ClientError, BotoCoreError) as failure:
                code = plain(code_of(failure), CODE_MAX)
                if isinstance(failure, ClientError):
                    self._note(failure.response)
                if absent and code == absent:
                    return Known(None)
                if code not in THROTTLED:
                    return Unknown(_reason(failure, code), code)
                if pause is None or self._monotonic() + pause >= self._until:
                    return Unknown(Reason.THROTTLED, code)
                self._sleep(pause)
            except (AttributeError, KeyError, TypeError, ValueError):
                # botocore's parsers, over an answer that is not AWS's
                return Unknown(Reason.UNREADABLE)
            else:
                self._note(answer)
                return Known(answer)
        raise AssertionError("the last try answers or gives up")  # pragma: no cover - it does

    def answer(self, call: Callable[[], Mapping[str, Any]]) -> Answer:
        """Ask for what is always there."""
        found = self.ask(call)
        if isinstance(found, Unknown):
            return found
        return Unknown(Reason.UNREADABLE) if found.value is None else Known(found.value)

    def is_there(self, call: Callable[[], Mapping[str, Any]], absent: str) -> Fact[bool]:
        """Ask whether something is there."""
        found = self.ask(call, absent)
        return found if isinstance(found, Unknown) else Known(found.value is not None)

    def pages(
        self, call: Callable[[str], Mapping[str, Any]], token: str
    ) -> Fact[tuple[Mapping[str, Any], ...]]:
        """Ask for all pages of a list: all of them, or none; `token` names the member that leads to the next."""
        found: list[Mapping[str, Any]] = []
        at = ""
        while True:
            page = self.answer(lambda at=at: call(at))  # type: ignore[misc]  # mypy does not see the default
            if isinstance(page, Unknown):
                return page
            found.append(page.value)
            following = str(page.value.get(token) or "")
            if not following:
                return Known(tuple(found))
            if following == at:
                return Unknown(Reason.UNREADABLE)
            at = following

    def wait(self, seconds: float) -> None:
        """Wait before asking again for what AWS is still making."""
        self._sleep(max(0.0, min(seconds, self._until - self._monotonic())))

    def _note(self, response: Mapping[str, Any]) -> None:
        number = str(response.get("ResponseMetadata", {}).get("RequestId", ""))
        if _REQUEST_ID.fullmatch(number):
            self._ids.append(number)


def _reason(failure: ClientError | BotoCoreError, code: str) -> Reason:
    if isinstance(failure, BotoCoreError):
        return Reason.NO_ANSWER
    if code in DENIED:
        return Reason.DENIED
    status = failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return Reason.NO_ANSWER if status >= 500 else Reason.FAILED  # noqa: PLR2004 - HTTP's server errors
