"""A transcript as the archive keeps it for scanning."""

from pipeline.detect.archive.compact import VERSION, compact
from pipeline.storage.records import CompactForm
from pipeline.timeline import Transcript


def compact_form(transcript: Transcript) -> CompactForm:
    """A storable transcript laid out for scanning."""
    made = compact(transcript)
    return CompactForm(version=VERSION, text=made.text, detail=made.detail)
