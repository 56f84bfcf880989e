"""Data sets in several formats, one validation: JSONL, YAML (a list of cases), CSV (one case a row), text."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from harness.errors import ConfigError
from harness.inputs import parse_json, read_text, require_plain
from harness.inputs.plain_yaml import PlainLoader, yaml_problem
from harness.tasks.briefs import (
    MAX_LINE_CHARS,
    MOST_BYTES,
    BriefCase,
    checked_cases,
    jsonl_rows,
    load_cases,
    plain_cases,
)

MAX_YAML_BYTES = 2_000_000
"""PyYAML reads about 100,000 bytes a second; a larger set is better written as JSONL."""

LIST_COLUMNS = ("options", "figures", "constraints")
"""CSV columns whose cells hold several texts, separated by `|`."""
_TEXT_COLUMNS = ("case_id", "archetype", "industry", "language", "brief", "goal")
"""CSV columns that are text whatever they begin with."""


def load_dataset(path: Path) -> tuple[BriefCase, ...]:
    """Every case of a data set, in file order; the file's suffix says how it is written.

    Raises:
        ConfigError: names the file and the line of the first fault, or the file when it is missing or empty.
    """
    match path.suffix.lower():
        case ".yaml" | ".yml":
            return checked_cases(str(path), _yaml_rows(path))
        case ".csv":
            return checked_cases(str(path), _table_rows(path, ",", _cell))
        case _:
            return load_cases(path)


def load_plain_dataset(path: Path) -> tuple[BriefCase, ...]:
    """Every case of a data set whose columns mean what its owner says.

    Cells of a table stay the text they are, empty ones empty. `.csv` and `.tsv` have a header; a `.txt` has
    one case a line, in a column called `text`.

    Raises:
        ConfigError: as `load_dataset`.
    """
    match path.suffix.lower():
        case ".yaml" | ".yml":
            rows = _yaml_rows(path)
        case ".csv":
            rows = _table_rows(path, ",", _plain_cell)
        case ".tsv":
            rows = _table_rows(path, "\t", _plain_cell)
        case ".txt":
            rows = _text_rows(path)
        case _:
            rows = jsonl_rows(path)
    return plain_cases(str(path), rows)


def _text_rows(path: Path) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(read_text(path, MOST_BYTES).splitlines(), start=1):
        if line.strip():
            yield f"{path}:{number}", {"text": line.strip()}


def _yaml_rows(path: Path) -> Iterator[tuple[str, Any]]:
    text = read_text(path, MAX_YAML_BYTES)
    try:
        loader = PlainLoader(text)
        root = loader.get_single_node()
        if root is None:
            return
        if not isinstance(root, yaml.SequenceNode):
            raise ConfigError(str(path), "is not a list of cases")
        for node in root.value:
            where = f"{path}:{node.start_mark.line + 1}"
            yield where, require_plain(loader.construct_object(node, deep=True), where)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, ArithmeticError) as error:
        line, problem = yaml_problem(error)
        where = str(path) if line is None else f"{path}:{line}"
        raise ConfigError(where, f"is not YAML that can be read ({problem})") from error


def _table_rows(
    path: Path, delimiter: str, cell_of: Callable[[str, str, str], Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    text = io.StringIO(read_text(path, MOST_BYTES), newline="")
    reader = csv.reader(text, strict=True, delimiter=delimiter)
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            where, line = f"{path}:{line}", reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(where, cells)
                continue
            if len(cells) != len(header):
                raise ConfigError(where, f"has {len(cells)} cells, the header {len(header)}")
            pairs = zip(header, cells, strict=True)
            row = {
                name: cell_of(where, name, cell)
                for name, cell in pairs
                if cell.strip() or cell_of is _plain_cell
            }
            yield where, require_plain(row, where)
    except csv.Error as error:
        raise ConfigError(f"{path}:{line}", f"is not CSV that can be read ({error})") from error


def _header(where: str, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    for name in names:
        if not name:
            raise ConfigError(where, "a column of the header has no name")
        if names.count(name) > 1:
            raise ConfigError(where, f"column '{name}' stands twice in the header")
    return names


def _plain_cell(where: str, name: str, cell: str) -> Any:
    """A cell as it is."""
    if len(cell) > MAX_LINE_CHARS:
        raise ConfigError(where, f"{name} is longer than {MAX_LINE_CHARS} characters")
    return cell


def _cell(where: str, name: str, cell: str) -> Any:
    """A cell's value: text as it is, never a formula; lists by `|` or as JSON, objects as JSON."""
    if len(cell) > MAX_LINE_CHARS:
        raise ConfigError(where, f"{name} is longer than {MAX_LINE_CHARS} characters")
    if name in _TEXT_COLUMNS:
        return cell
    if cell.lstrip().startswith(("[", "{")):
        try:
            return parse_json(cell.encode(), where)
        except ConfigError as error:
            raise ConfigError(where, f"{name} begins like JSON, but is not: {error.problem}") from error
    if name in LIST_COLUMNS:
        return [item.strip() for item in cell.split("|") if item.strip()]
    return cell
