"""What other programs read of an entry is what was recorded, whatever somebody typed into it.

Each format is read back by a reader that is not ours: csv and json of the standard library, and those of
`tests.support.readers`, which were written from the formats' own documents.
"""

from __future__ import annotations

import csv
import io
import json
import re
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.entry import write
from tests.support.readers import read_cef, read_frames, read_syslog
from vault.domain.formats import Copied, Trailer, cef, lines, ocsf, sheet, syslog
from vault.domain.formats.visible import conceal, reveal

NASTY = (
    "\x1b[31mred\x1b[0m", "a\u202eb\u2066c", "<script>alert(1)</script>", "=cmd|'/C calc'!A0", "+1", "-1+1", "@SUM(A1)",
    "\uff1dIMPORTXML()", "x,=1", "x;=1", "x|=1", 'x,"=1', "\t=1", "\r\n=1", "a\r\nb", "[U+202E]", "[[U+005B]", "\\",
    "|", "\\|",
    "a=b c=d", "]", '"', '\\"]', " leading", "trailing ", "'=1", "CEF:0|x|", "\x7f\x80\x85\u2028\u2029\ufeff",
    "cn1Label=seq cn1=9",
    '","end":true', "\n\n", "",
)  # fmt: skip
TEXT = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60),
    st.lists(st.sampled_from(NASTY), max_size=4).map("".join),
)
STEERING = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]")


def entry(text: str = "", name: str = "alma", ticket: str = "T-1", **more: Any) -> Copied:
    """Make an entry as the log holds it."""
    content: dict[str, Any] = {
        "v": 1,
        "log": "vault.test.example/audit",
        "seq": 7,
        "id": "2f0e6f0a-6ad4-4fd0-9f61-2f1f0e9a3c11",
        "time": "2026-11-21T02:41:49.000007Z",
        "type": "checkout.requested",
        "outcome": "success",
        "actor": {
            "id": "p1",
            "name": name,
            "kind": "person",
            "role": "operator",
            "ip": "192.0.2.7",
            "mfa": "totp",
        },
        "account": {"id": "111122223333", "seq": 3, "prev": "ab" * 32},
        "checkout": "c1",
        "reason": {"code": "BILL_ROOT", "text": text, "ticket": ticket},
        "req": "r1",
        "app": {"version": "1", "host": "vault-1"},
        "detail": {"asked_for": text},
        **more,
    }
    return Copied(7, write(content), 42)


@given(TEXT)
def test_what_was_concealed_is_revealed_and_nothing_acts(text: str) -> None:
    shown = conceal(text)
    assert reveal(shown) == text
    assert STEERING.search(shown) is None
    assert "\n" not in shown


@given(TEXT, TEXT, TEXT)
def test_a_csv_row_is_one_line_of_cells_that_are_no_formulas(text: str, name: str, ticket: str) -> None:
    made = entry(text, name, ticket)
    written = sheet.line(made)
    assert written.endswith("\r\n")
    assert written.count("\n") == 1
    assert STEERING.search(written) is None
    (cells,) = csv.reader(io.StringIO(written, newline=""), strict=True)
    for each in cells:
        assert re.search(r"(^|[,;|])[\s\"']*[=+\-@\uff1d\uff0b\uff0d\uff20]", each) is None, each
    told = {column: reveal(each) for (column, _), each in zip(sheet.COLUMNS, cells, strict=True)}
    assert (told["reason_text"], told["actor_name"], told["reason_ticket"]) == (text, name, ticket)
    assert told["leaf"].encode() == made.leaf
    assert sha256(b"\0" + told["leaf"].encode()).hexdigest() == told["leaf_hash"]
    assert (told["index"], told["account_id"], told["account_seq"]) == ("7", "111122223333", "3")


@given(TEXT, TEXT)
def test_cef_is_one_line_that_reads_back(text: str, name: str) -> None:
    made = entry(text, name)
    written = cef.line(made)
    assert written.count("\n") == 1
    assert STEERING.search(written) is None
    event = read_cef(written.removesuffix("\n"))
    assert event.header[:6] == (
        "0", "Rackspace", "root-vault", "1", "checkout.requested",
        "A person asked for an account's root, with reason, ticket and sentence",
    )  # fmt: skip
    told = {key: reveal(value) for key, value in event.extension.items()}
    assert (told.get("msg", ""), told.get("suser", "")) == (text, name)
    assert (told["cn1Label"], told["cn1"], told["cs1"], told["cs3"]) == (
        "seq",
        "7",
        "111122223333",
        made.leaf_hash,
    )
    assert told["rt"] == "1795228909000"


@given(st.text(st.sampled_from("a|\\=\n\r\u202e]"), max_size=30))
def test_a_cef_header_keeps_any_text(text: str) -> None:
    event = read_cef(cef.event(text, text, 3, {"msg": text}).removesuffix("\n"))
    assert [reveal(each) for each in event.header[4:6]] == [text, text]
    assert reveal(event.extension.get("msg", "")) == text


@given(TEXT, TEXT)
def test_json_lines_and_ocsf_are_printable_ascii_with_the_exact_leaf(text: str, name: str) -> None:
    made = entry(text, name)
    for written in (lines.line(made, "proof\n"), ocsf.line(made)):
        assert re.fullmatch(r"[ -~]+\n", written)
    line = json.loads(lines.line(made, "proof\n"))
    assert (line["leaf"].encode(), line["index"], line["proof"]) == (made.leaf, 7, "proof\n")
    event = json.loads(ocsf.line(made))
    assert event["raw_data"].encode() == made.leaf
    assert event["raw_data_hash"]["value"] == sha256(made.leaf).hexdigest()
    assert event["actor"]["user"]["name"] == name
    assert event["unmapped"]["reason"]["text"] == text


@given(TEXT, TEXT)
def test_syslog_is_one_message_that_gives_the_leaf_back(text: str, name: str) -> None:
    made = entry(text, name)
    written = syslog.message(made)
    assert re.fullmatch(rb"[ -~]+", written)
    message = read_syslog(written)
    assert (message.facility, message.host, message.app, message.kind) == (
        13,
        "vault-1",
        "root-vault",
        "checkout.requested",
    )
    told = message.elements["entry@32473"]
    assert (told["index"], told["size"], told["leaf_hash"]) == ("7", "42", made.leaf_hash)
    assert write(json.loads(message.text)) == made.leaf
    assert read_frames(syslog.frame(written) + syslog.frame(written)) == [written, written]


@given(TEXT)
def test_syslog_survives_names_that_no_entry_should_have(text: str) -> None:
    made = entry(type=text, id=text, app={"host": text})
    message = read_syslog(syslog.message(made))
    assert message.elements["entry@32473"]["index"] == "7"
    short = read_syslog(syslog.message(made, 400))
    assert short.elements["entry@32473"]["leaf_hash"] == made.leaf_hash


def test_a_message_too_long_for_a_datagram_goes_without_its_leaf() -> None:
    made = entry("x" * 1900)
    whole = syslog.message(made)
    assert syslog.message(made, len(whole)) == whole
    cut = syslog.message(made, len(whole) - 1)
    assert len(cut) < 600
    assert read_syslog(cut).text == ""
    assert read_syslog(cut).elements["entry@32473"]["cut"] == str(len(whole))


@pytest.mark.parametrize("following", [None, 41])
def test_each_format_says_how_a_copy_ended(following: int | None) -> None:
    end = Trailer(
        3, following, 42, "vault.test.example/audit\n42\nroot\n\n— sig\n", {"111122223333": (4, "ab")}
    )
    for told in (json.loads(lines.trailer(end)), json.loads(ocsf.trailer(end))["unmapped"]):
        assert (told["end"], told["next"], told["size"], told["entries"]) == (
            following is None,
            following,
            42,
            3,
        )
        assert told["checkpoint"] == end.checkpoint
        assert told["accounts"] == {"111122223333": {"entries": 4, "last": "ab"}}
    (cells,) = csv.reader(io.StringIO(sheet.trailer(end), newline=""), strict=True)
    assert cells[0] == ("end" if following is None else "more")
    assert json.loads(reveal(cells[-1]))["next"] == following
    event = read_cef(cef.trailer(end).removesuffix("\n"))
    assert event.header[4] == ("export.end" if following is None else "export.more")
    assert event.extension["cn2"] == "42"
    assert event.extension["msg"] == end.checkpoint
    names, _ = csv.reader(
        io.StringIO((sheet.head() + sheet.trailer(end)).encode().decode("utf-8-sig"), newline="")
    )
    assert sheet.head().startswith("\ufeff")
    assert names == [name for name, _ in sheet.COLUMNS]
