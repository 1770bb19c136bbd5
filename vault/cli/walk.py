"""The walk in a terminal: the same steps as on the page, asked of the service each time, so nothing is kept here.

What is sealed, shown or attested is the service's; this hands values out (clipboard, or terminal by `--show`), counts
seconds, and asks what AWS did. Broken off anywhere, the same command goes on at the step that is next.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import click

from vault.cli.client import Api, segment
from vault.cli.disclosures import with_factor
from vault.cli.exits import Failure
from vault.cli.output import ask_secret, hand_out

TITLES: Final[Mapping[str, str]] = {
    "find_out": "Find out which value AWS has",
    "sign_in": "Sign in as root",
    "add": "Add the new device",
    "codes": "Type two codes",
    "prove": "Sign in with the new device",
    "remove": "Remove the old device",
    "set": "Set the new password",
    "check_in": "Check in",
}
_VALUES: Final = "Enter when you are signed in; p for the password, c for a code"


@dataclass
class Walk:
    """One person's way through the steps under one checkout."""

    api: Api
    checkout_id: str
    part: str
    show: bool
    clear_after: int
    wait: bool
    passed: set[str] = field(default_factory=set)
    """Steps that the person went by without anything being recorded of them."""
    seen: dict[str, Any] = field(default_factory=dict)

    def go(self) -> Any:
        """Lead through all steps but the check-in; give the walk as it stands then."""
        steps: Mapping[str, Callable[[Any], None]] = {
            "find_out": self._find_out,
            "sign_in": self._sign_in,
            "add": self._add,
            "codes": self._codes,
            "prove": self._prove,
            "remove": self._remove,
            "set": self._set,
        }
        while True:
            self.seen = self.api.get(f"/checkouts/{segment(self.checkout_id)}/walk", part=self.part)
            place, step = self._now()
            if step["act"] == "check_in":
                return self.seen
            _say(f"\nStep {place} of {len(self.seen['steps'])}: {TITLES[step['act']]}", bold=True)
            steps[step["act"]](step)

    def _now(self) -> tuple[int, Any]:
        for place, step in enumerate(self.seen["steps"], 1):
            if step["stand"] != "done" and step["act"] not in self.passed:
                return place, step
        message = "a walk ends with the check-in"
        raise AssertionError(message)

    def _sign_in(self, _step: Any) -> None:
        _say(f"{self.seen['sign_in_at']}  Root user, {self.seen['root_email']}")
        self._until_signed_in()
        self.passed.add("sign_in")

    def _prove(self, _step: Any) -> None:
        _say("Sign out of AWS, and in again with a code of the new device.")
        _say(f"{self.seen['sign_in_at']}  Root user, {self.seen['root_email']}")
        self._until_signed_in()
        self.passed.add("prove")

    def _until_signed_in(self) -> None:
        """Hand out what signing in takes, as often as it is asked for."""
        while True:
            said = _ask(_VALUES)
            if said == "p":
                self._disclose("password", {})
            elif said == "c":
                self._disclose("code", {})
            else:
                return

    def _add(self, step: Any) -> None:
        if step["stale"]:
            _say("A key was entered under an earlier lease, and AWS shows another one by now: it is dropped.")
            self.api.post(f"/rotations/{segment(step['rotation'])}/abandon")
        if self.seen["full"]:
            _say("AWS takes eight devices, and the vault knows of eight. Remove one first.")
            self._remove(step)
        _say(f"{self.seen['credentials_at']}  Multi-factor authentication, “Assign MFA device”.")
        _say(f"Name it {self.seen['next_device']}, “Authenticator app”, “Show secret key”.")
        body = {"part": "mfa", "seed": ask_secret("Secret key that AWS shows for the new device")}
        path = f"/checkouts/{segment(self.checkout_id)}/rotations"
        try:
            with_factor(self.api, self.checkout_id, path, body, wait=self.wait)
        except Failure as failure:
            if failure.code != "seed.invalid" or not sys.stdin.isatty():
                raise
            _say(f"{failure.detail} Nothing was changed.")
            return
        _say("Sealed, and shown to nobody yet.")

    def _codes(self, step: Any) -> None:
        path = f"/rotations/{segment(step['rotation'])}/display"
        shown = with_factor(self.api, self.checkout_id, path, {}, wait=self.wait)
        first, second = shown["codes"]
        # the service's clock counts: what is left of the first is what it takes until the second is good
        until = time.monotonic() + first["seconds_left"]
        if first["code"] == second["code"]:
            _say("These two are the same by chance, and AWS takes no equal codes: take two more in a minute.")
        self._hand(f"MFA code 1, good for {first['seconds_left']} s", first["code"])
        if not self.show:
            _ask("Enter for the second one")
        self._hand("MFA code 2", second["code"])
        _count_down("“Add MFA” in", until)
        _say("Press “Add MFA” now.")
        self._attest(step, again="two more codes")

    def _set(self, step: Any) -> None:
        rotation = step["rotation"]
        if rotation is None:
            body = {"part": "password"}
            path = f"/checkouts/{segment(self.checkout_id)}/rotations"
            rotation = with_factor(self.api, self.checkout_id, path, body, wait=self.wait)["id"]
            _say(f"Sealed, and shown to nobody yet: rotation {rotation}")
        _say(f"{self.seen['credentials_at']}  “Edit” beside the root user's password.")
        if _ask("Enter for the new password; o for the one that you signed in with") == "o":
            self._disclose("password", {})
            _ask("Enter for the new password")
        path = f"/rotations/{segment(rotation)}/display"
        shown = with_factor(self.api, self.checkout_id, path, {}, wait=self.wait)
        self._hand("The new password", shown["password"])
        self._attest({**step, "rotation": rotation}, again="the new password again")

    def _find_out(self, step: Any) -> None:
        password = step["part"] == "password"
        what = "password" if password else "code"
        _say(
            f"Version {step['version']} was shown, and nobody knows whether AWS took it. All values are kept."
        )
        _say(f"{self.seen['sign_in_at']}  Root user, {self.seen['root_email']}")
        words = "n for the new one, b for the one before, " + (
            "c for a code" if password else "p for the password"
        )
        while (said := _ask(f"Enter when you know; {words}")) in {"n", "b", "c", "p"}:
            if said in {"n", "b"}:
                self._disclose(what, {"version": step["version"] if said == "n" else "current"})
            else:
                self._disclose("code" if said == "c" else "password", {})
        outcome = _choose("Which one works", {"new": "accepted", "before": "refused", "none": "none_works"})
        self.api.post(f"/rotations/{segment(step['rotation'])}/attest", {"outcome": outcome})

    def _remove(self, step: Any) -> None:
        _say(f"{self.seen['credentials_at']}  Multi-factor authentication.")
        for device in self.seen["devices"]:
            if not device["old"]:
                continue
            name = device["name"] or "the one from before the vault"
            if _ask(f"Remove {name}. Is it removed? y, or Enter for later") == "y":
                account = segment(self.seen["account_id"])
                self.api.post(f"/accounts/{account}/devices/{device['version']}/removed")
        self.passed.add(str(step["act"]) if step["act"] == "remove" else "")

    def _attest(self, step: Any, again: str) -> None:
        """Ask what AWS did until it is said; `again` shows the value once more by the next turn of the walk."""
        ways = {"accepted": "accepted", "refused": "refused", "unknown": "unknown", "again": "again"}
        outcome = _choose(f"What did AWS do (again: {again})", ways)
        if outcome != "again":
            self.api.post(f"/rotations/{segment(step['rotation'])}/attest", {"outcome": outcome})

    def _disclose(self, what: str, body: dict[str, Any]) -> None:
        path = f"/checkouts/{segment(self.checkout_id)}/{what}"
        answer = with_factor(self.api, self.checkout_id, path, body, wait=self.wait)
        left = f" Valid until {answer['valid_until']}." if "valid_until" in answer else ""
        self._hand(
            f"The {what}, version {answer['version']}, entry {answer['receipt']['index']}.{left}",
            answer[what],
        )

    def _hand(self, words: str, value: str) -> None:
        if hand_out("value", value, show=self.show, clear_after=self.clear_after):
            _say(f"{words}: in the clipboard for {self.clear_after} s.")
        else:
            _say(f"{words}: {value}")


def _count_down(words: str, until: float) -> None:
    """Count the seconds until a moment of this machine's own clock; where nobody watches, say them once."""
    if not sys.stderr.isatty():
        _say(f"{words} {max(0, round(until - time.monotonic()))} s.")
        return
    while (left := until - time.monotonic()) > 0:
        click.echo(f"\r{words} {left:2.0f} s ", err=True, nl=False)
        time.sleep(min(1.0, left))
    click.echo("", err=True)


def _choose(question: str, ways: Mapping[str, str]) -> str:
    return ways[str(click.prompt(question, type=click.Choice(list(ways)), err=True))]


def _ask(question: str) -> str:
    answer: str = click.prompt(question, default="", show_default=False, err=True)
    return answer.strip().lower()


def _say(words: str, *, bold: bool = False) -> None:
    click.secho(words, err=True, bold=bold)
