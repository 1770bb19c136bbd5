"""What a lease may open, in the order to try it: the value at AWS is the first or the second."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vault.domain.credential import Part, PartKind, PartState, Version, VersionLabel, VersionOrigin, offers

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
S, C, P, R, F = (
    VersionLabel.STAGED,
    VersionLabel.CURRENT,
    VersionLabel.PREVIOUS,
    VersionLabel.RETIRED,
    VersionLabel.FAILED,
)


def version(number: int, label: VersionLabel, kind: PartKind = PartKind.PASSWORD) -> Version:
    return Version(
        "111122223333", kind, number, label, VersionOrigin.GENERATED, b"body", b"wraps", "0" * 64, NOW, "p"
    )


@pytest.mark.parametrize(
    ("state", "unverified", "labels", "expected"),
    [
        (PartState.HELD, False, [R, C], [2]),
        (PartState.HELD, True, [P, C], [2, 1]),
        (PartState.IN_USE, True, [R, P, P, C], [4, 3, 2]),
        (PartState.IN_USE, False, [P, C, S], [2]),
        (PartState.ROTATING, False, [C, S], [1]),
        (PartState.UNKNOWN, False, [C, S], [2, 1]),
        (PartState.RECONCILING, False, [R, C, F, S], [4, 2]),
        (PartState.RECONCILING, True, [P, C, S], [3, 2, 1]),
        (PartState.LOST, False, [C, F], [2, 1]),
        (PartState.LOST, False, [F, P, C, F, F], [5, 4, 3, 2, 1]),
        (PartState.LOST, False, [R, F, R, P, C], [5, 4, 2, 3, 1]),
        (PartState.ABSENT, False, [F], []),
    ],
)
def test_the_likeliest_comes_first(
    state: PartState, unverified: bool, labels: list[VersionLabel], expected: list[int]
) -> None:
    part = Part("111122223333", PartKind.PASSWORD, state, NOW)
    versions = [version(number, label) for number, label in enumerate(labels, 1)]
    others = [version(9, C, PartKind.MFA)]
    assert [each.number for each in offers(part, versions + others, unverified=unverified)] == expected
