"""A first scenario file from a curl command: what it sends, with its secrets in the environment."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import yaml

from harness.errors import UsageError
from harness.keys import without_keys
from harness.load.scenario.written import SECRET_NAME

_SHELL_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_SCHEME = re.compile(r"^(Bearer|Basic|Token|ApiKey)\s+", re.IGNORECASE)
_DATA = ("-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json")
_WITH_VALUE = (
    *("-X", "--request", "-H", "--header", "--url", "-A", "--user-agent", "-b", "--cookie"),
    *("-m", "--max-time", "--connect-timeout", "-o", "--output", "-w", "--write-out", "--retry", "-e"),
    *("--referer", "--cacert", "-E", "--cert", "-x", "--proxy", "-D", "--dump-header"),
    *_DATA,
)
_NO_FILES = "files are nothing that a scenario can send"
_NO_USER = "write it as -H 'Authorization: Basic ...', whose value is kept out of the file"
_REFUSED = {
    **dict.fromkeys(("-F", "--form", "-T", "--upload-file"), _NO_FILES),
    **dict.fromkeys(("-u", "--user"), _NO_USER),
}
_SKIPPED_HEADERS = ("host", "content-length", "connection", "accept-encoding", "user-agent", "content-type")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstDraft:
    """A scenario as a file would have it.

    Attributes:
        fields: in the order in which they are written.
        secrets: variable -> value, for one request now; never written.
    """

    fields: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)

    def text(self, more: dict[str, Any]) -> str:
        """The file, with what was recognised in an answer, and with what else it could say."""
        fields = {**self.fields, **more}
        said = yaml.safe_dump(fields, sort_keys=False, width=100, allow_unicode=True)
        hints = [
            '# a value "{column}" takes a case\'s own: name their data set with `cases: mine.csv`',
            *(["# answer: {text: /summary, model: /model, usage: openai}"] if "answer" not in fields else []),
            "# provider: openai          # by whose prices the usage is charged",
            "# mode: live                # or emulated: what the figures are figures of",
        ]
        return said + "\n".join(hints) + "\n"


def draft_of(command: str) -> FirstDraft:
    """What a curl command sends.

    Raises:
        UsageError: it is no curl command, or does what no scenario can.
    """
    url, method, headers, data = _parsed(command)
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if not parts.hostname:
        raise UsageError(f"the curl command asks no URL that can be read ('{without_keys(url)[:60]}')")
    secrets: dict[str, str] = {}
    kept = {
        name: _guarded(name, value, secrets)
        for name, value in headers
        if name.lower() not in _SKIPPED_HEADERS
    }
    query = {
        name: _guarded(name, value, secrets) for name, value in parse_qsl(parts.query, keep_blank_values=True)
    }
    fields: dict[str, Any] = {
        "target": f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        "path": _escaped(parts.path or "/"),
    }
    sent = "POST" if data is not None else "GET"
    if (method or sent) != sent:
        fields["method"] = method
    if query:
        fields["query"] = query
    if kept:
        fields["headers"] = kept
    if data is not None:
        kinds = [value for name, value in headers if name.lower() == "content-type"]
        fields |= _body(data, kinds[-1] if kinds else "")
    return FirstDraft(fields=fields, secrets=secrets)


def _parsed(command: str) -> tuple[str, str | None, list[tuple[str, str]], str | None]:
    """URL, method, headers and data."""
    options = list(_options(_unglued(_words(command))))
    urls = [value for option, value in options if option in ("", "--url")]
    methods = [value.upper() for option, value in options if option in ("-X", "--request")]
    headers = [_header(value) for option, value in options if option in ("-H", "--header")]
    headers += [("Cookie", value) for option, value in options if option in ("-b", "--cookie")]
    data = [value for option, value in options if option in _DATA]
    if not urls:
        raise UsageError("the curl command names no URL")
    from_file = next((value for value in data if value.startswith("@")), None)
    if from_file is not None:
        raise UsageError(f"{from_file[:60]}: put the data itself into the command, not its file")
    return urls[-1], methods[-1] if methods else None, headers, "&".join(data) if data else None


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command.replace("\\\n", " "))
    except ValueError as error:
        raise UsageError(f"the curl command cannot be read ({error}): quote it as one argument") from error
    if not words or words[0].rpartition("/")[2] != "curl":
        raise UsageError("this is no curl command: write 'curl https://...' as one quoted argument")
    return words[1:]


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Options with their values; a word that is none goes with an empty one."""
    rest = iter(words)
    for word in rest:
        if word in _REFUSED:
            raise UsageError(f"{word}: {_REFUSED[word]}")
        if word not in _WITH_VALUE:
            yield (word, "") if word.startswith("-") else ("", word)
            continue
        value = next(rest, None)
        if value is None:
            raise UsageError(f"the curl command ends after {word}")
        yield word, value


def _header(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name.strip(), value.strip()


def _unglued(words: list[str]) -> list[str]:
    """`-XPOST` and `--request=POST` as two words."""
    found: list[str] = []
    for word in words:
        if word.startswith("--") and "=" in word and word.partition("=")[0] in _WITH_VALUE:
            found.extend(word.split("=", 1))
        elif (
            len(word) > 2 and word[0] == "-" and word[1] != "-" and word[:2] in ("-X", "-H", "-d", "-u", "-b")
        ):
            found.extend((word[:2], word[2:]))
        else:
            found.append(word)
    return found


def _guarded(name: str, value: str, secrets: dict[str, str]) -> str:
    """A header or a query field with its secret replaced by a variable."""
    named = _SHELL_VARIABLE.search(value)
    if named:
        return _SHELL_VARIABLE.sub(lambda found: f"${{{found[1] or found[2]}}}", value)
    if not SECRET_NAME.search(name) and without_keys(value) == value:
        return _escaped(value)
    scheme = _SCHEME.match(value)
    variable = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "SECRET"
    if variable == "AUTHORIZATION":
        variable = "API_TOKEN"
    kept = scheme[0] if scheme else ""
    secrets[variable] = value[len(kept) :]
    return f"{kept}${{{variable}}}"


def _body(data: str, content_type: str) -> dict[str, Any]:
    if without_keys(data) != data:
        raise UsageError("the data holds what looks like a key: a scenario's body is no place for one")
    try:
        return {"body": _doubled(orjson.loads(data))}
    except orjson.JSONDecodeError:
        pass
    if "json" in content_type:
        raise UsageError("the data is not JSON, though its content type says so")
    if content_type.startswith("text/") or "=" not in data:
        return {"text": _escaped(data)}
    return {
        "form": {name: _escaped(value) for name, value in parse_qsl(data, keep_blank_values=True)},
    }


def _doubled(value: Any) -> Any:
    """JSON whose texts mean themselves as templates."""
    if isinstance(value, str):
        return _escaped(value)
    if isinstance(value, dict):
        return {_escaped(key): _doubled(held) for key, held in value.items()}
    return [_doubled(held) for held in value] if isinstance(value, list) else value


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
