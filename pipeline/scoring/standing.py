"""Which reviews count on a card, and which of them an inspector may see."""

from collections.abc import Sequence

from pipeline.scorecard import Decision, Review


def standing(reviews: Sequence[Review], template_id: str) -> tuple[Review, ...]:
    """The reviews that count on a card of a template, in their order: those of other templates do not, and
    what decided an appeal settles its item or finding, whoever else decided about it."""
    about = [review for review in reviews if review.template_id in ("", template_id)]
    answers = sorted(
        (r for r in about if r.appeal_id is not None), key=lambda r: (r.at, r.appeal_id, r.value)
    )
    settled = {review.target: review for review in answers}
    return tuple(review for review in about if settled.get(review.target, review) is review)


def visible(reviews: Sequence[Review], who: str, *, blind: bool) -> tuple[Review, ...]:
    """What `who` may see: everything, or, while a blind review is not done, only the own decisions and those
    about appeals."""
    if not blind or is_done(reviews, who):
        return tuple(reviews)
    return tuple(review for review in reviews if review.who == who or review.appeal_id is not None)


def is_done(reviews: Sequence[Review], who: str) -> bool:
    """Whether `who` has finished with the call."""
    return any(review.who == who and review.decision is Decision.DONE for review in reviews)


def inspectors(reviews: Sequence[Review]) -> tuple[str, ...]:
    """Who decided something that can change points, in the order of their first decision."""
    return tuple(dict.fromkeys(r.who for r in reviews if r.decision.scores and r.appeal_id is None))
