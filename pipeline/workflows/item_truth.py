"""What the labels of a call say about the automatic items of a scorecard.

A literal table, read from the printed levels and the labels alone: no rule and no condition of a template
takes part, so that agreement with it says something.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Facts = Mapping[str, int]
"""Label -> how often the call has it, 0: it has not. A label that nobody looked for is not there."""

Levels = tuple[tuple[str, str], ...]
"""(level, terms) in print order: the first level whose terms all hold is the right one.

Terms are labels with blanks between: `greeting_word -late_greeting company|agent_id_or_name` asks for the
first, not the second, and one of the others.
"""

NOT_APPLICABLE = "不适用"

_GREETING = (
    ("优秀", "greeting_word company agent_id_or_name -late_greeting"),
    ("良好", "greeting_word company agent_id_or_name"),
    ("合格", "greeting_word company|agent_id_or_name"),
    ("稍差", "greeting_word"),
    ("差", "-greeting_word"),
)
_ASKS_NAME = (("优秀", "asks_name"), ("差", "-asks_name -uses_surname"))
_SURNAME = (("优秀", "uses_surname"), ("差", "-uses_surname"))
_THANKS = (("优秀", "thanks"), ("差", "-thanks"))
_NO_HOLD = (NOT_APPLICABLE, "-hold")

ITEM_TRUTH: Mapping[str, Mapping[str, Levels]] = {
    "four_areas": {
        "greeting": (("符合", "greeting_word"), ("不符合", "-greeting_word")),
        "pace": (("符合", "-fast_speech"), ("部分符合", "fast_speech")),
        "closing": (
            ("符合", "thanks goodbye"),
            ("部分符合", "thanks|goodbye"),
            ("不符合", "-thanks -goodbye"),
        ),
    },
    "four_dimensions": {
        "answered_15s": (("达标", "-queue_over_15s"), ("未达标", "queue_over_15s")),
        "greeting": (
            ("规范", "greeting_word company offer_help"),
            ("不完整", "greeting_word"),
            ("没有", "-greeting_word"),
        ),
        "triple_confirmation": (
            ("齐全", "problem_resolved_confirm anything_else satisfaction_invite"),
            ("缺一样", "problem_resolved_confirm anything_else|satisfaction_invite"),
            ("缺一样", "anything_else satisfaction_invite"),
            ("缺两样", "problem_resolved_confirm|anything_else|satisfaction_invite"),
            ("没有", "-problem_resolved_confirm -anything_else -satisfaction_invite"),
        ),
        "closing": (("规范", "thanks goodbye"), ("不完整", "thanks|goodbye"), ("没有", "-thanks -goodbye")),
        "pace": (("适中", "-fast_speech"), ("过快", "fast_speech")),
    },
    "inbound_100": {
        "standard_greeting": _GREETING,
        "asks_name": _ASKS_NAME,
        "asks_need": (("优秀", "offer_help"), ("差", "-offer_help")),
        "uses_surname": _SURNAME,
        "hold_music": (_NO_HOLD, ("优秀", "-hold_without_music"), ("差", "hold_without_music")),
        "hold_reason": (
            _NO_HOLD,
            ("优秀", "hold_announced.with_reason"),
            ("差", "-hold_announced.with_reason"),
        ),
        "hold_apology": (
            _NO_HOLD,
            ("优秀", "hold_return.apology"),
            ("差", "-hold_return.apology -hold_return.thanks"),
        ),
        "hold_update": (
            (NOT_APPLICABLE, "-hold_over_120s"),
            ("优秀", "-hold_over_120s_no_update"),
            ("差", "hold_over_120s_no_update"),
        ),
        "anything_else": (("优秀", "anything_else"), ("差", "-anything_else")),
        "thanks": _THANKS,
    },
    "outbound_100": {
        "standard_greeting": _GREETING,
        "asks_name": _ASKS_NAME,
        "uses_surname": _SURNAME,
        "thanks": _THANKS,
    },
    "percent_100": {
        "greeting": (
            ("优", "greeting_word agent_id_or_name company -late_greeting -rings_over_3"),
            ("中", "greeting_word agent_id_or_name|company"),
            ("差", "-greeting_word"),
            ("差", "-agent_id_or_name -company"),
        ),
        "confirmation": (
            ("优", "problem_resolved_confirm anything_else"),
            ("良", "problem_resolved_confirm|anything_else"),
            ("差", "-problem_resolved_confirm -anything_else"),
        ),
        "farewell": (("优", "thanks goodbye"), ("中", "thanks|goodbye"), ("差", "-thanks -goodbye")),
    },
    "satisfaction_5": {
        "first_response": (
            ("5分", "-queue_over_10s"),
            ("3分", "-queue_over_30s"),
            ("1分", "queue_over_30s"),
        ),
    },
}
"""By template and item. What is not here the labels cannot judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueLevel:
    """`level` None: the labels leave it open (a level that only a person can choose)."""

    level: str | None


def true_level(template: str, item: str, facts: Facts) -> TrueLevel | None:
    """The right level of an item; None: the labels do not say. Raises KeyError: not in the table."""
    for level, terms in ITEM_TRUTH[template][item]:
        answers = [_holds(term, facts) for term in terms.split()]
        if False in answers:
            continue
        return None if None in answers else TrueLevel(level=level)
    return TrueLevel(level=None)


def _holds(term: str, facts: Facts) -> bool | None:
    if term.startswith("-"):
        answer = _holds(term[1:], facts)
        return None if answer is None else not answer
    counts = [facts.get(label) for label in term.split("|")]
    if any(counts):
        return True
    return None if None in counts else False
