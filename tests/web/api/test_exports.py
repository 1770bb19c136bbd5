"""Copies by REST: what the headers promise, what the formats are, and for whom."""

from __future__ import annotations

import base64
import csv
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from audit.note import Verifier
from audit.receipt import open_checkpoint
from tests.support.readers import read_cef
from tests.web.api.test_main_path import held
from vault.domain.actor import Role, Scope, ScopeKind

if TYPE_CHECKING:
    from tests.web.api.service import Service


@pytest.mark.parametrize(
    ("body", "media", "name"),
    [
        ({"format": "bundle"}, "application/x-tar", "log.tar"),
        ({"format": "jsonl"}, "application/jsonl", "log.jsonl"),
        ({"format": "csv"}, "text/csv; charset=utf-8; header=present", "log.csv"),
        ({"format": "ocsf"}, "application/jsonl", "log.ocsf.jsonl"),
        ({"format": "cef"}, "text/plain; charset=utf-8", "log.cef"),
        ({"format": "cef", "proofs": True}, "application/x-tar", "log.cef.tar"),
    ],
)
def test_each_format_is_a_file_with_its_checkpoint(
    quick: Service, body: dict[str, object], media: str, name: str
) -> None:
    held(quick)
    answer = quick.caller("alma", Role.AUDITOR).post("/audit/exports", body)
    assert (answer.status, answer.headers["Content-Type"]) == (200, media)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    note = base64.b64decode(answer.headers["Rootvault-Checkpoint"]).decode()
    verifier = Verifier.parse(quick.world.vault.vkey)
    assert open_checkpoint(note, verifier.name, verifier).size == int(answer.headers["Rootvault-Size"])
    assert int(answer.headers["Rootvault-Size"]) == quick.size()
    assert "Content-Length" not in answer.headers
    if media == "application/x-tar":
        with tarfile.open(fileobj=io.BytesIO(answer.data)) as tar:
            assert tar.getnames()[-1] == "checkpoint"


def test_every_format_tells_the_same_entries(quick: Service) -> None:
    held(quick)
    alma = quick.caller("alma", Role.AUDITOR)
    wanted = {"account_id": "111122223333", "outcome": "success", "since": "2026-01-01T00:00:00Z"}
    lines = {
        each: alma.post("/audit/exports", {"format": each, **wanted, "type": "credential.taken_in"}).data
        for each in ("jsonl", "csv", "ocsf", "cef")
    }
    by_json = [json.loads(line)["index"] for line in lines["jsonl"].splitlines()[:-1]]
    by_csv = [
        row["index"] for row in csv.DictReader(io.StringIO(lines["csv"].decode("utf-8-sig"), newline=""))
    ]
    by_ocsf = [json.loads(line)["metadata"]["sequence"] for line in lines["ocsf"].splitlines()[:-1]]
    by_cef = [read_cef(line).extension["cn1"] for line in lines["cef"].decode().splitlines()[:-1]]
    assert len(by_json) == 2
    assert by_csv == [*map(str, by_json), "end"]
    assert by_ocsf == by_json
    assert by_cef == [*map(str, by_json)]


def test_what_was_cut_off_goes_on_by_what_the_answer_gave(quick: Service) -> None:
    held(quick)
    alma = quick.caller("alma", Role.AUDITOR)
    answer = alma.post("/audit/exports", {"format": "jsonl"})
    note = base64.b64decode(answer.headers["Rootvault-Checkpoint"]).decode()
    whole = answer.data.splitlines(keepends=True)
    rest = alma.post("/audit/exports", {"format": "jsonl", "after": 3, "checkpoint": note})
    assert rest.data.splitlines(keepends=True)[:-1] == whole[4:-1]
    assert rest.headers["Rootvault-Checkpoint"] == answer.headers["Rootvault-Checkpoint"]
    assert quick.last()[0]["detail"] == {"what": "jsonl", "after": 3}
    tar = alma.post("/audit/exports", {"format": "bundle"})
    note = base64.b64decode(tar.headers["Rootvault-Checkpoint"]).decode()
    more = alma.post("/audit/exports", {"format": "bundle", "offset": 700, "checkpoint": note})
    assert more.data == tar.data[700:]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"format": "xml"}, "/format"),
        ({"format": "bundle", "type": "x"}, "/format"),
        ({"format": "jsonl", "proofs": True}, "/proofs"),
        ({"format": "jsonl", "after": -1}, "/after"),
        ({"format": "jsonl", "limit": 0}, "/limit"),
        ({"format": "bundle", "offset": 1}, "/checkpoint"),
        ({"format": "cef", "until_size": 2**50}, "/until_size"),
        ({"format": "cef", "checkpoint": "nothing"}, "/checkpoint"),
        (
            {"format": "cef", "since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
            "/since",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_read(
    quick: Service, body: dict[str, object], place: str
) -> None:
    alma = quick.caller("alma", Role.AUDITOR)
    before = quick.size()
    answer = alma.post("/audit/exports", body)
    assert (answer.status, answer.code) == (422, "input.invalid")
    assert answer.json["errors"][0]["pointer"] == place
    assert quick.size() == before


def test_a_part_is_taken_as_an_extract_by_people_and_machines(quick: Service) -> None:
    held(quick)
    held(quick, "444455556666")
    part = Scope(ScopeKind.ACCOUNT, "111122223333")
    for caller in (quick.caller("anton", Role.AUDITOR, part), quick.bearer(None, "log.export", reach=part)):
        for format_ in ("jsonl", "csv", "ocsf", "cef"):
            answer = caller.post("/audit/exports", {"format": format_})
            assert answer.status == 200
            assert b"444455556666" not in answer.data
        assert caller.post("/audit/exports", {"format": "bundle"}).code == "policy.denied"
        other = caller.post("/audit/exports", {"format": "csv", "account_id": "444455556666"})
        absent = caller.post("/audit/exports", {"format": "csv", "account_id": "999999999999"})
        assert (other.status, absent.status) == (404, 404)
        assert other.json["detail"].replace("444455556666", "N") == absent.json["detail"].replace(
            "999999999999", "N"
        )
