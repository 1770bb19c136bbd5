"""CloudTrail's files in an S3 bucket, listed by account and region, each from the last days on.

Decided here: a trail writes a file into the day on which it is delivered, late events too. So of each region's
folder only days since the last reading, and `BACK` before it, are listed again. A file is known by its
address and ETag. The rights that this takes: ``s3:ListBucket`` on the bucket, ``s3:GetObject`` on its objects.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import IO, TYPE_CHECKING, Final, TypeVar, cast

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from typing_extensions import override

from vault.adapters.aws import checked_endpoint, client_config, code_of
from vault.adapters.cloudtrail.names import day_of
from vault.adapters.cloudtrail.stream import CHUNK, read_file
from vault.errors import Refused, Unavailable
from vault.ports.cloud import Known, Part

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

BACK: Final = timedelta(days=3)
PAGE: Final = 1_000
"""Names in one answer, the most that S3 gives."""
READ_TIMEOUT: Final = 20.0
ADDRESS: Final = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[!-~]{0,512}))?", re.ASCII
)
_ACCOUNT: Final = re.compile(r"(?:.*/)?[0-9]{12}/", re.ASCII)
_ORGANISATION: Final = re.compile(r"(?:.*/)?o-[a-z0-9]{10,32}/", re.ASCII)


class Bucket:
    """One bucket, below one prefix."""

    def __init__(self, address: str, *, endpoint: str = "", back: timedelta = BACK, page: int = PAGE) -> None:
        named = ADDRESS.fullmatch(address)
        if named is None:
            detail = f"{address[:200]!r} in cloud.buckets is no bucket; write s3://BUCKET/PREFIX."
            raise Refused("settings.invalid", detail, setting="cloud.buckets")
        prefix = (named["prefix"] or "").strip("/")
        self._bucket = named["bucket"]
        self._prefix = f"{prefix}/" if prefix else ""
        self._endpoint = checked_endpoint(endpoint)
        self._back = back
        self._page = page
        self._kept: S3Client | None = None
        self.name = f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def parts(self, position: str, known: Known, now: datetime) -> Iterator[Part | str]:
        """Give the files that were not read yet, folder by folder; then the day to go on from."""
        since = f"{datetime.fromisoformat(position) - self._back:%Y/%m/%d}" if position else ""
        for region in self._regions():
            yield from self._folder(region, since, known)
        yield now.isoformat()

    def _regions(self) -> Iterator[str]:
        """Give the folders of all accounts' regions, below an organisation's or not."""
        for one in self._folders(f"{self._prefix}AWSLogs/"):
            accounts = self._folders(one) if _ORGANISATION.fullmatch(one) else iter((one,))
            for account in accounts:
                if _ACCOUNT.fullmatch(account):
                    yield from self._folders(f"{account}CloudTrail/")

    def _folder(self, folder: str, since: str, known: Known) -> Iterator[Part]:
        for page in self._pages(folder, start_after=f"{folder}{since}"):
            found = {
                f"s3://{self._bucket}/{each['Key']}": (each["Key"], each["ETag"])
                for each in cast("list[dict[str, str]]", page.get("Contents", []))
                if day_of(each["Key"]) is not None and each["Key"].isprintable()
            }
            read = known(tuple(found))
            for place, (key, tag) in found.items():
                if read.get(place) != tag:
                    yield Part(place, tag, lambda key=key: self._records(key))  # type: ignore[misc]  # bound at once

    def _folders(self, prefix: str) -> Iterator[str]:
        for page in self._pages(prefix, delimiter="/"):
            for each in cast("list[dict[str, str]]", page.get("CommonPrefixes", [])):
                yield each["Prefix"]

    def _pages(
        self, prefix: str, *, delimiter: str = "", start_after: str = ""
    ) -> Iterator[dict[str, object]]:
        token = ""
        while True:
            asked: dict[str, str] = {"Bucket": self._bucket, "Prefix": prefix, "Delimiter": delimiter}
            asked |= {"ContinuationToken": token} if token else {"StartAfter": start_after}
            given: dict[str, object] = {name: value for name, value in asked.items() if value}
            given["MaxKeys"] = self._page
            page = self._ask(lambda s3, given=given: cast("dict[str, object]", s3.list_objects_v2(**given)))  # type: ignore[misc]  # bound at once
            yield page
            token = str(page.get("NextContinuationToken") or "")
            if not token:
                return

    def _records(self, key: str) -> Iterator[object]:
        body = self._ask(lambda s3: s3.get_object(Bucket=self._bucket, Key=key)["Body"])
        yield from read_file(cast("IO[bytes]", io.BufferedReader(_Body(self, body.read, body.close), CHUNK)))

    def _ask(self, ask: Callable[[S3Client], T]) -> T:
        try:
            if self._kept is None:
                self._kept = boto3.session.Session().client(
                    "s3", endpoint_url=self._endpoint, config=client_config(READ_TIMEOUT)
                )
            return ask(self._kept)
        except (ClientError, BotoCoreError) as failure:
            raise self.unavailable(failure) from None

    def unavailable(self, failure: ClientError | BotoCoreError) -> Unavailable:
        """Say that the bucket does not answer, and what to look at."""
        detail = (
            f"The bucket {self._bucket} cannot be read ({code_of(failure)}). Look whether it is there and the "
            "vault's role may list it and get its objects."
        )
        return Unavailable("cloud.unavailable", detail, cause=code_of(failure))


class _Body(io.RawIOBase):
    """An object's bytes as they come, whose failures are ours."""

    def __init__(self, bucket: Bucket, read: Callable[[int], bytes], close: Callable[[], None]) -> None:
        super().__init__()
        self._bucket, self._read, self._close = bucket, read, close

    @override
    def readable(self) -> bool:
        """Say that this is for reading."""
        return True

    @override
    def readinto(self, buffer: object) -> int:
        """Read what has come."""
        view = memoryview(cast("bytearray", buffer))
        try:
            data = self._read(len(view))
        except (BotoCoreError, ClientError) as failure:
            raise self._bucket.unavailable(failure) from None
        view[: len(data)] = data
        return len(data)

    @override
    def close(self) -> None:
        """Let go of the connection."""
        if not self.closed:
            self._close()
        super().close()
