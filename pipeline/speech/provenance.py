"""What makes a transcript, known without loading what makes it."""

from pipeline.settings import Settings
from pipeline.speech.weights import model_files
from pipeline.timeline import Provenance

TRANSCRIPT_VERSION = "4"
"""Raised when the same recording, model and settings would give other words, times or roles: then the
archive is heard again. A release that only changes rules or pages leaves it."""


def provenance_of(settings: Settings) -> Provenance:
    """What the transcripts made with these settings will carry. Raises ModelError."""
    files = model_files(settings)
    return Provenance(
        pipeline=TRANSCRIPT_VERSION,
        model=settings.model,
        model_sha256=files.sha256,
        settings_digest=settings.transcript_digest(),
    )
