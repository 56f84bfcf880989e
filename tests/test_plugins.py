"""One loader of plug-ins: shipped, registered, installed and by path; one sentence for what is not there."""

import sys

import pytest

from harness.errors import ConfigError, UsageError
from harness.evaluation import load_suite
from harness.load.scenario.shipped import scenario_of, shipped_scenarios
from harness.orchestration.routing import resolve_routing
from harness.plugins import Plugins, absolute, object_at
from harness.providers import build_adapter
from harness.telemetry import configured_sinks

PARSERS = {"plain": "json:loads"}


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A package with entry points, as an installer leaves it."""
    made = []

    def put(package, code, points):
        (tmp_path / f"{package}.py").write_text(code)
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(points)
        monkeypatch.syspath_prepend(str(tmp_path))
        made.append(package)

    yield put
    for package in made:
        sys.modules.pop(package, None)


def plugins():
    return Plugins("parser", "harness.parsers", shipped=PARSERS)


def test_a_name_is_shipped_or_registered_or_installed(install):
    install("acme_parsers", "def other(): return 3\n", "[harness.parsers]\nother = acme_parsers:other\n")
    found = plugins()
    found.register("mine", lambda: 2)
    assert found.names() == ["mine", "other", "plain"]
    assert found.find("plain")("7") == 7
    assert (found.find("mine")(), found.find("other")()) == (2, 3)
    assert [make() for make in found.plugged()] == [2, 3]


def test_what_ships_cannot_be_replaced(install):
    with pytest.raises(ConfigError, match="parser 'plain': ships with harness and cannot be replaced"):
        plugins().register("plain", int)
    install("acme_parsers", "def other(): return 3\n", "[harness.parsers]\nplain = acme_parsers:other\n")
    assert plugins().find("plain")("7") == 7
    assert plugins().plugged() == []


def test_an_unknown_name_is_one_sentence_with_those_there_are():
    with pytest.raises(UsageError, match=r"^no parser 'x'; there are plain$"):
        plugins().find("x")
    with pytest.raises(ConfigError, match=r"^s.yaml:3: no parser 'x'; there are plain$"):
        plugins().find("x", source="s.yaml:3")
    with pytest.raises(UsageError, match=r"there are none$"):
        Plugins("thing", "harness.things").find("x")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import not_there_at_all\n", "ModuleNotFoundError: No module named 'not_there_at_all'"),
        ("x = = 1\n", "SyntaxError"),
        ("y = 1\n", "AttributeError"),
    ],
)
def test_a_package_that_does_not_load_is_one_sentence(install, code, told):
    install("acme_parsers", code, "[harness.parsers]\nother = acme_parsers:other\n")
    with pytest.raises(UsageError, match=f"parser 'other' of acme_parsers cannot be loaded .{told}"):
        plugins().find("other")


def test_two_packages_of_one_name_are_named(install):
    for package in ("acme_one", "acme_two"):
        install(package, "def other(): return 3\n", f"[harness.parsers]\nother = {package}:other\n")
    with pytest.raises(
        UsageError, match=r"is offered by acme_(one and acme_two|two and acme_one): uninstall"
    ):
        plugins().find("other")


def test_a_path_is_relative_to_the_file_that_names_it(tmp_path):
    (tmp_path / "own.py").write_text("def double(x):\n    return 2 * x\n")
    assert plugins().find("./own.py:double", folder=tmp_path)(4) == 8
    assert plugins().find(absolute("own.py:double", tmp_path))(4) == 8
    assert absolute("openai", tmp_path) == "openai"


def test_a_changed_file_is_run_anew_and_an_unchanged_one_once(tmp_path):
    file = tmp_path / "own.py"
    file.write_text("values = []\n")
    assert object_at("own.py:values", tmp_path, "x") is object_at("own.py:values", tmp_path, "x")
    file.write_text("values = [1]\n")
    assert object_at("own.py:values", tmp_path, "x") == [1]


@pytest.mark.parametrize(
    ("text", "reference", "problem"),
    [
        ("def a(): pass\n", "./own.py:b", r"s.yaml:4: ./own.py has no 'b' \(there is: a\)"),
        ("def a(): pass\n", "./none.py:b", "s.yaml:4: there is no file './none.py'"),
        ("x = 1\nraise KeyError('gone')\n", "./own.py:b", "own.py:2: KeyError: 'gone'"),
        ("x = (\n", "./own.py:b", "own.py:1: SyntaxError"),
    ],
)
def test_a_file_without_the_name_is_one_sentence(tmp_path, text, reference, problem):
    (tmp_path / "own.py").write_text(text)
    with pytest.raises(ConfigError, match=problem):
        object_at(reference, tmp_path, "s.yaml:4")


def test_a_provider_by_path_stands_in_the_providers_file(tmp_path, monkeypatch):
    (tmp_path / "acme.py").write_text(
        "from harness.providers.fixtures import FixturesAdapter\n"
        "class Acme(FixturesAdapter):\n    default_model = 'acme-1'\n"
    )
    file = tmp_path / "providers.json"
    file.write_text('{"providers": {"acme": {"kind": "./acme.py:Acme"}}, "defaults": {"provider": "acme"}}')
    route = resolve_routing({}, config_path=file).draft
    monkeypatch.chdir("/")
    assert build_adapter(route.settings, route.model).name == "acme"
    file.write_text('{"providers": {"acme": {"kind": "./acme.py:Acne"}}}')
    with pytest.raises(ConfigError, match=r"providers.acme.kind.: .*acme.py has no 'Acne'"):
        resolve_routing({}, config_path=file)


def test_a_task_by_path_stands_in_a_suite(tmp_path):
    (tmp_path / "own.py").write_text(
        "from harness.tasks.decisions.suggest_options import SuggestOptionsTask\n"
        "class Own(SuggestOptionsTask):\n    name = 'own'\n"
    )
    (tmp_path / "cases.jsonl").write_text('{"case_id": "a", "brief": "b", "goal": "g"}\n')
    (tmp_path / "s.yaml").write_text("task: ./own.py:Own\ndataset: cases.jsonl\n")
    suite = load_suite(str(tmp_path / "s.yaml"))
    assert (suite.task, suite.asked().name) == ("own", "own")
    (tmp_path / "s.yaml").write_text("task: ./own.py:Other\ndataset: cases.jsonl\n")
    with pytest.raises(ConfigError, match=r"s.yaml:1: 'task': ./own.py has no 'Other'"):
        load_suite(str(tmp_path / "s.yaml"))


def test_a_sink_that_does_not_load_is_one_sentence(install):
    install("acme_sink", "import not_there_at_all\n", "[harness.sinks]\nacme = acme_sink:Sink\n")
    with pytest.raises(UsageError, match="sink 'acme' of acme_sink cannot be loaded"):
        configured_sinks({})


def test_a_scenario_file_ships_or_is_offered_by_a_package(install, tmp_path):
    for name in shipped_scenarios():
        assert scenario_of(name).name == name
    own = tmp_path / "ours.yaml"
    own.write_text("path: /ask\n")
    install("acme_load", f"FILE = {str(own)!r}\n", "[harness.scenarios]\nacme = acme_load:FILE\n")
    assert scenario_of("acme").name == "ours"
    with pytest.raises(
        UsageError, match=r"no scenario 'nope'; there are anthropic-messages, baseline, .*acme"
    ):
        scenario_of("nope")
