"""What is wrong with a value, in words for people: what to send instead of what a pattern looks like.

Decided here: the words for each kind of fault of a wire model. A kind that has none here keeps its own message.
Never done here: repeating what was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vault.domain.event import Result
from vault.domain.ids import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

_OUTCOMES: Final = f"^({'|'.join(Result)})(,({'|'.join(Result)}))*$"
ACCOUNT_WORDS: Final = "Give an account's number: 12 digits."
OUTCOME_WORDS: Final = f"Give one or several of {', '.join(Result)}, parted by commas."

_PATTERNS: Final = {
    f"^{ACCOUNT_ID.pattern}$": ACCOUNT_WORDS,
    _OUTCOMES: OUTCOME_WORDS,
    "^[0-9a-f]{64}$": "Give a SHA-256 as it was shown: 64 hex digits.",
    "^(true|false)$": "Give true or false.",
}
_KINDS: Final = {
    "missing": "This field is needed.",
    "extra_forbidden": "This field is not known here.",
    "string_type": "Give a text.",
    "int_type": "Give a whole number.",
    "int_parsing": "Give a whole number.",
    "int_from_float": "Give a whole number.",
    "bool_type": "Give true or false, without quotes.",
    "list_type": "Give a list: […].",
    "tuple_type": "Give a list: […].",
    "dict_type": "Give an object: {…}.",
    "model_type": "Give an object: {…}.",
    "model_attributes_type": "Give an object: {…}.",
    "string_pattern_mismatch": "This has not the form that is asked for; see the API's document.",
    "date_type": "Give a day as YYYY-MM-DD.",
    "date_parsing": "Give a day as YYYY-MM-DD.",
    "date_from_datetime_parsing": "Give a day as YYYY-MM-DD.",
    "date_from_datetime_inexact": "Give a day as YYYY-MM-DD.",
}
_BOUNDS: Final = {
    "string_too_short": ("min_length", "Give at least {} characters."),
    "string_too_long": ("max_length", "Give at most {} characters."),
    "too_short": ("min_length", "Give at least {} items."),
    "too_long": ("max_length", "Give at most {} items."),
    "greater_than_equal": ("ge", "Give {} or more."),
    "less_than_equal": ("le", "Give {} or less."),
    "greater_than": ("gt", "Give more than {}."),
    "less_than": ("lt", "Give less than {}."),
    "enum": ("expected", "Give one of {}."),
    "literal_error": ("expected", "Give one of {}."),
}
"""The kinds that have a bound: its name among the facts, and the words around it."""


def words_of(error: ErrorDetails) -> str:
    """Say what to send instead, in one sentence."""
    kind = error["type"]
    facts: Mapping[str, object] = error.get("ctx", {})
    if kind == "string_pattern_mismatch" and facts.get("pattern") in _PATTERNS:
        return _PATTERNS[str(facts["pattern"])]
    if kind in _BOUNDS and _BOUNDS[kind][0] in facts:
        name, words = _BOUNDS[kind]
        if facts.get("field_type") == "Value":  # a text that is read by our own code before it is measured
            words = words.replace("items", "characters")
        told = str(facts[name]).replace("'", "").replace(" or ", ", ")
        return words.format(told.lower() if told in {"True", "False"} else told)  # as JSON writes them
    if kind in _KINDS:
        return _KINDS[kind]
    message = error["msg"].removeprefix("Value error, ")
    return f"{message[:200].rstrip('.')}."
