"""Serve the application: on this machine by default, elsewhere only with TLS or an explicit word."""

import errno
import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from pipeline.errors import UsageError
from pipeline.review.app import create_app
from pipeline.review.site import Site
from pipeline.review.warm import warm_behind

SHUTDOWN_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen. `behind_tls`: somebody else ends TLS in front of it and says who asked."""

    host: str = "127.0.0.1"
    port: int = 8600
    certificate: Path | None = None
    key: Path | None = None
    behind_tls: bool = False

    @property
    def url(self) -> str:
        """What answers here; behind a proxy people open the proxy's address."""
        scheme = "https" if self.certificate else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


def check_address(address: Address) -> None:
    """Raises UsageError: passwords and what was said would go over the network in the clear."""
    if (address.certificate is None) is not (address.key is None):
        raise UsageError("--tls-cert 和 --tls-key 要一起写", hint="两个都是 PEM 文件")
    for path in (address.certificate, address.key):
        if path is not None and not path.is_file():
            raise UsageError(f"没有文件 {path}", hint="--tls-cert 证书.pem --tls-key 私钥.pem")
    if not (is_loopback(address.host) or address.certificate or address.behind_tls):
        raise UsageError(
            f"{address.host} 不只是本机，密码和通话内容会明文经过网络，没有启动",
            hint="加 --tls-cert 和 --tls-key；前面另有做 TLS 的代理时加 --behind-tls",
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listening(address: Address) -> socket.socket:
    """The open socket. Raises UsageError: it cannot be opened."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        told, hint = CANNOT_LISTEN.get(
            error.errno or 0, (f"听不了：{error.strerror}", "检查 --host 和 --port")
        )
        raise UsageError(f"{address.host}:{address.port} {told}", hint=hint) from error


CANNOT_LISTEN = {
    errno.EADDRINUSE: ("已被别的程序占用", "用 --port 换一个端口，如 --port 8601；或先停掉那个程序"),
    errno.EACCES: ("不许普通用户用", "用 --port 换一个 1024 以上的端口"),
    errno.EADDRNOTAVAIL: ("不是这台机器的地址", "用 --host 写本机的地址，或不写"),
}


def serve(site: Site, address: Address, opened: socket.socket) -> None:
    """Until it is told to stop."""
    warm_behind(site)
    with opened, suppress(KeyboardInterrupt):
        uvicorn.Server(config_of(site, address)).run(sockets=[opened])


def config_of(site: Site, address: Address) -> uvicorn.Config:
    """Who asked is what a proxy on this machine says, where there is one; what anybody else says in the head
    of a request counts nothing."""
    return uvicorn.Config(
        create_app(site),
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key,
        proxy_headers=address.behind_tls,
        forwarded_allow_ips="127.0.0.1,::1" if address.behind_tls else "",
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
