"""The connection to a Ray cluster. Ray's telemetry stays off, and nothing of ours goes into its logs."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pipeline.errors import CallscoreError, SettingsError
from pipeline.workflows.environment import ALIKE

GONE_SECONDS = 10.0
"""The head does not answer for so long: it is gone. Ray itself ends the process after a minute."""
ANSWER_SECONDS = 2.0
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0", "RAY_LOG_TO_DRIVER": "0"}


class Link:
    """An open connection. `ray` is the module."""

    def __init__(self, ray: Any, address: str) -> None:
        self.ray, self._address = ray, address
        host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
        self._head = (host.strip("[]"), int(port))
        self._answered = time.monotonic()

    def check(self) -> bool:
        """Whether the head answers at the moment. Raises CallscoreError where it is gone: the night ends in
        good order, before Ray ends the process."""
        if _answers(*self._head):
            self._answered = time.monotonic()
            return True
        if time.monotonic() - self._answered < GONE_SECONDS:
            return False
        raise gone(self._address)

    def nodes(self) -> list[dict[str, Any]]:
        """The machines that are alive, as Ray describes them."""
        return [node for node in self.ray.nodes() if node["Alive"]]

    def answers(self, node: dict[str, Any]) -> bool:
        """Whether Ray is up on a machine now: the head may say so for a quarter of a minute more."""
        return _answers(node["NodeManagerAddress"], node["NodeManagerPort"])

    def only_on(self, node: str) -> Any:
        """That something is started on that machine, or not at all."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return NodeAffinitySchedulingStrategy(node, soft=False)


def gone(address: str) -> CallscoreError:
    """The cluster is there no more."""
    return CallscoreError(
        f"Ray 集群 {address}：主节点没有应答，停在这里。做完的都已存好",
        hint="主节点起来后（ray start --head）再跑一次，接着做剩下的",
    )


@contextmanager
def linked(address: str) -> Iterator[Link]:
    """Raises SettingsError: Ray is not installed; CallscoreError: nobody answers there."""
    ray = _library()
    _check_head(address)
    before = signal.getsignal(signal.SIGTERM), sys.excepthook
    try:
        ray.init(
            address=address,
            configure_logging=False,
            logging_level=logging.ERROR,
            log_to_driver=False,
            runtime_env={"env_vars": ALIKE},
        )
    except Exception as error:
        raise _not_there(address, type(error).__name__) from error
    finally:
        sys.excepthook = before[1]
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before[0])
    try:
        yield Link(ray, address)
    finally:
        with suppress(Exception):
            ray.shutdown()


def _check_head(address: str) -> None:
    """Ray itself looks for minutes for a head that is not there."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return
    if not _answers(host.strip("[]"), int(port)):
        raise _not_there(address, "没有应答")


def _answers(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout=ANSWER_SECONDS):
        return True
    return False


def _not_there(address: str, why: str) -> CallscoreError:
    return CallscoreError(
        f"Ray 集群 {address}：连不上（{why}），应为 ray start 起好的集群",
        hint="在主节点上看 ray status；地址是 主节点:6379，在集群的机器上也可写 auto",
    )


def _library() -> Any:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise SettingsError("--ray 要多装一个库", hint="pip install 'callscore[ray]'") from error
    return ray
