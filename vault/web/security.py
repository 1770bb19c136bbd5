"""What every request and answer goes through: who really sent it, how often, and what a browser may keep.

Decided here: the headers, the client's address, the limits, the request's id and the access log's line.
The id is always ours: a client's own could forge lines of the log. The address is found by walking
X-Forwarded-For from the right over proxies that are known by address, because werkzeug's ProxyFix
counts hops instead: with one proxy too few in the chain it believes what the client wrote (S27).
Never in the access log: paths and queries as sent (an enrolment link is a secret); the route's own
template stands for both.
"""

from __future__ import annotations

import ipaddress
import time
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

import structlog
from flask import Flask, Response, current_app, g, request
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFError, CSRFProtect

from vault.domain.event import Event, EventType
from vault.domain.ids import new_id
from vault.errors import FieldError, Forbidden, Invalid, NotFound
from vault.services.gate import refuse
from vault.services.guessing import same_network
from vault.web import auth, guard
from vault.web.requests import is_clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vault.bootstrap import Vault

SIGN_INS: Final = "30 per minute"
EVERYTHING: Final = "300 per second"
UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex",
}
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_log = structlog.get_logger("vault.web.access")


def set_up(app: Flask) -> None:
    """Set cookies, hosts, sizes, the limiter and the check of forms."""
    vault: Vault = app.extensions["rootvault"]
    settings = vault.settings
    hosts = set(settings.trusted_hosts)
    if hosts & set(_LOOPBACK):
        # all names of this machine are one: a page elsewhere cannot use them by rebinding a name of its own
        hosts |= {*_LOOPBACK, "[::1]"}
    app.config.update(
        SECRET_KEY=vault.server_key.derive("flask.session"),
        SESSION_COOKIE_NAME="__Host-rootvault" if settings.secure else "rootvault",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=settings.server.body_bytes,
        MAX_FORM_MEMORY_SIZE=settings.server.body_bytes,
        MAX_FORM_PARTS=100,
        TRUSTED_HOSTS=sorted(hosts),
        PROPAGATE_EXCEPTIONS=False,
        PROVIDE_AUTOMATIC_OPTIONS=False,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        PREFERRED_URL_SCHEME="https" if settings.secure else "http",
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        # the Referer it would look at is never sent (Referrer-Policy); Origin and Sec-Fetch-Site are, below
        WTF_CSRF_SSL_STRICT=False,
        RATELIMIT_STORAGE_URI="memory://",
        RATELIMIT_STRATEGY="moving-window",
        RATELIMIT_HEADERS_ENABLED=False,
    )
    limiter = Limiter(key_func=_who, application_limits=[_rate])
    limiter.init_app(app)
    app.extensions["rootvault.forms"] = CSRFProtect(app)
    app.extensions["rootvault.proxies"] = tuple(
        ipaddress.ip_network(network) for network in settings.server.trusted_proxies
    )


def begin() -> None:
    """Give the request its id and its sender's address, and refuse texts that cannot be kept."""
    g.began = time.perf_counter()
    g.request_id = new_id()
    proxies = current_app.extensions["rootvault.proxies"]
    forwarded = request.headers.getlist("X-Forwarded-For")
    g.client_ip = client_address(request.remote_addr or "", forwarded, proxies)
    g.allowed_ip = "" if forwarded and is_proxy(g.client_ip, proxies) else g.client_ip
    if request.routing_exception is not None:
        raise request.routing_exception
    if not is_clean(request.path) or "\ufffd" in request.path:
        raise NotFound("not_found", "There is nothing at this address.")
    if not all(
        is_clean(text) and "\ufffd" not in text for pair in request.args.items(multi=True) for text in pair
    ):
        place = FieldError("", "The query holds a control character, or is not UTF-8.")
        raise Invalid("input.invalid", place.detail, errors=(place,))


def check_site() -> None:
    """Refuse a change that a page of another site may have sent with our cookies (CSRF).

    A request with a bearer token cannot come from a page by itself and is not asked. One that is not
    signed in and sends JSON (signing in by a program) carries no form; its site is looked at only.
    """
    if request.method not in UNSAFE or not auth.by_cookie():
        return
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    source = request.headers.get("Origin", "null")
    ours = {f"{scheme}://{request.host}" for scheme in ("http", "https")}
    # a page under Referrer-Policy no-referrer sends the Origin null (Fetch, "append a request Origin header")
    if site not in {"same-origin", "none"} or (source != "null" and source not in ours):
        _refuse_site("This request came from another site, so nothing was done.")
    if not auth.visitor().is_authenticated and request.mimetype == "application/json":
        return
    try:
        current_app.extensions["rootvault.forms"].protect()
    except CSRFError:
        _refuse_site(
            "The form is too old or came from another site. Load the page again and repeat the step."
        )


def _refuse_site(detail: str) -> NoReturn:
    error = Forbidden("origin.refused", detail)
    actor = auth.visitor().actor
    if actor is None:
        raise error from None
    vault = auth.the_vault()
    with vault.units.write() as unit:
        refuse(unit, Event(EventType.ACCESS_DENIED, actor), error, vault.clock.now())


def check_form() -> None:
    """Refuse form fields that no database can keep."""
    for name, text in request.form.items(multi=True):
        if not is_clean(name) or not is_clean(text) or "\ufffd" in text:
            place = FieldError("", "The form holds a control character, or is not UTF-8.")
            raise Invalid("input.invalid", place.detail, errors=(place,))


def client_address(peer: str, forwarded: Sequence[str], proxies: Sequence[Network]) -> str:
    """Give the address of who really sent a request: the last one that no trusted proxy vouches for.

    Walks from the peer leftwards through X-Forwarded-For for as long as the address that wrote an item
    is a trusted proxy's. A malformed item ends the walk at the proxy that passed it on.
    """
    found = _address(peer)
    items = [item.strip() for header in forwarded for item in header.split(",")]
    while found is not None and items and any(found in network for network in proxies):
        before = _address(items.pop())
        if before is None:
            break
        found = before
    return "" if found is None else str(found)


def is_proxy(address: str, proxies: Sequence[Network]) -> bool:
    """Say whether an address is a trusted proxy's.

    Where one passed a request on without an address that can be read, who sent it is not known: the request is told
    as the proxy's, and no list of allowed addresses lets it in.
    """
    found = _address(address)
    return found is not None and any(found in network for network in proxies)


def is_local(address: str) -> bool:
    """Say whether a request was sent on this machine, and by nobody on behalf of somebody else."""
    found = _address(address)
    return found is not None and found.is_loopback and "X-Forwarded-For" not in request.headers


def keep(response: Response) -> Response:
    """Allow an answer that never changes and tells no secret (a full tile) to be kept by caches."""
    g.keep = True
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


def finish(response: Response) -> Response:
    """Put the headers on an answer, and one line without what was sent into the access log."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    if not _may_be_kept(response):
        response.headers["Cache-Control"] = "no-store"
    response.headers["X-Request-Id"] = g.get("request_id", "-")
    auth.send_device(response)
    _log_line(response)
    return response


def route() -> str:
    """Name the matched route by its template, which holds nothing of what was sent."""
    return request.url_rule.rule if request.url_rule is not None else "-"


def _may_be_kept(response: Response) -> bool:
    if g.get("keep", False):
        return True
    return (request.endpoint or "").endswith(".static") and response.status_code in {200, 206, 304}


def _log_line(response: Response) -> None:
    _log.info(
        "request",
        request_id=g.get("request_id", "-"),
        method=request.method if request.url_rule is not None else "-",
        route=route(),
        status=response.status_code,
        milliseconds=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
        ip=g.get("client_ip", ""),
        actor=g.get("actor_id", "-"),
    )


def _who() -> str:
    found = auth.visitor().actor
    if found is not None:
        return found.id
    # one customer of a provider has a whole /64 of IPv6, and could be somebody else for each request
    return same_network(g.client_ip) if ":" in g.client_ip else str(g.client_ip)


def _rate() -> str:
    opens = guard.is_public(guard.declared()) and request.method in UNSAFE
    return SIGN_INS if opens else EVERYTHING


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv4Address):
        return found
    # a zone may hold any text (RFC 4007 section 11), so it is left out
    return found.ipv4_mapped or ipaddress.IPv6Address(int(found))
