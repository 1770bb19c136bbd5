"""Where AWS's records come from: folder, bucket and event history, each over what is really there."""

from __future__ import annotations

import gzip
import io
import json
import os
import tracemalloc
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.support.moto_cloudtrail import History, event_history
from tests.support.moto_kms import loopback_kms, made_up_credentials
from tests.support.trails import deliver, key_of, packed, root
from tests.support.world import START
from vault.adapters.cloudtrail.bucket import Bucket
from vault.adapters.cloudtrail.folder import Folder
from vault.adapters.cloudtrail.lookup import Lookup
from vault.adapters.cloudtrail.stream import read_file
from vault.errors import Refused, Unavailable
from vault.ports.cloud import CloudRecords, Part, PartBroken, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NUMBER = "111122223333"


class Reader:
    """Reads a source again and again, remembering what it read."""

    def __init__(self, source: CloudRecords) -> None:
        self.source = source
        self.tags: dict[str, str] = {}
        self.position = ""
        self.now = START

    def known(self, places: tuple[str, ...]) -> Mapping[str, str]:
        return {place: self.tags[place] for place in places if place in self.tags}

    def read(self) -> list[Any]:
        found: list[Any] = []
        for part in self.source.parts(self.position, self.known, self.now):
            if isinstance(part, Part):
                found += part.records()
                self.tags[part.place] = part.tag
            else:
                self.position = part
        return found


def unpack(content: bytes, **limits: int) -> tuple[list[object], str | None]:
    """Read a file to its end or to its fault."""
    found: list[object] = []
    try:
        found.extend(read_file(io.BytesIO(content), **limits))
    except PartBroken as broken:
        return found, broken.reason
    return found, None


# --- one file


@pytest.mark.parametrize("count", [0, 1, 2, 700])
def test_a_file_gives_its_records(count: int) -> None:
    records = [root(NUMBER, START, text="é" * (n % 97) + '"\\]}{[') for n in range(count)]
    assert unpack(packed(records)) == (records, None)
    spaced = json.dumps({"Records": records}, indent=3).encode()
    assert unpack(gzip.compress(spaced)) == (records, None)


def test_a_file_of_several_members_is_one_file() -> None:
    text = json.dumps({"Records": [root(NUMBER, START) for _ in range(50)]}).encode()
    pieces = [gzip.compress(text[start : start + 1000]) for start in range(0, len(text), 1000)]
    assert unpack(b"".join(pieces)) == (json.loads(text)["Records"], None)


def test_at_whatever_byte_a_file_is_cut_what_came_before_counts() -> None:
    records = [root(NUMBER, START) for _ in range(8)]
    whole = packed(records)
    for end in range(1, len(whole), 13):
        found, fault = unpack(whole[:end])
        assert (found, fault) == (records[: len(found)], "cut off")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"no gzip at all", "not gzip"),
        (gzip.compress(b'{"Records":[{"a":1}'), "not JSON"),
        (gzip.compress(b'{"Records":[{"a":1} {"b":2}]}'), "not JSON"),
        (gzip.compress(b"[1,2,3]"), "not CloudTrail"),
        (gzip.compress(b"\xff" * 1000), "not UTF-8"),
        (gzip.compress(b'{"Records":[' + b'"' + b"a" * 2_000_000), "record too long"),
        (gzip.compress(b'{"Records":[' + b"[" * 2_000_000), "record too long"),
        (gzip.compress(b"x" * 100_000), "not CloudTrail"),
    ],
    ids=range(9),  # packed content names the second it was packed in
)
def test_what_cannot_be_read_says_why(content: bytes, reason: str) -> None:
    assert unpack(content)[1] == reason


def test_a_record_that_no_parser_takes_is_passed_over_and_those_behind_it_are_read() -> None:
    deep = "[" * 30_000 + '"]' + '"' + "]" * 30_000
    long = '{"n":' + "7" * 10_000 + "}"
    text = '{"Records":[{"a":1},' + deep + "," + long + ',{"b":"]"}]}'
    assert unpack(gzip.compress(text.encode())) == (
        [{"a": 1}, Unreadable("json"), Unreadable("json"), {"b": "]"}],
        None,
    )


def test_a_bomb_ends_early_and_takes_little_memory() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packer.compress(b'{"Records":[') + b"".join(packer.compress(b" " * (1 << 20)) for _ in range(100))
    bomb += packer.flush()
    assert len(bomb) < 1_000_000
    tracemalloc.start()
    assert unpack(bomb, unpacked_max=64 << 20)[1] == "unpacks to too much"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20


def test_a_hundred_thousand_records_in_one_file_take_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.json.gz"
    one = json.dumps(root(NUMBER, START) | {"requestParameters": {"words": "x" * 600}})
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write('{"Records":[')
        for number in range(100_000):
            file.write(one if number == 0 else f",{one}")
        file.write("]}")
    tracemalloc.start()
    count = sum(1 for _ in read_file(path.open("rb")))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 4 << 20, peak


# --- folder


def test_a_folder_gives_each_file_once_and_again_when_it_changed(tmp_path: Path) -> None:
    reader = Reader(Folder(tmp_path))
    first = deliver(tmp_path, [root(NUMBER, START)], START)
    deliver(tmp_path, [root(NUMBER, START)], START, "b", org=True)
    deliver(tmp_path, [{"digest": 1}], START, "c", kind="CloudTrail-Digest")
    deliver(tmp_path, [{"insight": 1}], START, "d", kind="CloudTrail-Insight")
    (tmp_path / "AWSLogs" / "notes.json.gz").write_bytes(packed([{"x": 1}]))
    assert len(reader.read()) == 2
    assert reader.read() == []
    first.write_bytes(packed([root(NUMBER, START), root(NUMBER, START)]))
    assert len(reader.read()) == 2


def test_links_pipes_and_folders_are_not_opened(tmp_path: Path) -> None:
    outside = tmp_path / "outside.json.gz"
    outside.write_bytes(packed([root(NUMBER, START)]))
    path = deliver(tmp_path / "trail", [], START)
    path.with_name("link.json.gz").symlink_to(outside)
    os.mkfifo(path.with_name("pipe.json.gz"))
    path.with_name("folder.json.gz").mkdir()
    assert Reader(Folder(tmp_path / "trail")).read() == []


def test_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, check=lambda error: error.code == "cloud.unavailable"):
        Reader(Folder(tmp_path / "none")).read()


# --- bucket and event history


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """Serve S3 and CloudTrail over HTTP."""
    with made_up_credentials(), loopback_kms() as url:
        yield url


@pytest.fixture
def history(aws: str) -> Iterator[History]:
    """Give CloudTrail an event history."""
    assert aws
    with event_history(lambda: START) as made:
        yield made


def bucket(url: str, name: str) -> Any:
    """Make a bucket, and give the client that fills it."""
    s3 = boto3.client("s3", region_name="us-east-1", endpoint_url=url)
    s3.create_bucket(Bucket=name)
    return s3


def test_a_bucket_gives_each_file_once_below_its_prefix_and_late_ones_too(aws: str) -> None:
    s3 = bucket(aws, "trail-one")

    def put(key: str, count: int = 1) -> None:
        s3.put_object(Bucket="trail-one", Key=key, Body=packed([root(NUMBER, START) for _ in range(count)]))

    put(f"some/prefix/{key_of('a', START)}")
    put(f"some/prefix/{key_of('b', START, org=True, region='us-east-1')}", 3)
    put(f"some/prefix/{key_of('c', START, kind='CloudTrail-Digest')}")
    put(f"other/{key_of('d', START)}")
    reader = Reader(Bucket("s3://trail-one/some/prefix/", endpoint=aws))
    assert len(reader.read()) == 4
    assert reader.read() == []
    put(f"some/prefix/{key_of('e', START - timedelta(days=2))}", 2)
    put(f"some/prefix/{key_of('a', START)}", 5)
    assert len(reader.read()) == 7
    reader.now += timedelta(days=30)
    assert reader.read() == []
    reader.read()
    put(f"some/prefix/{key_of('f', reader.now)}", 2)
    put(f"some/prefix/{key_of('g', START)}", 1)
    assert len(reader.read()) == 2, "days long over are not listed again"


def test_a_bucket_of_many_files_is_listed_to_its_end(aws: str) -> None:
    s3 = bucket(aws, "trail-many")
    body = packed([root(NUMBER, START)])
    for number in range(25):
        s3.put_object(Bucket="trail-many", Key=key_of(f"{number:05}", START), Body=body)
    for number in range(9):
        s3.put_object(Bucket="trail-many", Key=key_of("a", START, region=f"eu-west-{number}"), Body=body)
    assert len(Reader(Bucket("s3://trail-many", endpoint=aws, page=4)).read()) == 34


def test_a_file_that_is_cut_off_in_the_bucket_says_so(aws: str) -> None:
    s3 = bucket(aws, "trail-cut")
    s3.put_object(Bucket="trail-cut", Key=key_of("a", START), Body=packed([root(NUMBER, START)])[:-9])
    with pytest.raises(PartBroken, match="cut off"):
        Reader(Bucket("s3://trail-cut", endpoint=aws)).read()


@pytest.mark.parametrize("address", ["trail", "s3://", "s3://UPPER/x", "https://trail", "s3://a/b c"])
def test_a_bucket_is_named_by_its_address(address: str) -> None:
    with pytest.raises(Refused):
        Bucket(address)


def test_a_bucket_that_does_not_answer_says_so(aws: str) -> None:
    with pytest.raises(Unavailable, check=lambda error: error.code == "cloud.unavailable"):
        Reader(Bucket("s3://nobody-has-this", endpoint=aws)).read()
    with pytest.raises(Unavailable):
        Reader(Bucket("s3://nobody-has-this", endpoint="http://127.0.0.1:9")).read()


def lookup(url: str, waits: list[float] | None = None) -> Lookup:
    """Make a source whose waiting is only written down."""
    waited = [] if waits is None else waits
    return Lookup("us-east-1", endpoint=url, sleep=waited.append, monotonic=lambda: 0.0)


def test_the_event_history_is_read_whole_once_and_then_only_what_is_new(aws: str, history: History) -> None:
    days = [root(NUMBER, START - timedelta(days=n, seconds=1)) for n in range(95)]
    busy = [root(NUMBER, START - timedelta(hours=1, seconds=n)) for n in range(130)]
    history.put(*days, *busy)
    reader = Reader(lookup(aws))
    found = {record["eventID"] for record in reader.read()}
    assert found == {record["eventID"] for record in (*days[:90], *busy)}
    asked = len(history.asked)
    late = root(NUMBER, START - timedelta(hours=5))
    history.put(late)
    again = {record["eventID"] for record in reader.read()}
    assert late["eventID"] in again
    assert len(history.asked) - asked < 10
    keys = {question["LookupAttributes"][0]["AttributeKey"] for question in history.asked}
    assert keys == {"EventSource", "Username", "EventName"}


def test_two_questions_a_second_and_throttling_is_waited_out(aws: str, history: History) -> None:
    waits: list[float] = []
    reader = Reader(lookup(aws, waits))
    reader.position = (START - timedelta(minutes=1)).isoformat()
    history.throttle_next(2)
    reader.read()
    assert len(history.asked) == 5
    assert [wait for wait in waits if wait >= 1.0] == [1.0, 2.0]
    assert waits.count(0.5) >= 4
    history.throttle_next(50)
    with pytest.raises(Unavailable):
        reader.read()


def test_an_interrupted_reading_goes_on_where_it_was(aws: str, history: History) -> None:
    history.put(*(root(NUMBER, START - timedelta(days=n)) for n in range(1, 40)))
    reader = Reader(lookup(aws))
    source = reader.source.parts("", reader.known, START)
    positions = []
    for part in source:
        if isinstance(part, str):
            positions.append(part)
            if len(positions) == 60:
                break
        else:
            list(part.records())
    reader.position = positions[-1]
    asked = len(history.asked)
    reader.read()
    assert len(history.asked) - asked < 120
