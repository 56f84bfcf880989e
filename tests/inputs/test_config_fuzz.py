"""Every loader of settings against valid, altered, damaged and random files: read whole, or refused in a sentence."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.inputs.config_cases import LOADERS, Loader, Verdict, altered, anything, edits, judge, rendered
from tests.store.spool_cases import damaged

SOUND = (Verdict.ACCEPTED, Verdict.REFUSED)
few = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
loaders = pytest.mark.parametrize("loader", LOADERS, ids=lambda loader: loader.name.replace(" ", "-"))


@loaders
@settings(few, max_examples=15)
@given(data=st.data())
def test_what_is_said_has_its_effect(tmp_path: Path, loader: Loader, data: st.DataObject) -> None:
    document = data.draw(loader.documents)
    verdict, why = judge(loader, tmp_path, loader.render(document), document)
    assert verdict is Verdict.ACCEPTED, why
    as_on_windows = b"\xef\xbb\xbf" * (loader.file != "variables") + loader.render(document)
    if loader.file != "variables":
        as_on_windows = as_on_windows.replace(b"\n", b"\r\n")
    verdict, why = judge(loader, tmp_path, as_on_windows, document)
    assert verdict is Verdict.ACCEPTED, why


@loaders
@settings(few, max_examples=20)
@given(data=st.data())
def test_what_is_altered_is_refused_or_has_its_effect(
    tmp_path: Path, loader: Loader, data: st.DataObject
) -> None:
    document = data.draw(altered(loader))
    content = rendered(loader, document)
    if content is not None:
        verdict, why = judge(loader, tmp_path, content, document)
        assert verdict in SOUND, why


@loaders
@settings(few, max_examples=20)
@given(data=st.data())
def test_what_is_damaged_is_refused_in_one_sentence(
    tmp_path: Path, loader: Loader, data: st.DataObject
) -> None:
    content = damaged([loader.render(data.draw(loader.documents))], data.draw(edits))
    verdict, why = judge(loader, tmp_path, content)
    assert verdict in SOUND, why


@loaders
@settings(few, max_examples=8)
@given(data=st.data())
def test_anything_is_read_or_refused_in_one_sentence(
    tmp_path: Path, loader: Loader, data: st.DataObject
) -> None:
    verdict, why = judge(loader, tmp_path, data.draw(anything(loader)))
    assert verdict in SOUND, why
