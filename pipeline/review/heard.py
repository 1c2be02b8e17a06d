"""Who is listening to what: a seek in a call that somebody is hearing is no new beginning."""

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock

LATELY = timedelta(hours=1)
MOST_KEPT = 10_000


class Heard:
    """The last beginnings that one server knows of."""

    def __init__(self) -> None:
        self._began: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._lock = Lock()

    def begins(self, who: str, recording_id: str, at: datetime, *, anew: bool) -> bool:
        """Whether this is a beginning: `anew` says so, or nothing of the call was heard lately."""
        key = who, recording_id
        with self._lock:
            last = self._began.get(key)
            if not anew and last is not None and at - last < LATELY:
                return False
            self._began[key] = at
            self._began.move_to_end(key)
            while len(self._began) > MOST_KEPT:
                self._began.popitem(last=False)
        return True
