"""Errors as HTTP, decided once: a status for each family, problem+json for programs, a calm page for people.

Decided here: the table of statuses, and that what nobody foresaw is a 500 that says ``internal`` and
its request id and nothing else. Never in an answer: a stack, a value that was sent, the text of an
exception that is not ours. RFC 9457 (problem details), RFC 6901 (pointers), RFC 9110 section 15.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import structlog
from flask import Flask, Response, g, json, redirect, render_template, request
from flask.globals import request_ctx
from flask_limiter.errors import RateLimitExceeded
from jinja2 import TemplateNotFound
from markupsafe import Markup
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response as WerkzeugResponse

from vault.errors import (
    CODES,
    Blocked,
    Conflict,
    Forbidden,
    Invalid,
    Limited,
    NotFound,
    Unauthenticated,
    Unavailable,
    VaultError,
)

PROBLEM: Final = "application/problem+json"
SIGN_IN: Final = "/sign-in"
STATUSES: Final[Mapping[type[VaultError], int]] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    Blocked: 423,
    Limited: 429,
    Unavailable: 503,
}
"""A family's status; what has none here (`Refused`, the root itself) is not for a request: 500."""

TITLES: Final[Mapping[int, str]] = {
    400: "The request is not well formed",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not there, or not yours",
    405: "Not this method",
    409: "Not in this state",
    413: "Too large",
    415: "Not this type of body",
    422: "Not valid",
    423: "Locked",
    429: "Too often",
    500: "Something went wrong",
    503: "Closed for now",
}
_HTTP: Final[Mapping[int, tuple[str, str]]] = {
    400: ("input.invalid", "The request is not well formed HTTP for this service."),
    404: ("not_found", "There is nothing at this address."),
    405: (
        "method.not_allowed",
        "This address does not know this method; the header Allow names those it knows.",
    ),
    413: ("input.too_large", "The request is larger than is accepted; send less."),
    415: ("media.unsupported", "Send the body as application/json."),
}
_log = structlog.get_logger("vault.web")


def set_up(app: Flask) -> None:
    """Answer every error here, and none by the framework."""
    app.register_error_handler(VaultError, answer)
    app.register_error_handler(RateLimitExceeded, _limited)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def status_of(error: VaultError) -> int:
    """Give the HTTP status of an error by its family."""
    return next((STATUSES[family] for family in type(error).__mro__ if family in STATUSES), 500)


def problem(error: VaultError, status: int) -> dict[str, object]:
    """Make the problem details of an error: safe words and identifiers only (RFC 9457 section 3)."""
    body: dict[str, object] = {
        "type": f"urn:rootvault:error:{error.code}",
        "title": TITLES.get(status, TITLES[500]),
        "status": status,
        "code": error.code,
        "detail": error.detail,
        "instance": f"urn:rootvault:request:{g.get('request_id', '-')}",
    }
    if error.errors:
        body["errors"] = [{"pointer": each.pointer, "detail": each.detail} for each in error.errors]
    if error.retry_after is not None:
        body["retry_after"] = error.retry_after
    facts = {name: value for name, value in error.facts.items() if value is not None and name not in body}
    return {**body, **facts}


def answer(error: VaultError, status: int | None = None) -> WerkzeugResponse:
    """Answer an error of ours, as problem+json or as a page."""
    status = status_of(error) if status is None else status
    if status >= 500:  # noqa: PLR2004 - server errors, RFC 9110 section 15.6
        _log.error("request failed", request_id=g.get("request_id"), code=error.code, status=status)
    if status == 500:  # noqa: PLR2004 - what nobody foresaw
        error = VaultError("internal", CODES["internal"] + " Tell an operator the request's id.")
    if isinstance(error, Unauthenticated) and error.code == "auth.required" and wants_page():
        return _to_sign_in()
    response = _page(error, status) if wants_page() else _document(error, status)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if status == 401:  # noqa: PLR2004 - RFC 9110 section 11.6.1
        response.headers["WWW-Authenticate"] = 'Bearer realm="rootvault"'
    return response


def wants_page() -> bool:
    """Say whether a person with a browser is asking, and not a program."""
    if request.path.startswith("/api/") or request.path in {"/healthz", "/readyz", "/metrics"}:
        return False
    return request.accept_mimetypes.best_match(["text/html", PROBLEM, "application/json"]) == "text/html"


def _document(error: VaultError, status: int) -> Response:
    text = json.dumps(problem(error, status), ensure_ascii=True)
    return Response(text + "\n", status=status, content_type=PROBLEM)


def _page(error: VaultError, status: int) -> Response:
    details = problem(error, status)
    try:
        # what went wrong unforeseen may be a template: that page needs none; for a host that is not ours it could
        # lead nowhere
        if request_ctx.url_adapter is not None and status != 500:  # noqa: PLR2004 - the status that is called so
            page = render_template("error.html", problem=details, error=error, status=status)
            return Response(page, status=status, content_type="text/html; charset=utf-8")
    except TemplateNotFound as missing:
        _log.error("page missing", request_id=g.get("request_id"), template=missing.name)
    text = Markup("<!doctype html><html lang=en><title>{0}</title><h1>{0}</h1><p>{1}<p>{2}</html>").format(
        details["title"], details["detail"], details["instance"]
    )
    return Response(text, status=status, content_type="text/html; charset=utf-8")


def _to_sign_in() -> WerkzeugResponse:
    if request.method != "GET" or request.path == "/":
        return redirect(SIGN_IN, 303)
    return redirect(f"{SIGN_IN}?{urlencode({'next': request.full_path.removesuffix('?')})}", 303)


def _limited(error: RateLimitExceeded) -> WerkzeugResponse:
    wait = max(1, error.limit.limit.get_expiry())
    detail = f"Too many requests. Try again in {wait} seconds."
    return answer(Limited("limit.requests", detail, retry_after=wait))


def _http(error: HTTPException) -> WerkzeugResponse:
    status = error.code or 500
    if 300 <= status < 400:  # noqa: PLR2004 - a redirect of the router's
        return error.get_response()
    if status not in _HTTP:
        status = 400 if 400 <= status < 500 else 500  # noqa: PLR2004 - the family of statuses
    if status == 500:  # noqa: PLR2004 - the status that is called so
        return _unforeseen(error)
    code, detail = _HTTP[status]
    response = answer(VaultError(code, detail), status)
    if isinstance(error, MethodNotAllowed) and error.valid_methods is not None:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _unforeseen(error: Exception) -> WerkzeugResponse:
    # the kind and the place, never the text: an exception's text may hold what was sent
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "-" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    _log.error("unforeseen", request_id=g.get("request_id"), kind=type(error).__qualname__, place=place)
    return answer(VaultError("internal", CODES["internal"]), 500)
