"""Proxies as the environment names them, read by one set of rules: loopback is never asked through one.

`NO_PROXY` knows names, `.suffixes`, `*`, addresses and networks (`10.0.0.0/8`, `::1/128`).
"""

import importlib.util
import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from harness.addresses import is_loopback
from harness.errors import ConfigError

SCHEMES = ("http", "https", "socks5", "socks5h")


def proxy_for(url: str, env: Mapping[str, str]) -> str | None:
    """The proxy through which a URL is asked; None for none.

    Raises:
        ConfigError: the variable's value is no proxy, or needs a package that is not installed.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or _excepted(host, parts.port, _value(env, "no_proxy")[1]):
        return None
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        variable, value = _value(env, name)
        if value:
            return _checked(variable, value)
    return None


def _value(env: Mapping[str, str], name: str) -> tuple[str, str]:
    """A variable in either spelling; in a CGI, `HTTP_PROXY` is a client's header."""
    spellings = (name,) if name == "http_proxy" and "REQUEST_METHOD" in env else (name, name.upper())
    for spelling in spellings:
        value = env.get(spelling, "").strip()
        if value:
            return spelling, value
    return name.upper(), ""


def _checked(variable: str, value: str) -> str:
    url = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(variable, "is no proxy's URL; write http://host:port")
    if parts.scheme not in SCHEMES:
        raise ConfigError(variable, f"'{parts.scheme}' is no kind of proxy; there are {', '.join(SCHEMES)}")
    if parts.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise ConfigError(variable, "a SOCKS proxy needs the package socksio: pip install socksio")
    return url


def _excepted(host: str, port: int | None, no_proxy: str) -> bool:
    return any(_matches(host.lower(), port, entry.strip().lower()) for entry in no_proxy.split(","))


def _matches(host: str, port: int | None, entry: str) -> bool:
    if not entry:
        return False
    if entry == "*":
        return True
    try:
        network = ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    else:
        try:
            return ipaddress.ip_address(host) in network
        except ValueError:
            return False
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isdigit():
        if port is not None and port != int(wanted):
            return False
        entry = name.strip("[]")
    bare = entry.removeprefix("*").removeprefix(".")
    return host == bare or host.endswith(f".{bare}")
