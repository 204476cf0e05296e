"""Bodies of answers and files as JSON or tables; what is broken is refused whole, with its reason."""

import csv
import io
import json
from typing import Any

from kommunepuls_chassis.errors import RejectedInput

_LARGEST_CELL = 8 * 1024 * 1024


def read_json(body: bytes) -> Any:
    """The JSON of an answer.

    Raises:
        RejectedInput: ``empty-answer``, ``not-json`` (a page), ``truncated-json`` or ``wrong-encoding``.
    """
    if not body.strip():
        raise RejectedInput("empty-answer", "the answer is empty")
    try:
        return json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RejectedInput("wrong-encoding", f"the answer is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        start = body.lstrip()[:1]
        if start not in (b"{", b"["):
            raise RejectedInput("not-json", "the answer is not JSON; a page of the portal?") from None
        if error.pos >= len(error.doc.rstrip()) - 1 or "Unterminated" in error.msg:
            raise RejectedInput("truncated-json", f"the answer breaks off after {len(body)} bytes") from None
        raise RejectedInput("not-json", f"the answer is not JSON at {error.pos}: {error.msg}") from None
    except RecursionError:
        raise RejectedInput("not-json", "the answer is nested too deep") from None


def rows_of_json(body: bytes, records: str = "") -> list[Any]:
    """The list of rows in a JSON file.

    Args:
        body: of the file.
        records: names on the way to the list, parted by dots; empty for the whole.

    Raises:
        RejectedInput: as :func:`read_json`, or ``not-a-list``.
    """
    found = read_json(body)
    for step in filter(None, records.split(".")):
        found = found.get(step) if isinstance(found, dict) else None
    if not isinstance(found, list):
        raise RejectedInput("not-a-list", f"{records or 'the answer'} is not a list of rows")
    return found


def rows_of_csv(body: bytes, encoding: str, delimiter: str) -> list[dict[str | None, Any]]:
    """The rows of a CSV file by heading. Surplus cells are under None, a missing cell is None.

    Raises:
        RejectedInput: ``wrong-encoding``, ``empty-answer``, ``not-csv``.
    """
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        raise RejectedInput("wrong-encoding", f"the file is not {encoding} at byte {error.start}") from None
    except LookupError:
        raise RejectedInput("wrong-encoding", f"{encoding!r} is no encoding") from None
    if not text.strip():
        raise RejectedInput("empty-answer", "the file is empty")
    if text.lstrip()[:1] == "<":
        raise RejectedInput("not-csv", "the file is not CSV; a page of the portal?")
    csv.field_size_limit(_LARGEST_CELL)
    reader = csv.DictReader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)
    try:
        return list(reader)
    except csv.Error as error:
        raise RejectedInput("not-csv", f"line {reader.line_num}: {error}") from None


def check_cells(row: Any) -> None:
    """Refuse a CSV row that has more or fewer cells than headings: its cells are not where they belong.

    Raises:
        RejectedInput: ``wrong-number-of-cells``.
    """
    if None in row or any(value is None for value in row.values()):
        raise RejectedInput("wrong-number-of-cells", "the row has not as many cells as there are headings")


def raw_of(row: Any) -> bytes:
    """A row as JSON, which is how rejects of it are kept and taken again."""
    if isinstance(row, dict):
        row = {name if name is not None else "": value for name, value in row.items()}
    return json.dumps(row, ensure_ascii=False, default=str).encode(errors="replace")
