"""The daily review as pages: a calendar of days, one day with what stands out, and how much happened when.

Decided here: the shape of the calendar and of the pictures. Pictures are drawn here, on the server, as numbers
that the template puts into attributes of SVG; nothing is drawn by a script.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from vault.domain.policy import Permission
from vault.errors import FieldError, Invalid, VaultError, not_found
from vault.services.anomalies import MEANING
from vault.services.reviews import DAYS, UNREAD, DayState, Signing
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.texts import REFUSED, deceives
from vault.web.ui.forms import ReviewForm
from vault.web.ui.site import blueprint, page, refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.services.activity import DayCount
    from vault.services.reviews import Day

SPANS: Final = (30, 90)
SHOWN: Final = 60
"""So many entries of one anomaly are linked; the rest are counted."""
HEIGHT: Final = 100
STEP: Final = 10


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the calendar: weeks of seven places, Monday first, None where no day of the log is."""

    first: date
    weeks: tuple[tuple[Day | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a picture, in the units of its view box."""

    x: int
    y: int
    height: int
    label: str
    value: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Bars over a line, with what a reader who does not see them is told."""

    name: str
    title: str
    words: str
    bars: tuple[Bar, ...]
    most: int

    @property
    def width(self) -> int:
        """The width of the view box."""
        return max(STEP, STEP * len(self.bars))


@blueprint.get("/review")
@needs(Permission.LOG_REVIEW)
def review_list() -> Response:
    """Show the days, and what waits."""
    days = the_vault().reviews.days(actor(), DAYS)
    waiting = [day for day in reversed(days) if day.waits]
    moved = [day for day in days if day.moved]
    return page("ui/review.html", months=months(days), waiting=waiting, moved=moved, count=DAYS)


@blueprint.get("/review/<day>")
@needs(Permission.LOG_REVIEW)
def review_day(day: str) -> Response:
    """Show one day and what stands out."""
    return _day(_date(day), ReviewForm(formdata=None), {}, 200)


@blueprint.post("/review/<day>")
@needs(Permission.LOG_REVIEW)
def review_sign(day: str) -> AnyResponse:
    """Sign a day."""
    form, when = ReviewForm(), _date(day)
    answers = {name: text for name, text in request.form.items() if name.startswith("a_")}
    signing = Signing(form.digest.data or "", form.sentence.data or "", answers)
    try:
        if any(deceives(text, lines=True) for text in (signing.sentence, *answers.values())):
            place = FieldError("/sentence", REFUSED)
            raise Invalid("input.invalid", REFUSED, errors=(place,))
        the_vault().reviews.sign(actor(), when, signing)
    except VaultError as error:
        return refused(error, form, lambda status: _day(when, form, answers, status))
    return redirect(url_for("ui.review_list"), 303)


@blueprint.get("/activity")
@needs(Permission.LOG_READ)
def activity_page() -> Response:
    """Show how much happened when."""
    span = 90 if request.args.get("days") == "90" else 30
    activity = the_vault().activities.look(actor(), span)
    pictures = [
        picture(name, title, by_day(activity.days, name, span))
        for name, title in (
            ("disclosures", "Disclosures"),
            ("refusals", "Refusals"),
            ("sign_ins", "Sign-ins"),
        )
    ]
    hours = picture(
        "hours",
        "Disclosures by hour of the day (UTC)",
        [(f"{hour:02}:00", count) for hour, count in enumerate(activity.hours)],
    )
    return page("ui/activity.html", activity=activity, pictures=pictures, hours=hours, span=span, spans=SPANS)


def months(days: Iterable[Day]) -> list[Month]:
    """Put days into months of whole weeks, the newest month first."""
    made = []
    for (year, month), some in groupby(days, key=lambda each: (each.day.year, each.day.month)):
        of = {each.day: each for each in some}
        first = date(year, month, 1)
        start = first - timedelta(days=first.weekday())
        grid = [tuple(of.get(start + timedelta(weeks=week, days=n)) for n in range(7)) for week in range(6)]
        made.append(Month(first, tuple(week for week in grid if any(week))))
    return made


def by_day(days: Sequence[DayCount], name: str, span: int) -> list[tuple[str, int]]:
    """Give one count of each day of the span, nought for those before the log began."""
    if not days:
        return []
    counts = {each.day: int(getattr(each, name)) for each in days}
    last = days[-1].day
    shown = (last - timedelta(days=span - 1 - n) for n in range(span))
    return [(f"{day:%-d %b}", counts.get(day, 0)) for day in shown]


def picture(name: str, title: str, values: Sequence[tuple[str, int]]) -> Picture:
    """Draw bars; the highest is as high as the picture, and each that is not nought can be seen."""
    most = max((value for _, value in values), default=0)
    total = sum(value for _, value in values)
    bars = []
    for place, (label, value) in enumerate(values):
        height = max(2, value * HEIGHT // most) if value else 0
        bars.append(Bar(place * STEP, HEIGHT - height, height, label, value))
    peak = next((label for label, value in values if value == most), "")
    words = f"{total} in all; at most {most}, on {peak}." if total else "None."
    return Picture(name, title, words, tuple(bars), most)


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise not_found("day", text[:10]) from None
    if found.isoformat() != text:
        raise not_found("day", text[:10])
    return found


def _day(day: date, form: ReviewForm, answers: dict[str, str], status: int) -> Response:
    review = the_vault().reviews.review(actor(), day)
    wrong = {
        each.pointer.rpartition("/")[2]: each.detail
        for each in (form.error.errors if form.error is not None else ())
        if each.pointer.startswith("/answers/")
    }
    return page(
        "ui/review_day.html",
        status,
        review=review,
        form=form,
        answers=answers,
        wrong=wrong,
        meaning=MEANING,
        shown=SHOWN,
        unread=UNREAD,
        signed=review.day.state is DayState.SIGNED,
    )
