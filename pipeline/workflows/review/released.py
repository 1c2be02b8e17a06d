"""A card as the agent whose call it is may see it once it is released."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pipeline.account import Role, User
from pipeline.scorecard import Decision, Review
from pipeline.storage.store import Store
from pipeline.workflows.review.sheet import Sheet, sheet_of
from pipeline.workflows.rules import rules_of_the_day

UNKNOWN = Role.INSPECTOR.chinese
"""What those are called who have no account."""


def released_sheet(store: Store, recording_id: str, names: Mapping[str, str] | None) -> Sheet:
    """Everything that counts on the card, without what inspectors note for each other. `names`: what is
    written in place of the logins of those who decided (see `aliases`); None: their logins. Raises NotFound,
    and UsageError for a call without a scorecard."""
    stored = store.latest(recording_id)
    reviews = tuple(
        review if names is None else replace(review, who=names.get(review.who, UNKNOWN))
        for review in store.reviews(recording_id)
        if review.decision is not Decision.NOTE
    )
    ruleset = rules_of_the_day(store, stored.ruleset_digest)
    return sheet_of(stored, reviews, ruleset, "", released=True)


def aliases(reviews: Iterable[Review], others: Iterable[str], users: Iterable[User]) -> Mapping[str, str]:
    """What to call those who decided and the `others`, by login: their roles, numbered where several have the
    same. Nobody is called like another, so that two decisions stay two."""
    roles = {user.login: user.role.chinese for user in users}
    logins = tuple(dict.fromkeys([*(review.who for review in reviews), *others]))
    titles = {login: roles.get(login, UNKNOWN) for login in logins}
    groups: dict[str, list[str]] = {}
    for login in logins:
        groups.setdefault(titles[login], []).append(login)
    return {
        login: title if len(groups[title]) == 1 else f"{title} {groups[title].index(login) + 1}"
        for login, title in titles.items()
    }
