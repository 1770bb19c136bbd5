"""Places outside as an operator sets them up: settings, worker, doctor, and a start that one of them refuses."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from audit.note import Verifier
from tests.cli.conftest import rootvault
from tests.support.places import Cloud, Mailbox, cloud, mail_server
from tests.support.witness import running_witness
from vault.bootstrap import open_vault
from vault.bootstrap.open import announce
from vault.cli.admin.doctor import doctor as doctor_command
from vault.cli.admin.jobs import jobs_of
from vault.cli.admin.worker import worker as worker_command
from vault.errors import Refused
from vault.services.highwater import checkpoint_of
from vault.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Site:
    """A founded vault whose settings name places outside."""

    directory: Path
    bucket: str
    box: Mailbox
    aws: Cloud

    def findings(self, *names: str) -> list[tuple[str, str]]:
        """Ask doctor; give level and words of some checks."""
        done = CliRunner().invoke(doctor_command, ["--config", str(self.directory), "--json"])
        report: dict[str, Any] = json.loads(done.stdout)
        return [(each["level"], each["words"]) for each in report["findings"] if each["check"] in names]

    def work(self) -> str:
        """Let the worker do everything once; give what it complained of."""
        done = CliRunner().invoke(worker_command, ["--config", str(self.directory), "--once", "--json"])
        assert done.exit_code == 0, done.output
        return done.stderr


@pytest.fixture
def site(vault_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Name a witness, a file, a bucket, a mail server; all answer."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    vkey = open_vault(load_settings(str(vault_directory), {})).vkey
    box = Mailbox()
    (tmp_path / "disk").mkdir()
    with (
        cloud() as aws,
        mail_server(box) as mail,
        running_witness(tmp_path / "witness", [Verifier.parse(vkey)], now=time.time()) as witness,
    ):
        bucket = aws.bucket()
        text = (vault_directory / "vault.toml").read_text()
        (vault_directory / "vault.toml").write_text(
            text
            + f"""
publish_seconds = 60
[anchors]
witnesses = ["{witness.url} {witness.verifier.vkey}"]
file = "{tmp_path / "disk" / "checkpoints"}"
bucket = "{bucket}"
bucket_prefix = "rootvault/"
bucket_endpoint = "{aws.url}"
mail_to = ["auditor@customer.example"]
[mail]
server = "{mail}"
security = "none"
sender = "vault@msp.example"
"""
        )
        yield Site(vault_directory, bucket, box, aws)


def test_a_worker_takes_the_log_to_every_place_and_doctor_says_so(site: Site) -> None:
    before = site.findings("anchors")
    assert {level for level, _ in before} == {"warn"}
    assert all("has confirmed nothing yet" in words for _, words in before)
    assert site.work() == ""
    levels = site.findings("anchors", "outside")
    assert {level for level, _ in levels} == {"ok"}, levels
    assert sorted(words.partition("/")[0] for _, words in levels) == [
        "bucket",
        "copy",
        "file",
        "mail",
        "witness",
    ]
    listed = site.aws.client().list_object_versions(Bucket=site.bucket)["Versions"]
    names = {each["Key"] for each in listed}
    assert any(name.startswith("rootvault/checkpoints/") for name in names)
    assert any(name.startswith("rootvault/tile/entries/000.p/") for name in names)
    assert any(name.startswith("rootvault/tile/0/000.p/") for name in names)
    assert len(site.box.letters) == 1
    again = site.work()
    assert (again, len(site.box.letters)) == ("", 1)


def test_what_is_copied_is_the_whole_log(site: Site) -> None:
    site.work()
    vault = open_vault(load_settings(str(site.directory), {}))
    with vault.units.read() as unit:
        (copy,) = [each for each in unit.outlets.all() if each.name.startswith("copy/")]
        bundle = unit.log.tile(f"tile/entries/000.p/{copy.position}")
        hashes = unit.log.tile(f"tile/0/000.p/{copy.position}")
    vault.close()
    client = site.aws.client()
    for path, content in (("entries", bundle), ("0", hashes)):
        key = f"rootvault/tile/{path}/000.p/{copy.position}"
        assert client.get_object(Bucket=site.bucket, Key=key)["Body"].read() == content


def test_an_older_database_and_mark_are_refused_at_the_start_and_the_place_is_named(site: Site) -> None:
    kept = shutil.copytree(site.directory / "data", site.directory / "kept")
    site.directory.joinpath("kept").chmod(0o700)
    settings = load_settings(str(site.directory), {})
    vault = open_vault(settings)
    announce(vault)
    size = checkpoint_of(vault.trail.checkpoint()).size
    vault.close()
    site.work()
    shutil.rmtree(site.directory / "data")
    shutil.move(kept, site.directory / "data")
    with pytest.raises(Refused) as refused:
        open_vault(settings)
    assert refused.value.code == "log.rolled_back"
    assert f"keeps a checkpoint of {size} entries" in refused.value.detail
    for arguments in (("worker", "--once"), ("serve", "--port", "0")):
        done = rootvault(*arguments, "--config", str(site.directory))
        assert done.returncode == 2
        assert "LOG ROLLED BACK" in done.stderr
        assert "Traceback" not in done.stderr
    assert any("LOG ROLLED BACK" in words for level, words in site.findings("log") if level == "fail")


def test_places_that_are_gone_are_findings_and_stop_no_start(site: Site) -> None:
    site.work()
    site.aws.down()
    vault = open_vault(load_settings(str(site.directory), {}))
    vault.close()
    gone = [words for level, words in site.findings("anchors") if level == "fail"]
    assert len(gone) == 1
    assert "EndpointConnectionError" in gone[0]
    site.aws.up()


def test_no_place_outside_is_something_to_say(vault_directory: Path) -> None:
    done = CliRunner().invoke(doctor_command, ["--config", str(vault_directory), "--json"])
    found = [each for each in json.loads(done.stdout)["findings"] if each["check"] == "anchors"]
    assert [each["level"] for each in found] == ["warn"]
    assert "nobody outside keeps this log" in found[0]["words"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ('witnesses = ["https://w.example"]', "anchors.witnesses"),
        ('witnesses = ["ftp://w.example w+00000000+AAAA"]', "anchors.witnesses"),
        ('mail_to = ["a@b.example"]', "mail.server"),
    ],
)
def test_a_place_that_cannot_be_meant_is_refused_in_words(
    vault_directory: Path, words: str, said: str
) -> None:
    with (vault_directory / "vault.toml").open("a") as file:
        file.write(f"[anchors]\n{words}\n")
    done = rootvault("worker", "--once", "--config", str(vault_directory))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_each_place_has_a_thread_of_its_own(site: Site) -> None:
    vault = open_vault(load_settings(str(site.directory), {}))
    names = [job.name for job in jobs_of(vault)]
    assert len(names) == len(set(names))
    assert {"sweep", "publish", "mail"} < set(names)
    assert sum(name.startswith(("witness/", "bucket/", "file/", "copy/")) for name in names) == 4
    vault.close()
