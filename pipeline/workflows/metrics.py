"""Heard calls against labelled truth: pure counting. Times are Ms, shares are in [0, 1].

Labels are told apart by how they are counted. What the truth's checklist holds counts once a call
(said or not said); everything else counts by place, one finding for one event.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from rapidfuzz.distance import Levenshtein

from pipeline.findings import Outcome
from pipeline.timeline import Role, Span, Transcript, Word, merge, subtract, total
from pipeline.units import Ms

TOLERANCE: Ms = 2000
"""A finding this close to an event is about it."""

GREETING_TOLERANCE: Ms = 300
FORBIDDEN, DECOY, BORDERLINE, MISSING = "forbidden", "decoy", "borderline", "missing"
PER_CALL = ("late_greeting.gt3", "late_greeting.gt5", "missing_empathy")
"""Labels outside the checklist that a call has or has not: where they lie is a matter of taste."""

PLACED = (
    "dead_air",
    "fast_speech",
    FORBIDDEN,
    "hold_announced",
    "hold_over_120s_no_update",
    "hold_return",
    "hold_update",
    "hold_without_notice",
    "interruption",
)
"""Labels counted by place. Any other label is a rule's own business and is not scored."""

_SPOKEN_DIGITS = str.maketrans("0123456789〇幺两", "零一二三四五六七八九零一二")


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthTurn:
    """Words that were really said. `pieces` are its stretches of speech."""

    role: Role
    span: Span
    pieces: tuple[Span, ...]
    text: str
    voice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One labelled place."""

    label: str
    category: str | None
    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is known about one labelled call. `checklist` is flat: element -> said; `missing` names the
    applicable elements that are absent, `elements` the applicable ones of greeting and closing. `facts`:
    label -> how often, for every label that was looked for."""

    name: str
    channels: str
    agent_channel: int | None
    codec: str
    noise: str
    quality: str
    greeting_start: Ms
    turns: tuple[TruthTurn, ...]
    events: tuple[Event, ...]
    checklist: dict[str, bool]
    elements: tuple[str, ...]
    missing: tuple[str, ...]
    facts: Mapping[str, int] = field(default_factory=dict)

    def text_at(self, span: Span) -> str:
        """The truth's words around a place, for a list of wrong cases."""
        return " / ".join(turn.text for turn in self.turns if turn.span.overlaps(span.pad(1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A finding in the vocabulary of the labels."""

    label: str
    category: str | None
    outcome: Outcome
    span: Span


# characters


@cache
def _simplifier() -> Any:
    from opencc import OpenCC  # takes a moment to load, and only evaluation needs it here

    return OpenCC("t2s")


def normalise(text: str) -> str:
    """Simplified Han characters and digits as spoken; everything else dropped.

    `normalise("工號 1021，對。") == "工号一零二一对"`
    """
    spoken = unicodedata.normalize("NFKC", text).translate(_SPOKEN_DIGITS)
    han = "".join(character for character in spoken if "\u4e00" <= character <= "\u9fff")
    return str(_simplifier().convert(han))


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterCount:
    """Wrong characters (replaced, dropped, invented) of `characters` said by one voice."""

    role: Role
    voice: str
    characters: int
    errors: int


def character_errors(truth: Truth, transcript: Transcript) -> tuple[CharacterCount, ...]:
    """By truth turn. Stereo is held channel against speaker, mono all words against all turns in time."""
    if truth.agent_channel is None or all(turn.channel is None for turn in transcript.turns):
        return _aligned(truth.turns, _words(transcript, None))
    counts: list[CharacterCount] = []
    for role, channel in ((Role.AGENT, truth.agent_channel), (Role.CUSTOMER, 1 - truth.agent_channel)):
        said = [turn for turn in truth.turns if turn.role is role]
        counts += _aligned(said, _words(transcript, channel), silent=role)
    return tuple(counts)


def _words(transcript: Transcript, channel: int | None) -> tuple[Word, ...]:
    turns = (t for t in transcript.turns if channel is None or t.channel == channel)
    return tuple(sorted((word for turn in turns for word in turn.words), key=lambda word: word.span))


def _aligned(
    said: Sequence[TruthTurn], heard: Sequence[Word], silent: Role = Role.UNKNOWN
) -> tuple[CharacterCount, ...]:
    """Errors belong to the turn they stand in; an invented character to the one before it."""
    ordered = sorted(said, key=lambda turn: turn.span)
    texts = [normalise(turn.text) for turn in ordered]
    owner = [index for index, text in enumerate(texts) for _ in text]
    errors = [0] * len(ordered)
    invented = 0
    hypothesis = normalise("".join(word.text for word in heard))
    for operation in Levenshtein.editops("".join(texts), hypothesis):
        if not owner:
            invented += 1
            continue
        position = operation.src_pos - 1 if operation.tag == "insert" else operation.src_pos
        errors[owner[max(position, 0)]] += 1
    counts = [
        CharacterCount(role=turn.role, voice=turn.voice, characters=len(text), errors=wrong)
        for turn, text, wrong in zip(ordered, texts, errors, strict=True)
    ]
    if invented:
        counts.append(CharacterCount(role=silent, voice="", characters=0, errors=invented))
    return tuple(counts)


# who speaks


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleTime:
    """Time in which exactly one person speaks: all of it, given to another or nobody, not heard at all."""

    speech: Ms = 0
    wrong: Ms = 0
    unheard: Ms = 0

    def __add__(self, other: "RoleTime") -> "RoleTime":
        return RoleTime(
            speech=self.speech + other.speech,
            wrong=self.wrong + other.wrong,
            unheard=self.unheard + other.unheard,
        )

    @property
    def wrong_share(self) -> float:
        return self.wrong / self.speech if self.speech else 0.0

    @property
    def unheard_share(self) -> float:
        return self.unheard / self.speech if self.speech else 0.0


def role_time(truth: Truth, transcript: Transcript) -> RoleTime:
    """Wrong: the turn there has another role or none is known. A turn of the right role beside it excuses."""
    counted = RoleTime()
    everything = [turn.span for turn in transcript.turns]
    for role in (Role.AGENT, Role.CUSTOMER):
        mine = merge(p for turn in truth.turns if turn.role is role for p in turn.pieces)
        others = [p for turn in truth.turns if turn.role is not role for p in turn.pieces]
        alone = subtract(mine, others)
        not_right = subtract(alone, [turn.span for turn in transcript.of(role)])
        unheard = total(subtract(not_right, everything))
        counted += RoleTime(speech=total(alone), wrong=total(not_right) - unheard, unheard=unheard)
    return counted


def greeting_start(transcript: Transcript) -> Ms | None:
    """The agent's first word; None where no word was given to the agent."""
    starts = (word.span.start for turn in transcript.of(Role.AGENT) for word in turn.words)
    return min(starts, default=None)


# labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """`doubtful`: findings where unlabelled faults may remain. `unsure`: the missed that nobody can tell."""

    right: int = 0
    false: int = 0
    missed: int = 0
    doubtful: int = 0
    unsure: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(**{name: getattr(self, name) + getattr(other, name) for name in Score.__slots__})

    @property
    def precision(self) -> float | None:
        found = self.right + self.false
        return self.right / found if found else None

    @property
    def recall(self) -> float | None:
        there = self.right + self.missed
        return self.right / there if there else None

    @property
    def f1(self) -> float | None:
        """None where there was nothing to find and nothing was found."""
        weight = 2 * self.right + self.false + self.missed
        return 2 * self.right / weight if weight else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that went wrong. `text` is what the truth says there."""

    call: str
    at: Ms
    label: str
    expected: str
    found: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Scores by label (`forbidden.shirking` where there is a category) and what went wrong."""

    scores: dict[str, Score]
    cases: tuple[Case, ...]
    decoys: tuple[Case, ...]


def label_of(label: str, category: str | None) -> str:
    return f"{label}.{category}" if category else label


def tally(truth: Truth, observed: Iterable[Observed]) -> Tally:
    """All labels of one call."""
    seen = tuple(observed)
    once = {label: _count_once(truth, seen, label, said) for label, said in _per_call(truth).items()}
    absences = {label_of(MISSING, e): _count_missing(truth, seen, e) for e in truth.elements}
    places = {label: _count_places(truth, seen, label) for label in _placed_labels(truth, seen)}
    every = (once | absences | places).items()
    cases = [case for _, counted in every for case in counted[1]]
    return Tally(
        scores={label: counted[0] for label, counted in every},
        cases=tuple(sorted(cases, key=lambda case: (case.at, case.label))),
        decoys=tuple(case for _, _, fired in places.values() for case in fired),
    )


def _per_call(truth: Truth) -> dict[str, bool]:
    has = {label_of(event.label, event.category) for event in truth.events}
    return truth.checklist | {label: label in has for label in PER_CALL}


_Counted = tuple[Score, list[Case]]


def _count_once(truth: Truth, seen: Sequence[Observed], label: str, expected: bool) -> _Counted:
    of_label = [found for found in seen if label_of(found.label, found.category) == label]
    present = [found for found in of_label if found.outcome is Outcome.PRESENT]
    score = _score(expected, bool(present))
    if expected and not present:
        event = next((e for e in truth.events if label_of(e.label, e.category) == label), None)
        answer = _answer(of_label)
        at, text = (event.span.start, event.text) if event else (0, "")
        score = replace(score, unsure=int(answer is Outcome.CANNOT_TELL))
        return score, [_case(truth, at, label, "有", answer.chinese, text)]
    if present and not expected:
        span = present[0].span
        return score, [_case(truth, span.start, label, "无", "有", truth.text_at(span))]
    return score, []


def _answer(found: Iterable[Observed]) -> Outcome:
    """What the rules of a label say together of what they did not find."""
    outcomes = {observed.outcome for observed in found} - {Outcome.ABSENT}
    return Outcome.CANNOT_TELL if outcomes == {Outcome.CANNOT_TELL} else Outcome.ABSENT


def _count_missing(truth: Truth, seen: Sequence[Observed], element: str) -> _Counted:
    """An absence counts where the rule said `absent` and no other rule of the label found it."""
    outcomes = {found.outcome for found in seen if found.label == element}
    said = Outcome.ABSENT in outcomes and Outcome.PRESENT not in outcomes
    expected = element in truth.missing
    label = label_of(MISSING, element)
    shown = ("缺失", "未报缺失") if expected else ("不缺失", "报缺失")
    wrong = [] if expected == said else [_case(truth, 0, label, *shown, "")]
    return _score(expected, said), wrong


def _score(expected: bool, said: bool) -> Score:
    return Score(right=int(expected and said), false=int(said and not expected), missed=int(expected > said))


def _placed_labels(truth: Truth, seen: Sequence[Observed]) -> list[str]:
    """Labels by place: those of the truth, and those found although the truth has none of them."""
    there = {label_of(e.label, e.category) for e in truth.events if e.label in PLACED}
    present = (o for o in seen if o.outcome is Outcome.PRESENT and o.label in PLACED)
    return sorted(there | {label_of(o.label, o.category) for o in present})


def _count_places(truth: Truth, seen: Sequence[Observed], label: str) -> tuple[Score, list[Case], list[Case]]:
    """One finding for one event. Borderline places count neither way; on a decoy a finding is false."""
    forbidden, category = label.startswith(f"{FORBIDDEN}."), label.partition(".")[2] or None
    events = [event for event in truth.events if label_of(event.label, event.category) == label]
    of_label = [found for found in seen if label_of(found.label, found.category) == label]
    present = (o for o in of_label if o.outcome is Outcome.PRESENT)
    answer = _answer(of_label)
    baits = _special(truth, DECOY, category) if forbidden else []
    arguable = _special(truth, BORDERLINE, category) if forbidden else []
    missed, rest = _match(events, merge(found.span for found in present), baits)
    fired = [place for place in rest if any(place.overlaps(bait.span) for bait in baits)]
    others = [p for p in rest if p not in fired and not any(_near(p, e.span) for e in arguable)]
    doubtful = forbidden and truth.quality == "multi_fault"
    score = Score(
        right=len(events) - len(missed),
        false=len(fired) + (0 if doubtful else len(others)),
        missed=len(missed),
        doubtful=len(others) if doubtful else 0,
        unsure=len(missed) if answer is Outcome.CANNOT_TELL else 0,
    )
    wrong = [_case(truth, event.span.start, label, "有", answer.chinese, event.text) for event in missed]
    wrong += [_false(truth, label, place, "存疑" if doubtful else "无") for place in others]
    return score, wrong, [_false(truth, label, place, "诱饵") for place in fired]


def _special(truth: Truth, kind: str, category: str | None) -> list[Event]:
    return [event for event in truth.events if event.label == kind and event.category == category]


def _near(place: Span, other: Span) -> bool:
    return place.overlaps(other) or place.gap(other) <= TOLERANCE


def _match(
    events: Sequence[Event], places: Sequence[Span], baits: Sequence[Event]
) -> tuple[list[Event], list[Span]]:
    """Events that stay missed and places that stay unexplained. Overlap goes before nearness, and a place
    on a decoy belongs to the decoy unless it overlaps a true event."""
    missed, rest = list(events), list(places)
    for overlapping in (True, False):
        for place in tuple(rest):
            if not overlapping and any(place.overlaps(bait.span) for bait in baits):
                continue
            near = [e for e in missed if place.overlaps(e.span) or (not overlapping and _near(place, e.span))]
            if near:
                missed.remove(min(near, key=lambda event: place.gap(event.span)))
                rest.remove(place)
    return missed, rest


def _false(truth: Truth, label: str, place: Span, expected: str) -> Case:
    return _case(truth, place.start, label, expected, "有", truth.text_at(place))


def _case(truth: Truth, at: Ms, label: str, expected: str, found: str, text: str) -> Case:
    return Case(call=truth.name, at=at, label=label, expected=expected, found=found, text=text)
