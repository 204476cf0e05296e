"""What a town file says of a Facebook page."""

from typing import Annotated, Literal

from kommunepuls_chassis.town import SourceConfig
from pydantic import Field, HttpUrl, StringConstraints

from ingest_facebook.domain.rules import Rule

PageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\-]{1,100}$")]


class GraphSourceConfig(SourceConfig):
    """What sources of both types have."""

    page: PageId = Field(description="the page's id; webhooks name it by its number")
    base_url: HttpUrl = HttpUrl("https://graph.facebook.com")
    version: Annotated[str, StringConstraints(pattern=r"^v\d{1,3}\.\d{1,2}$")] = "v23.0"
    token_env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")] = Field(
        default="KP_TOKEN_FACEBOOK", description="name of the environment variable with the page token"
    )
    limit: int = Field(default=25, ge=1, le=100, description="posts or events asked for at a time")
    most_pages: int = Field(
        default=10, ge=1, le=100, description="answers read in one poll when much is new since the last"
    )
    rules: tuple[Rule, ...] = Field(default=(), description="content rules that go before the shipped ones")
    shipped_rules: bool = Field(default=True, description="false: the source's own rules alone")


class FacebookPageConfig(GraphSourceConfig):
    """Posts of a page, and its events too if asked."""

    type: Literal["facebook-page"]
    events: bool = Field(default=False, description="take the page's events as well")


class FacebookEventsConfig(GraphSourceConfig):
    """Events of a page."""

    type: Literal["facebook-events"]


MODELS: dict[str, type[GraphSourceConfig]] = {
    "facebook-page": FacebookPageConfig,
    "facebook-events": FacebookEventsConfig,
}
"""The source types of this service."""
