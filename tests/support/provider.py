"""Identity providers for tests: a real one (Canaille, in a process of its own), and a trusting one in memory.

`canaille()` runs the real one. `Trusting` keeps the port's promise as a provider does, a code for one state, nonce
and verifier, once, without a network. `join` gives a house one of them.
"""

from __future__ import annotations

import http.cookiejar
import json
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.canaille_process import PASSWORD
from vault.adapters.identity import Client, OpenIdProvider
from vault.adapters.identity.asking import Asking, origin_of
from vault.domain.identity import Claims
from vault.ports.identities import Redemption, Rejected

if TYPE_CHECKING:
    from datetime import datetime

    from tests.support.people import House
    from vault.domain.identity import RoleGroups
    from vault.ports.identities import IdentityProvider

ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Trusting:
    """Vouches for whoever the test says, by code; each code is for what it was made for, once."""

    issuer: str = "https://id.example"
    left: list[tuple[str, str, str]] = field(default_factory=list)
    """State, nonce and verifier of each who left for it."""
    codes: dict[str, tuple[tuple[str, str, str], Claims]] = field(default_factory=dict)

    def leave_for(self, state: str, nonce: str, verifier: str) -> str:
        """Give an address."""
        self.left.append((state, nonce, verifier))
        return f"{self.issuer}/authorize?state={state}"

    def vouch(self, subject: str, *groups: str, label: str = "") -> tuple[str, str]:
        """Let whoever left last come back as `subject`; give state and code."""
        code = f"code-{len(self.codes)}"
        self.codes[code] = (self.left[-1], Claims(subject, label or subject, frozenset(groups)))
        return self.left[-1][0], code

    def redeem(self, came: Redemption, now: datetime) -> Claims | Rejected:
        """Redeem a code once, for the nonce and verifier it was made for."""
        (_, nonce, verifier), claims = self.codes.pop(came.code, (("", "", ""), Claims("", "", frozenset())))
        if (nonce, verifier) != (came.nonce, came.verifier):
            return Rejected("the code was not accepted")
        return claims


def join(
    house: House,
    provider: IdentityProvider,
    role_groups: RoleGroups | None = None,
    *,
    required: bool = False,
) -> None:
    """Let a house know a provider."""
    vault = house.vault
    signin = replace(vault.signin, insists_on=provider.issuer if required else "")
    house.vault = replace(
        vault,
        signin=signin,
        passkeys=replace(vault.passkeys, signin=signin),
        federation=replace(vault.federation, provider=provider, role_groups=role_groups or {}),
    )


@dataclass(frozen=True, slots=True)
class Canaille:
    """The real provider, from outside."""

    url: str

    def register(self, redirect: str, method: str = "client_secret_basic") -> Client:
        """Register a client with one place to come back to (RFC 7591)."""
        wanted = {
            "client_name": "vault",
            "client_uri": "http://127.0.0.1/",
            "redirect_uris": [redirect],
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "scope": "openid email groups",
            "token_endpoint_auth_method": method,
        }
        request = urllib.request.Request(  # noqa: S310 - the test's own address
            f"{self.url}/oauth/register",
            json.dumps(wanted).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            told = json.load(answer)
        return Client(told["client_id"], told["client_secret"])

    def provider(self, redirect: str) -> OpenIdProvider:
        """Make our side of it, for a client of its own."""
        asking = Asking(frozenset({origin_of(self.url)}))
        return OpenIdProvider(self.url, self.register(redirect), redirect, asking, scopes=("groups",))

    def sign_in(self, address: str, user: str, redirect: str) -> str:
        """Sign in there as a browser does, from `address` on; give the address that leads back."""
        jar = http.cookiejar.CookieJar()
        walk = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar), _StopAt(redirect))
        try:
            place, page = _open(walk, address)
            for given in ({"login": user}, {"password": PASSWORD}):
                place, page = _open(walk, place, {**_fields(page), **given})
        except _ArrivedError as arrived:
            return arrived.address
        raise AssertionError(f"nothing led back from {place}")


@contextmanager
def canaille() -> Iterator[Canaille]:
    """Run the real provider."""
    with socket.socket() as tube:
        tube.bind(("127.0.0.1", 0))
        port = tube.getsockname()[1]
    program = "import sys; sys.path.insert(0, sys.argv.pop()); from tests.support.canaille_process import main; main()"
    command = [sys.executable, "-P", "-c", program, str(port), str(ROOT)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n", "the provider did not start"
        yield Canaille(f"http://127.0.0.1:{port}")
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()


class _ArrivedError(Exception):
    """The walk leads back to us."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class _StopAt(urllib.request.HTTPRedirectHandler):
    def __init__(self, redirect: str) -> None:
        self.redirect = redirect

    def redirect_request(
        self, req: urllib.request.Request, fp: object, code: int, msg: str, headers: object, newurl: str
    ) -> urllib.request.Request | None:
        """Stop where the way leads back to us."""
        if newurl.startswith(self.redirect):
            raise _ArrivedError(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type] # handed on


def _open(
    walk: urllib.request.OpenerDirector, address: str, form: dict[str, str] | None = None
) -> tuple[str, str]:
    data = None if form is None else urllib.parse.urlencode(form).encode()
    with walk.open(address, data, timeout=10) as answer:
        return answer.geturl(), answer.read().decode()


def _fields(page: str) -> dict[str, str]:
    found = re.search(r"<form.*?</form>", page, re.DOTALL)
    assert found is not None, page[:500]
    fields = {}
    for tag in re.findall(r"<input[^>]*>", found.group(0)):
        attributes = dict(re.findall(r'([a-z_]+)="([^"]*)"', tag))
        if "name" in attributes:
            fields[attributes["name"]] = unescape(attributes.get("value", ""))
    return fields
