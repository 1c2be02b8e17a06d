"""What a viewer may see of calls that people decided about. Every command that shows a call asks here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pipeline.errors import UsageError
from pipeline.ruleset import RuleSet
from pipeline.scorecard import Review, Scorecard
from pipeline.scoring.added import with_people
from pipeline.scoring.standing import inspectors, visible
from pipeline.storage.records import CallFilter, CallSummary, ScoredCall, ScoringLine, StoredCall
from pipeline.storage.store import Store
from pipeline.workflows.review.sheet import card_with
from pipeline.workflows.rules import rules_of_the_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewed:
    """A call as a viewer may see it: its card is made of `reviews`, out of `everything` that was decided."""

    stored: StoredCall
    everything: tuple[Review, ...]
    reviews: tuple[Review, ...]

    @property
    def hidden(self) -> int:
        """Of how many inspectors decisions are kept back."""
        return len(set(inspectors(self.everything)) - set(inspectors(self.reviews)))

    def shows(self, scoring: ScoringLine | StoredCall) -> bool:
        """Whether a scoring of the call counted nothing that is kept back."""
        return all(review in self.reviews for review in self.everything[: scoring.reviews])


class Viewer:
    """One who looks at calls; nobody ("") sees everything."""

    def __init__(self, store: Store, who: str) -> None:
        self.store, self.who = store, who
        self._rules: dict[str, RuleSet] = {}

    def rules(self, digest: str) -> RuleSet:
        """A stored rule set, read once."""
        if digest not in self._rules:
            self._rules[digest] = rules_of_the_day(self.store, digest)
        return self._rules[digest]

    def seen(self, stored: StoredCall) -> Viewed:
        """A scoring of a call with the card that may be seen."""
        reviews = self.store.reviews(stored.recording.id)
        found = Viewed(stored=stored, everything=reviews, reviews=self._visible(stored, reviews))
        if not found.hidden:
            return found
        rules = self.rules(stored.ruleset_digest)
        shown = tuple(with_people(stored.findings, found.reviews, rules))
        card = _card(stored, rules, reviews=found.reviews)
        return replace(found, stored=replace(stored, findings=shown, scorecard=card))

    def made(self, scored: ScoredCall) -> ScoredCall:
        """A scoring that is not stored, with the card that may be seen."""
        found = self.seen(self.store.latest(scored.recording.id))
        if not found.hidden:
            return scored
        shown = tuple(with_people(scored.findings, found.reviews, scored.ruleset))
        return replace(scored, findings=shown, scorecard=_card(scored, scored.ruleset, found.reviews))

    def calls(self, which: CallFilter) -> Iterator[tuple[CallSummary, int]]:
        """The newest scoring of each call as it may be seen, and whose decisions are kept back, counted."""
        for summary in self.store.calls(which):
            if self._others(summary.recording.id):
                found = self.seen(self.store.latest(summary.recording.id))
                yield (_summary(summary, found.stored.scorecard) if found.hidden else summary), found.hidden
            else:
                yield summary, 0

    def check_whole(self, stored: StoredCall, what: str) -> None:
        """Raises UsageError: something is kept back, and `what` holds all that was decided."""
        found = self.seen(stored)
        if found.reviews != found.everything:
            name = stored.recording.name
            raise UsageError(
                f"{what}含有别人对 {name} 的决定，{self.who} 交卷之前不能看",
                hint=f'先交卷：callscore review {name} --done；主管用 --for ""',
            )

    def _visible(self, stored: StoredCall, reviews: tuple[Review, ...]) -> tuple[Review, ...]:
        card = stored.scorecard
        if not self.who or not reviews or card is None:
            return reviews
        template = self.rules(stored.ruleset_digest).template(card.template_id)
        line = self.store.queue_line(stored.recording.id)
        blind = template is not None and template.reviews.blind and not (line and line.released)
        return visible(reviews, self.who, blind=blind)

    def _others(self, recording_id: str) -> bool:
        """Whether anybody but the viewer decided about a call."""
        return bool(self.who) and any(r.who != self.who for r in self._reviewed.get(recording_id, ()))

    @cached_property
    def _reviewed(self) -> Mapping[str, tuple[Review, ...]]:
        return self.store.reviewed()


def _card(call: StoredCall | ScoredCall, ruleset: RuleSet, reviews: Sequence[Review]) -> Scorecard | None:
    template = ruleset.template(call.scorecard.template_id) if call.scorecard else None
    return card_with(call, ruleset, template, reviews) if template else None


def _summary(summary: CallSummary, card: Scorecard | None) -> CallSummary:
    """The line with the figures of another card, and without what was the reason for its own."""
    if card is None:
        return summary
    return replace(
        summary,
        total=card.total,
        open_points=card.open_points,
        points_possible=card.points_possible,
        open_items=card.open_items,
        fatal=card.fatal,
        reason="",
    )
