"""A scored call as one inspector may see it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.errors import UsageError
from pipeline.queue import released as is_released
from pipeline.queue import reviews_asked
from pipeline.ruleset import RuleSet
from pipeline.scorecard import OPEN, Review, Scorecard, ScoredItem
from pipeline.scoring.added import with_people
from pipeline.scoring.score import score
from pipeline.scoring.standing import inspectors, visible
from pipeline.storage.queue_records import Seen
from pipeline.storage.records import Reviewed, ScoredCall, StoredCall
from pipeline.storage.store import Store
from pipeline.template import Template
from pipeline.workflows.rules import rules_of_the_day

TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """`machine` is the card without any review, `card` the one with the `reviews` that `who` may see, out of
    `everything` that was decided; `hidden` counts the inspectors whose decisions are kept back; `released`:
    the agent may see the card. The findings of `stored` are those of the rules and those that the reviews in
    sight added."""

    who: str
    stored: StoredCall
    ruleset: RuleSet
    template: Template
    everything: tuple[Review, ...]
    reviews: tuple[Review, ...]
    machine: Scorecard
    card: Scorecard
    hidden: int
    released: bool = False

    @property
    def blind(self) -> bool:
        """Whether inspectors judge it blind to each other: nobody does once the agent may see the card."""
        return self.template.reviews.blind and not self.released

    @property
    def pending(self) -> bool:
        """Whether the card was released, and scored anew since with a form that asks for more inspectors."""
        return self.released and not is_released(self.everything, reviews_asked(self.template.reviews))

    @property
    def own(self) -> tuple[Review, ...]:
        return tuple(review for review in self.everything if review.who == self.who)

    @property
    def seen(self) -> Seen:
        """What was known when the sheet was made."""
        return Seen(reviews=len(self.everything), scorecard_id=self.stored.scorecard_id)

    def moment(self, at: datetime) -> datetime:
        """When a new decision is made: now, or just after the newest one where another clock is ahead. So the
        decisions about a call have one order."""
        newest = max((review.at for review in self.everything), default=at - TICK)
        return max(at, newest + TICK)

    def left(self, *, blind: bool = False) -> tuple[ScoredItem, ...]:
        """What this inspector has still to decide: the items that wait for a person; blind: all items."""
        decided = {review.target for review in self.own if review.decision.scores}
        decided |= {review.target for review in self.everything if review.appeal_id is not None}
        asked = (item for item in self.machine.items if blind or item.verdict in OPEN)
        return tuple(item for item in asked if item.id not in decided)


def sheet(store: Store, name: str, who: str) -> Sheet:
    """A call as `who` may see it; nobody ("") sees everything. Raises NotFound, and UsageError for a call
    without a scorecard."""
    stored = store.latest(store.find_call(name).id)
    ruleset = rules_of_the_day(store, stored.ruleset_digest)
    line, reviews = store.queue_line(stored.recording.id), store.reviews(stored.recording.id)
    return sheet_of(stored, reviews, ruleset, who, released=line is not None and line.released)


def sheet_of(
    stored: StoredCall, reviews: tuple[Review, ...], ruleset: RuleSet, who: str, *, released: bool = False
) -> Sheet:
    """The same from what was read. Raises UsageError: there is no scorecard."""
    template = ruleset.template(stored.scorecard.template_id) if stored.scorecard else None
    if template is None:
        raise UsageError(
            f"{stored.recording.name} 没有评分表，无法复核",
            hint="没有适用于它的模板；补了模板之后用 callscore rescore 重评",
        )
    blind = template.reviews.blind and not released
    seen = visible(reviews, who, blind=blind) if who else reviews
    stored = replace(stored, findings=tuple(with_people(stored.findings, seen, ruleset)))
    return Sheet(
        who=who,
        stored=stored,
        ruleset=ruleset,
        template=template,
        everything=reviews,
        reviews=seen,
        machine=card_with(stored, ruleset, template, ()),
        card=card_with(stored, ruleset, template, seen),
        hidden=len(set(inspectors(reviews)) - set(inspectors(seen))),
        released=released,
    )


def card_with(
    call: StoredCall | ScoredCall, ruleset: RuleSet, template: Template, reviews: Sequence[Review]
) -> Scorecard:
    """The card that these reviews make of the call's findings."""
    findings = with_people(call.findings, reviews, ruleset)
    return score(call.recording, findings, template, ruleset, call.transcript.provenance, reviews)


def reviewed(sheet: Sheet, reviews: Sequence[Review], reason: str, draft_of: str = "") -> Reviewed:
    """New decisions with the card that they make together with all earlier ones; the draft of `draft_of` ends
    with them."""
    everything = (*sheet.everything, *reviews)
    scored = ScoredCall(
        recording=sheet.stored.recording,
        transcript=sheet.stored.transcript,
        ruleset=sheet.ruleset,
        findings=tuple(with_people(sheet.stored.findings, everything, sheet.ruleset)),
        scorecard=card_with(sheet.stored, sheet.ruleset, sheet.template, everything),
        reviews=len(everything),
    )
    return Reviewed(
        reviews=tuple(reviews),
        scored=scored,
        basis=sheet.stored.scorecard_id,
        reason=reason,
        draft_of=draft_of,
    )
