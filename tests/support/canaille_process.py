"""A real OpenID provider as a process of its own: Canaille with its memory backend, on loopback.

Started by `tests.support.provider` as ``python -P -m tests.support.canaille_process PORT``; prints ``ready`` when it
answers, and ends with its standard input. Clients register themselves (RFC 7591).
"""

from __future__ import annotations

import sys
import threading
import warnings
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

PASSWORD = "a password at the provider"
USERS = {"olga": ["vault-operators", "staff"], "uma": ["staff"]}
"""Who is known there, and their groups."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def application(port: int) -> Any:
    """Make the provider's application, with its users."""
    from canaille import create_app  # noqa: PLC0415 - only this process loads it
    from canaille.app import models  # noqa: PLC0415 - as above
    from canaille.backends import Backend  # noqa: PLC0415 - as above
    from joserfc.jwk import RSAKey  # noqa: PLC0415 - as above

    key = RSAKey.generate_key(2048, auto_kid=True)
    app = create_app(
        {
            "SECRET_KEY": "only for tests, on loopback, in memory",
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "SESSION_COOKIE_SECURE": False,
            "CANAILLE": {
                "DATABASE": "memory",
                "JAVASCRIPT": False,
                "HTMX": False,
                "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}},
            },
            "CANAILLE_OIDC": {
                "ACTIVE_JWKS": [key.as_dict(private=True)],
                "DYNAMIC_CLIENT_REGISTRATION_OPEN": True,
                "TRUSTED_DOMAINS": ["127.0.0.1"],
            },
        },
        env_file=None,
    )
    with app.app_context():
        people = {
            name: models.User(
                user_name=name,
                formatted_name=name.title(),
                family_name=name.title(),
                emails=[f"{name}@msp.example"],
                password=PASSWORD,
            )
            for name in USERS
        }
        for person in people.values():
            Backend.instance.save(person)
        for group in sorted({each for groups in USERS.values() for each in groups}):
            members = [people[name] for name, groups in USERS.items() if group in groups]
            Backend.instance.save(models.Group(display_name=group, members=members))
    return app


def main() -> None:
    """Serve until standard input ends."""
    warnings.simplefilter("ignore")
    port = int(sys.argv[1])
    server = make_server("127.0.0.1", port, application(port), _Server, _Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
