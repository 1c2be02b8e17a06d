"""A call as the policy sees it."""

from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.timeline import Recording
from pipeline.workflows.accounts.policy import Thing


def subject_of(store: Store, recording: Recording, settings: Settings) -> Thing:
    return Thing(agent_id=recording.agent_id)
