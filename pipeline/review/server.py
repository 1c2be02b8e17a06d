"""Serve the application: on this machine by default, elsewhere only with TLS or an explicit word."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from pipeline.errors import UsageError
from pipeline.review.app import create_app
from pipeline.review.site import Site

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
        scheme = "https" if self.certificate or self.behind_tls else "http"
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


def serve(site: Site, address: Address) -> None:
    """Until it is told to stop. Raises UsageError for an address that is not safe."""
    check_address(address)
    uvicorn.run(
        create_app(site),
        host=address.host,
        port=address.port,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key,
        proxy_headers=address.behind_tls,
        forwarded_allow_ips="127.0.0.1,::1" if address.behind_tls else "",
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
