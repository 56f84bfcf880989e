#!/usr/bin/env bash
# An error body whose `error` is a text, with its `code` beside it (as x-ai answers), reaches the caller of the OpenAI SDK
# as that text alone: `.body` is a string, and `.code` is None, though the endpoint said which error it was.
# Expected: the whole body, as the Anthropic SDK gives it. Seen with openai 3.54.0, anthropic 2.12.0, Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check openai==3.54.0 anthropic==2.12.0
"$folder/venv/bin/python" - <<'PYTHON'
import anthropic
import httpx2
import openai

told = {"code": "Client specified an invalid argument", "error": "Incorrect API key provided"}
transport = httpx2.MockTransport(lambda request: httpx2.Response(400, json=told))
seen = {}
for name, sdk, ask in (
    ("openai", openai, lambda client: client.models.list()),
    ("anthropic", anthropic, lambda client: client.models.list()),
):
    client = getattr(sdk, "OpenAI" if name == "openai" else "Anthropic")(
        api_key="none", max_retries=0, http_client=httpx2.Client(transport=transport)
    )
    try:
        ask(client)
    except sdk.APIStatusError as error:
        seen[name] = error
        print(f"{name} {sdk.__version__}: body {error.body!r}, code {getattr(error, 'code', 'no such attribute')!r}")
assert seen["openai"].body == told["error"]
assert seen["openai"].code is None
assert seen["anthropic"].body == told
PYTHON
