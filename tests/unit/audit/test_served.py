"""A log read over HTTP, from servers that are slow, busy, broken, or mean it ill."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from audit import served
from audit.bundle import write_bundle
from audit.verify import Older
from tests.unit.audit.site import PREFIX, TOKEN, Site, raw, serving, verdict
from tests.unit.audit.world import LOG, SIZE, codes, fill, filled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def site(bundle: Path) -> Iterator[Site]:
    with serving(bundle) as made:
        yield made


def test_a_served_log_is_examined_as_a_bundle_is_on_one_connection(site: Site) -> None:
    report = verdict(site.url)
    assert report.findings == ()
    assert report.examined == SIZE
    assert sorted(site.asked) == sorted(
        f"{PREFIX}/{name}"
        for name in (
            *("checkpoint", "tile/0/000", "tile/0/001.p/20", "tile/1/000.p/1"),
            *("tile/entries/000", "tile/entries/001.p/20"),
        )
    )
    assert site.connections == 1
    assert site.tokens == {None}


def test_a_changed_entry_of_a_served_log_is_named(site: Site) -> None:
    path = site.root / "tile/entries/000"
    path.write_bytes(path.read_bytes().replace(b"Ada", b"Eve", 1))
    assert verdict(site.url).first_bad == 0


def test_partial_tiles_are_cut_out_of_full_ones_where_the_log_has_grown(site: Site, tmp_path: Path) -> None:
    log = filled(SIZE)
    write_bundle(log, tmp_path / "then")
    fill(log, 2 * SIZE)
    write_bundle(log, tmp_path / "now")
    (tmp_path / "now/checkpoint").write_bytes((tmp_path / "then/checkpoint").read_bytes())
    (tmp_path / "now/tile/1/000.p/1").parent.mkdir(exist_ok=True)
    (tmp_path / "now/tile/1/000.p/1").write_bytes((tmp_path / "then/tile/1/000.p/1").read_bytes())
    site.root = tmp_path / "now"
    assert verdict(site.url).findings == ()
    assert f"{PREFIX}/tile/0/001.p/20" in site.asked
    assert f"{PREFIX}/tile/0/001" in site.asked


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_after_the_time_it_names(site: Site, status: int) -> None:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=20)
    site.answers = [
        (status, {"Retry-After": "7"}, b""),
        (status, {"Retry-After": "100000"}, b""),
        (status, {"Retry-After": format_datetime(later, usegmt=True)}, b""),
        (status, {"Retry-After": "soon"}, b""),
        (status, {"Retry-After": "-5"}, b""),
        (status, {}, b""),
    ]
    waited: list[float] = []
    assert verdict(site.url, sleep=waited.append).findings == ()
    assert waited[:2] == [7, served.SECONDS_WAIT]
    assert 15 <= waited[2] <= 20
    assert waited[3:] == [8, 16, 32]


def test_a_server_that_stays_busy_is_given_up(site: Site) -> None:
    site.answers = [(503, {}, b"")] * 100
    waited: list[float] = []
    report = verdict(site.url, sleep=waited.append)
    assert codes(report) == {"served.unreachable"}
    assert len(waited) == served.MOST_TRIES


@pytest.mark.parametrize(
    ("status", "code"), [(401, "served.denied"), (403, "served.denied"), (400, "served.status")]
)
def test_an_answer_that_will_not_get_better_is_a_finding(site: Site, status: int, code: str) -> None:
    site.answers = [(status, {}, b"x" * 100_000)]
    assert codes(verdict(site.url)) == {code}


def test_no_redirection_is_followed(site: Site, tmp_path: Path) -> None:
    with serving(tmp_path) as other:
        site.answers = [(302, {"Location": f"{other.url}/checkpoint"}, b"")]
        report = verdict(site.url, token=TOKEN)
        assert codes(report) == {"served.redirected"}
        assert other.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Length": "99999999999"}, b"x"),
        (200, {"Connection": "close", "Content-Length": "2000000"}, b"x" * 2_000_000),
    ],
)
def test_no_more_is_read_than_the_format_allows(
    site: Site, answer: tuple[int, dict[str, str], bytes]
) -> None:
    site.answers = [answer]
    assert codes(verdict(site.url)) == {"bundle.too_long"}


def test_what_is_missing_is_a_finding(site: Site) -> None:
    (site.root / "tile/entries/001.p/20").unlink()
    report = verdict(site.url)
    assert codes(report) == {"bundle.missing"}


def test_a_server_that_breaks_off_is_asked_again_and_given_up() -> None:
    asked = []

    def answer(connection: socket.socket) -> None:
        asked.append(1)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")

    waited: list[float] = []
    with raw(answer) as port:
        report = verdict(f"http://127.0.0.1:{port}", sleep=waited.append)
    assert codes(report) == {"served.unreachable"}
    assert len(asked) == served.MOST_TRIES
    assert waited == [1, 2, 4, 8, 16, 32, 60]


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1_000,
        b"HTTP/1.1 999999 x\r\n\r\n",
        b"\xff" * 70_000,
    ],
)
def test_what_is_no_http_is_a_finding(words: bytes) -> None:
    with raw(lambda connection: connection.sendall(words)) as port:
        report = verdict(f"http://127.0.0.1:{port}", sleep=lambda _: None)
    assert codes(report) <= {"served.unreachable", "served.status"}
    assert not report.is_sound


def test_a_server_that_never_comes_to_an_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "SECONDS_ANSWER", 0.05)
    monkeypatch.setattr(served, "MOST_TRIES", 2)

    def answer(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    with raw(answer) as port:
        report = verdict(f"http://127.0.0.1:{port}", sleep=lambda _: None)
    assert codes(report) == {"served.unreachable"}


def test_nobody_at_home_is_a_finding() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    report = verdict(f"http://127.0.0.1:{port}", sleep=lambda _: None)
    assert codes(report) == {"served.unreachable"}


def test_a_served_log_is_held_against_what_was_kept(site: Site) -> None:
    log = filled(30)
    report = verdict(site.url, Older("kept", LOG.checkpoint(log)))
    assert (report.first_bad, report.bounds) == (0, (0, 29))
