"""What a page is about, as the policy sees it: whose call, who inspects it, whether the agent may know."""

from pipeline.review.site import Visit
from pipeline.workflows.accounts.policy import Thing
from pipeline.workflows.review.subject import subject_of


def call_thing(visit: Visit) -> Thing:
    """The call of the address. Raises NotFound."""
    recording = visit.store.find_call(visit.params["call"])
    return subject_of(visit.store, recording, visit.site.settings)
