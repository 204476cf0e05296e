"""What a town file says about each kind of permit source."""

from typing import Annotated, Literal

from kommunepuls_chassis.town import SourceConfig
from pydantic import ConfigDict, Field, StringConstraints

from ingest_permits.domain.mapping import ColumnMapping

HttpAddress = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+\S*$")]


class PermitSource(SourceConfig):
    """What all kinds have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    poll_seconds: float = Field(default=1800, ge=1, le=86_400, description="seconds between two polls")
    announce_within_hours: float = Field(
        default=336,
        gt=0,
        description="what is older when it is seen first is shown but told to nobody; journals appear days "
        "after their date",
    )


class AcosSource(PermitSource):
    """``type: acos-innsyn``: an archive with ACOS 'nye innsyn'."""

    url: HttpAddress = Field(description="the portal's host: https://innsynpluss.onacos.no")
    page: HttpAddress = Field(description="the page with the search, which sets the session's cookies")
    portal_id: str | None = Field(default=None, description="header PortalID, as the page sends it")
    menu_item_id: str | None = Field(default=None, description="header MenypunktID, as the page sends it")
    language_id: str = Field(default="1", description="header SprakID")
    case_type: str | None = Field(default=None, description="identifier of one type of case (Sakstype)")
    data_source: str | None = Field(default=None, description="identifier of one archive (Datasource)")
    only_building: bool = Field(
        default=False, description="the archive or type of case holds nothing but building cases"
    )
    page_size: int = Field(default=100, ge=1, le=100)
    first_days: int = Field(default=30, ge=1, le=3650, description="days that the first sweep reaches back")
    overlap_days: int = Field(
        default=7, ge=0, le=90, description="days that each later sweep reaches back: entries appear late"
    )
    details: bool = Field(default=True, description="ask for the case and the files of what is news")
    document_method: Literal["GET", "POST"] = Field(
        default="GET", description="how the portal wants to be asked for a document"
    )


class SocrataSource(PermitSource):
    """``type: socrata``: a data set on a Socrata portal (SODA 2.x)."""

    url: HttpAddress = Field(description="https://data.example.org/resource/abcd-1234.json")
    app_token_env: str | None = Field(default=None, description="environment variable with the app token")
    where: str | None = Field(
        default=None, description="SoQL condition beside ours: issue_date > '2026-01-01'"
    )
    watermark: Annotated[str, StringConstraints(pattern=r"^:?[a-z_][a-z0-9_]*$")] = Field(
        default=":updated_at", description="column that grows with every change"
    )
    page_size: int = Field(default=1000, ge=1, le=50_000)
    paging: Literal["keyset", "offset"] = Field(
        default="keyset",
        description="offset for portals that cannot compare :id; rows that change meanwhile may be missed",
    )
    mapping: ColumnMapping


class PortalFileSource(PermitSource):
    """``type: permit-file``: a CSV or JSON file of a portal."""

    url: str = Field(min_length=1, description="http(s) or file address, or a path beside the town file")
    format: Literal["csv", "json"] | None = Field(default=None, description="default: as the name ends")
    encoding: str = "utf-8-sig"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    records: str = Field(default="", description="JSON: where the list is: result.records; empty: the whole")
    lists_everything: bool = Field(
        default=False, description="a case that is no longer in the file was taken back"
    )
    mapping: ColumnMapping


class JournalFileSource(PermitSource):
    """``type: acos-journal-file``: a journal scraped from an ACOS portal, its archives and its change log."""

    urls: tuple[str, ...] = Field(
        min_length=1, description="addresses or paths, the journal before the change log"
    )
    only_building: bool = False


SOURCE_TYPES: dict[str, type[PermitSource]] = {
    "acos-innsyn": AcosSource,
    "socrata": SocrataSource,
    "permit-file": PortalFileSource,
    "acos-journal-file": JournalFileSource,
}
