"""The vault's own log, examined where it is served, over a real connection, by somebody with a token alone."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.serving import WSGIRequestHandler, make_server

from audit.__main__ import main
from tests.web.api.service import the_url
from tests.web.api.test_main_path import held
from vault.domain.actor import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pytest

    from tests.web.api.service import Service


class Quiet(WSGIRequestHandler):
    """Speaks HTTP/1.1 and logs nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def listening(service: Service) -> Iterator[str]:
    """Serve the vault on a port; give the address of its log. The vault is told its public name, as by a proxy."""
    public = urlsplit(the_url(service.app))

    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        named = {"HTTP_HOST": public.netloc, "wsgi.url_scheme": public.scheme}
        return service.app(environ | named, start)

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/v1/audit"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def token_of(service: Service, role: Role, directory: Path) -> Path:
    path = directory / f"{role.value}.token"
    path.write_text(service.caller(role.value, role).token or "")
    path.chmod(0o600)
    return path


def test_an_auditor_examines_the_log_where_it_is_served(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held(service)
    (tmp_path / "kept").write_bytes(service.caller("auditor", Role.AUDITOR).get("/audit/checkpoint").data)
    token = token_of(service, Role.AUDITOR, tmp_path)
    before = service.size()
    with listening(service) as url:
        arguments = ["verify", url, "--key", service.world.vault.vkey, "--since", str(tmp_path / "kept")]
        assert main([*arguments, "--token-file", str(token)]) == 0
    assert "and it continues the log of" in capsys.readouterr().out
    assert service.size() > before, "that entries were read is an entry"


def test_who_may_not_export_the_log_is_told_so(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = token_of(service, Role.OPERATOR, tmp_path)
    with listening(service) as url:
        arguments = ["verify", url, "--key", service.world.vault.vkey]
        assert main([*arguments, "--token-file", str(token)]) == 1
        assert "served.denied" in capsys.readouterr().out
        assert main(arguments) == 1
        assert "--token-file" in capsys.readouterr().out
