"""Exit statuses, decided once, and how a failure is told on a terminal.

0  done
1  done, and the answer is bad: doctor found a fault, a step of the demonstration failed, rows were refused
2  not started: wrong usage, wrong settings, something is missing on the host
3  not signed in, or a second factor is missing or wrong
4  not allowed; the refusal is in the log
5  not there, or not in your scope
6  state or exclusivity does not allow it now
7  the input is not valid
8  frozen, or blocked until a rotation is done
9  too often; wait
10 something that is needed does not answer; nothing was disclosed
130 interrupted
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import click

STATUS: Final[Mapping[int, int]] = {
    400: 7, 401: 3, 403: 4, 404: 5, 405: 2, 409: 6, 413: 7, 415: 7, 422: 7, 423: 8, 429: 9, 500: 10, 502: 10,
    503: 10, 504: 10,
}  # fmt: skip
"""From an HTTP status to an exit status."""
UNAVAILABLE: Final = 10
_FAMILIES: Final[Mapping[str, int]] = {
    "Unauthenticated": 3, "Forbidden": 4, "NotFound": 5, "Conflict": 6, "Invalid": 7, "Blocked": 8, "Limited": 9,
    "Unavailable": 10, "Refused": 2,
}  # fmt: skip
"""From a family of `vault.errors` to an exit status; by name, so that people's commands import none."""

_UNSAFE: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


class Failure(Exception):
    """A command could not do its work: what the service said, and the exit status that follows."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        exit_status: int,
        retry_after: int | None = None,
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.exit_status = exit_status
        self.retry_after = retry_after
        self.problem = dict(problem or {"code": code, "detail": detail})


def of_error(error: Exception) -> Failure | None:
    """Turn an error of the vault's own family into a failure; None for any other."""
    status = next(
        (_FAMILIES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _FAMILIES), None
    )
    code, detail = getattr(error, "code", None), getattr(error, "detail", None)
    if status is None or not isinstance(code, str) or not isinstance(detail, str):
        return None
    places = [{"pointer": each.pointer, "detail": each.detail} for each in getattr(error, "errors", ())]
    problem = {
        **getattr(error, "facts", {}),
        "code": code,
        "detail": detail,
        **({"errors": places} if places else {}),
    }
    return Failure(code, detail, exit_status=status, problem=problem)


def plain(text: object) -> str:
    """Give a text as a terminal may show it: no control, direction or invisible characters (SECURITY S27)."""
    return _UNSAFE.sub("\ufffd", str(text)).replace("\t", " ").replace("\n", " ")


def tell(failure: Failure, *, as_json: bool) -> None:
    """Print a failure on standard error: one object, or words with each wrong place on its own line."""
    if as_json:
        print(json.dumps(failure.problem, sort_keys=True), file=sys.stderr)
        return
    click.secho(f"{plain(failure.detail)}  [{plain(failure.code)}]", fg="red", err=True)
    for each in failure.problem.get("errors") or ():
        place = plain(each.get("pointer", "")).lstrip("/") or "input"
        click.echo(f"  {place}: {plain(each.get('detail', ''))}", err=True)


def stop(code: str, detail: str, exit_status: int) -> NoReturn:
    """End the command with words of our own."""
    raise Failure(code, detail, exit_status=exit_status)
