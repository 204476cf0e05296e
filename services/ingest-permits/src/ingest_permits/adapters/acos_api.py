"""The API behind ACOS 'nye innsyn', the journal and case search of some hundred Norwegian municipalities.

There is no public description. The shape is what several public programs that use it agree on, read in
2026: paths, body, headers and fields of the answers as below.

- ``POST /api/presentation/v2/nye-innsyn/overview`` with ``{"type": 0, "keyValues": [{"key", "value"}…]}``;
  keys: ``Dato`` (``Other`` with ``FromDate`` and ``ToDate``, ISO; or ``AllCases``), ``FilterContent``
  (``DocOnly``, ``CaseOnly``), ``Sakstype``, ``Datasource``, ``page`` (from 1), ``pageSize``. The answer's
  ``content.searchItems`` has ``items``, ``pageCount`` and ``totalItemCount``.
- ``GET …/sak/{identifier}``: ``content.body`` with ``title``, ``props`` and blocks ``b``; the block
  ``Metadata`` with key ``FRIENDLY_ID`` holds the case number.
- ``GET …/dokument/{identifier}?fromMeeting=false``: ``content.model.vedleggGruppe[].vedlegg[]`` with
  ``title`` and ``fileUrl``. Gjøvik wants POST and answers with ``content.b[]`` of type ``FileList``.
- Headers: ``PortalID``, ``MenypunktID`` (not everywhere), ``SprakID``, ``X-ANTI-CSRF: 1``, ``Origin``,
  ``Referer``; cookies of the search page. Without them portals answer 400 or 403.

Sources: the scrapers of Strand (github.com/mariusbjo/strand-postliste and a program beside it that asks
the API), and of Bærum (innsynpluss.onacos.no), Moss and Gjøvik (own hosts). None of their code is used.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from kommunepuls_chassis.errors import PermanentError, RejectedInput
from kommunepuls_chassis.web import Answer, Fetcher, check_status

from ingest_permits.adapters.answers import read_json
from ingest_permits.domain.journal_entries import Entry, archive_number, text_of
from ingest_permits.sources import AcosSource

_PATH = "/api/presentation/v2/nye-innsyn"


@dataclass(frozen=True, slots=True)
class Overview:
    """A page of the overview: items as they came, and how many pages there are."""

    items: tuple[Any, ...]
    pages: int


class AcosArchive:
    """One portal."""

    def __init__(self, fetcher: Fetcher, source: AcosSource) -> None:
        self._fetcher = fetcher
        self._source = source
        self._base = source.url.rstrip("/")
        page = urlsplit(source.page)
        self._headers = {
            "Accept": "application/json, text/plain, */*",
            "SprakID": source.language_id,
            "X-ANTI-CSRF": "1",
            "Origin": f"{page.scheme}://{page.netloc}",
            "Referer": source.page,
        }
        if source.portal_id:
            self._headers["PortalID"] = source.portal_id
        if source.menu_item_id:
            self._headers["MenypunktID"] = source.menu_item_id

    async def open_session(self) -> None:
        """Ask for the search page, whose cookies the API wants. Raises as :meth:`Fetcher.get`."""
        await self._fetcher.get(self._source.page, headers={"Accept": "text/html"})

    async def overview(self, first_day: str, last_day: str, page: int) -> bytes:
        """The bytes of a page of the documents journaled between two days (ISO, both included).

        Raises:
            PermanentError: if the portal refuses; the text says which settings to look at.
            TransientError, ThrottledError: as :meth:`Fetcher.get`.
        """
        values = {
            "Dato": "Other",
            "FromDate": first_day,
            "ToDate": last_day,
            "FilterContent": "DocOnly",
            "Sakstype": self._source.case_type,
            "Datasource": self._source.data_source,
            "page": str(page),
            "pageSize": str(self._source.page_size),
        }
        body = {"type": 0, "keyValues": [{"key": k, "value": v} for k, v in values.items() if v is not None]}
        return (await self._ask("POST", "/overview", body)).body

    async def case(self, identifier: str) -> tuple[str, str]:
        """Title and number of a case, empty where it tells none. Raises as :meth:`overview`, RejectedInput."""
        answer = await self._ask("GET", f"/sak/{quote(identifier, safe='')}")
        return read_case(read_json(answer.body))

    async def files(self, identifier: str) -> tuple[tuple[str, str], ...]:
        """Address and title of a document's public files. Raises as :meth:`overview`, RejectedInput."""
        path = f"/dokument/{quote(identifier, safe='')}"
        if self._source.document_method == "GET":
            path += "?fromMeeting=false"
        answer = await self._ask(self._source.document_method, path)
        return read_files(read_json(answer.body), self._base)

    async def _ask(self, method: str, path: str, body: Any = None) -> Answer:
        url = f"{self._base}{_PATH}{path}"
        if method == "POST":
            answer = await self._fetcher.post(url, json=body, headers=self._headers, raise_for_status=False)
        else:
            answer = await self._fetcher.get(url, headers=self._headers, raise_for_status=False)
        if answer.status in (400, 401, 403):
            raise PermanentError(
                f"the portal refuses with {answer.status}: see whether page, portal_id and menu_item_id are "
                "those that its search page sends",
                reason=f"http-{answer.status}",
            )
        check_status(answer)
        return answer


def read_overview(body: bytes) -> Overview:
    """A page of the overview.

    Raises:
        RejectedInput: ``truncated-json``, ``not-json``…, or ``unknown-shape``.
    """
    found = _inside(read_json(body), "content", "searchItems")
    items = found.get("items") if isinstance(found, dict) else None
    if not isinstance(items, list):
        raise RejectedInput("unknown-shape", "the answer has no content.searchItems.items")
    pages = found.get("pageCount")
    return Overview(tuple(items), pages if isinstance(pages, int) and not isinstance(pages, bool) else 0)


def read_item(item: Any, page: str) -> Entry:
    """An item of the overview as a journal entry; who wrote and who received is left alone.

    Args:
        item: ``identifier``, ``parentIdentifier``, ``title``, ``type``, ``properties`` with ``dato``
            (DD.MM.YYYY) and ``dokumentID``.
        page: the portal's search page, which shows a document behind ``#/details/``.

    Raises:
        RejectedInput: ``not-a-row``, ``missing-id``, ``wrong-type``.
    """
    if not isinstance(item, dict):
        raise RejectedInput("not-a-row", f"an item is an object, this is {type(item).__name__}")
    identifier, parent = text_of(item.get("identifier")), text_of(item.get("parentIdentifier"))
    if not identifier or not parent:
        raise RejectedInput("missing-id", "the item has no identifier or no parentIdentifier")
    properties = item.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    return Entry(
        document_id=text_of(properties.get("dokumentID")) or archive_number(identifier),
        case_id=archive_number(parent),
        title=text_of(item.get("title")),
        date=text_of(properties.get("dato")),
        type=text_of(item.get("type")),
        case_number=text_of(properties.get("saksnummer")),
        url=f"{page.rstrip('#/')}/#/details/{parent}/{identifier}",
    )


def read_case(answer: Any) -> tuple[str, str]:
    """Title and number of a case from the answer of ``/sak/{identifier}``."""
    body = _inside(answer, "content", "body")
    if not isinstance(body, dict):
        raise RejectedInput("unknown-shape", "the case has no content.body")
    number = next(
        (
            text_of(block.get("text") or block.get("title"))
            for block in _blocks(body)
            if block.get("type") == "Metadata" and block.get("key") == "FRIENDLY_ID"
        ),
        "",
    )
    return text_of(body.get("title")), number


def read_files(answer: Any, base: str) -> tuple[tuple[str, str], ...]:
    """Address and title of the files from the answer of ``/dokument/{identifier}``, in either shape."""
    content = _inside(answer, "content")
    groups = _inside(content, "model", "vedleggGruppe")
    found = [file for group in _objects(groups) for file in _objects(group.get("vedlegg"))]
    found += [
        file for block in _blocks(content) if block.get("type") == "FileList" for file in _blocks(block)
    ]
    pairs = ((text_of(file.get("fileUrl") or file.get("url")), text_of(file.get("title"))) for file in found)
    return tuple((urljoin(f"{base}/", url), title) for url, title in pairs if url)


def _inside(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _blocks(value: Any) -> list[dict[str, Any]]:
    return _objects(_inside(value, "b"))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
