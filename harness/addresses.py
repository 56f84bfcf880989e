"""Base URLs: where a path is put into one, what of it is secret, and whether it is this machine."""

import ipaddress
import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from harness.keys import MASK, without_keys

_PLAIN_NAMES = frozenset({"api-version", "api_version", "version", "region"})
"""Query fields that are known to be no secret; any other value may be one."""
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9._:-]{1,24}")
_VERSION = re.compile(r"v\d+[a-z0-9]*", re.IGNORECASE)


def joined(base: str, path: str) -> str:
    """The URL of a path under a base: behind the base's path, both queries, no fragment."""
    parts = urlsplit(base)
    plain, _, own = path.partition("?")
    query = "&".join(each for each in (own, parts.query) if each)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + plain, query, ""))


def request_target(base: str, path: str) -> str:
    """What a request line says of that URL: path and query."""
    parts = urlsplit(joined(base, path))
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def under_version(base: str, path: str) -> str:
    """`/v1/chat/completions` without its version where the base says one already, as SDKs' base URLs do.

    A base that names an Azure deployment needs none either.
    """
    segments = [segment for segment in urlsplit(base).path.split("/") if segment]
    versioned = any(_VERSION.fullmatch(segment) or segment == "deployments" for segment in segments)
    first, _, rest = path.removeprefix("/").partition("/")
    return f"/{rest}" if versioned and _VERSION.fullmatch(first) else path


def without_query(base: str) -> tuple[str, dict[str, str]]:
    """A base URL and its query's fields, which SDKs want apart."""
    parts = urlsplit(base)
    fields = dict(parse_qsl(parts.query, keep_blank_values=True))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")), fields


def shown(url: str) -> str:
    """A URL as people may see it: without user and password, its secret query values masked."""
    scheme, mark, rest = url.partition("://")
    authority, slash, path = rest.partition("/") if mark else ("", "", url)
    plain = f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}" if mark else url
    before, question, query = plain.partition("?")
    if not question:
        return without_keys(plain)
    return without_keys(f"{before}?{'&'.join(map(_shown_field, query.split('&')))}")


def _shown_field(field: str) -> str:
    name, equals, value = field.partition("=")
    if not equals:
        return MASK if field else field
    return field if _is_plain(name, value) else f"{name}={MASK}"


def _is_plain(name: str, value: str) -> bool:
    return not value or (name.lower() in _PLAIN_NAMES and _PLAIN_VALUE.fullmatch(value) is not None)


def secrets_in(url: str) -> tuple[str, ...]:
    """The secret values of a URL, as they are written and as they mean: what an upstream may quote."""
    parts = urlsplit(url)
    named = [value for name, value in parse_qsl(parts.query) if name.lower() not in _PLAIN_NAMES]
    values = [value for value in (parts.username, parts.password, *named) if value]
    return tuple(dict.fromkeys(form for value in values for form in (value, urlencode({"": value})[1:])))


def is_loopback(host: str) -> bool:
    """True for this machine's own names and addresses."""
    bare = host.strip("[]").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False
