"""Which reviews count on a card, and which of them an inspector may see."""

from collections.abc import Sequence

from pipeline.queue import TOGETHER, released
from pipeline.scorecard import FINAL, Decision, Review


def standing(reviews: Sequence[Review], template_id: str) -> tuple[Review, ...]:
    """The reviews that count on a card of a template, in their order: those of other templates do not, and
    what decided an appeal settles its item or finding, whoever else decided about it; short of that, what
    the author of the newest final review decided does."""
    about = _settled([review for review in reviews if review.template_id in ("", template_id)])
    answers = sorted(
        (r for r in about if r.appeal_id is not None), key=lambda r: (r.at, r.appeal_id, r.value)
    )
    settled = {review.target: review for review in answers}
    return tuple(review for review in about if settled.get(review.target, review) is review)


def _settled(reviews: list[Review]) -> list[Review]:
    """Without what others decided about the things that a final review settled."""
    final = [review for review in reviews if review.decision is Decision.DONE and review.value == FINAL]
    if not final:
        return reviews
    judge = max(final, key=lambda review: review.at).who
    own = {review.target for review in reviews if review.who == judge and review.decision.scores}
    return [r for r in reviews if r.who == judge or r.target not in own or r.appeal_id is not None]


def visible(reviews: Sequence[Review], who: str, *, blind: bool) -> tuple[Review, ...]:
    """What `who` may see: everything, or, while they may still judge blind, only the own decisions and those
    about appeals. Once the agent may see the card nobody judges blind."""
    if not blind or is_done(reviews, who) or released(reviews, TOGETHER):
        return tuple(reviews)
    return tuple(review for review in reviews if review.who == who or review.appeal_id is not None)


def is_done(reviews: Sequence[Review], who: str) -> bool:
    """Whether `who` has finished with the call."""
    return any(review.who == who and review.decision is Decision.DONE for review in reviews)


def inspectors(reviews: Sequence[Review]) -> tuple[str, ...]:
    """Who decided something that can change points, in the order of their first decision."""
    return tuple(dict.fromkeys(r.who for r in reviews if r.decision.scores and r.appeal_id is None))
