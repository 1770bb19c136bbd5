"""API tokens: list, make, end; and a program's sign-in, whose answer is a token."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from vault.domain.person import Token
from vault.domain.policy import Permission
from vault.ports.store import Slice
from vault.services.machines import Wanted
from vault.web.api.routes import as_json, blueprint, operation
from vault.web.api.schemas.base import Items
from vault.web.api.schemas.tokens import (
    IssuedToken,
    NewToken,
    SignInBody,
    TokenQuery,
    TokenResource,
    scope_of,
)
from vault.web.auth import actor, agent, origin, the_vault
from vault.web.guard import PUBLIC
from vault.web.idempotency import renders


@operation("GET", "/tokens", Permission.TOKEN_OWN, problems={422: ("cursor.invalid",)})
def list_tokens(sent: TokenQuery) -> Items[TokenResource]:
    """List your own tokens, newest first; as an administrator everyone's."""
    part, now = Slice(sent.limit, sent.cursor), the_vault().clock.now()
    if sent.of == "machines":
        page = the_vault().machines.page(actor(), part)
    else:
        page = the_vault().tokens.page(actor(), part, everyone=sent.everyone == "true")
    return Items[TokenResource](items=[TokenResource.of(each, now) for each in page.items], next=page.next)


@operation(
    "POST",
    "/tokens",
    Permission.TOKEN_OWN,
    creates="/tokens/{id}",
    problems={401: ("auth.refused",), 409: ("otp.used",), 429: ("auth.delayed",)},
)
def issue_token(sent: NewToken) -> IssuedToken:
    """Make a token, in a browser session and with a fresh second factor: a token mints no token (S23).

    With `scopes` it is a machine's, and an administrator makes it; with one that does more than read, it counts only
    after a second administrator agreed to its proposal, and the hold is over.
    """
    vault, me = the_vault(), actor()
    if sent.scopes is None:
        issued = vault.tokens.issue_own(me, sent.name, sent.otp.expose(), sent.lasts)
    else:
        scopes, reach = frozenset(sent.scopes), scope_of(sent.scope)
        wanted = Wanted(sent.name, scopes, reach, tuple(sent.addresses), sent.lasts, sent.why)
        issued = vault.machines.issue(me, wanted, sent.otp.expose())
    return IssuedToken.of_issued(issued, vault.clock.now())


@operation("GET", "/tokens/<token_id>", Permission.TOKEN_OWN)
def read_token(token_id: str) -> TokenResource:
    """Read one token, never its text."""
    return _shown(the_vault().tokens.get(actor(), token_id))


@operation("DELETE", "/tokens/<token_id>", Permission.TOKEN_OWN)
def revoke_token(token_id: str) -> TokenResource:
    """End a token at once."""
    return _shown(the_vault().tokens.revoke(actor(), token_id))


@operation(
    "POST",
    "/sign-in",
    PUBLIC,
    creates="/tokens/{id}",
    problems={401: ("auth.refused",), 403: ("policy.denied",), 409: ("otp.used",), 429: ("auth.delayed",)},
)
def sign_in(sent: SignInBody) -> IssuedToken:
    """Sign in as a program, with e-mail, password and code; the answer is a token of that person."""
    vault, where = the_vault(), origin()
    signed = vault.signin.begin(sent.email, sent.password, sent.otp.expose(), where, agent=agent())
    issued = vault.tokens.issue_at_sign_in(signed, where, sent.name, sent.lasts)
    return IssuedToken.of_issued(issued, vault.clock.now())


@renders(blueprint, "token")
def show_again(token_id: str) -> ResponseReturnValue:
    """Draw a token for a repeated request."""
    return as_json(_shown(the_vault().tokens.get(actor(), token_id)))


def _shown(token: Token) -> TokenResource:
    return TokenResource.of(token, the_vault().clock.now())
