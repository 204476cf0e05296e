"""The assembled parts that the HTTP routes work with."""

from dataclasses import dataclass

from gateway_api.service.audit import Audit
from gateway_api.service.clubs import Clubs
from gateway_api.service.collections import Collections
from gateway_api.service.content_rules import ContentRules
from gateway_api.service.delivery_counts import DeliveryCounts
from gateway_api.service.drafts import Drafts
from gateway_api.service.feed_stream import FeedStreams
from gateway_api.service.feeds import Feeds
from gateway_api.service.migration import Migration
from gateway_api.service.operators import Letters
from gateway_api.service.pictures import PictureStore
from gateway_api.service.previews import Previews
from gateway_api.service.queries import Queries
from gateway_api.service.reach import ReachIndexes
from gateway_api.service.reads import ReadMarks
from gateway_api.service.recent_items import RecentItems
from gateway_api.service.residents import Residents
from gateway_api.service.rule_trial import RuleTrials
from gateway_api.service.sign_in import SignIn
from gateway_api.service.staff import StaffAccounts
from gateway_api.service.staff_sign_in import StaffSignIn
from gateway_api.service.stream import StreamHub
from gateway_api.service.towns import Towns
from gateway_api.settings import Settings


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything a route may ask."""

    settings: Settings
    collections: Collections
    towns: Towns
    sign_in: SignIn
    residents: Residents
    queries: Queries
    recent: RecentItems
    pictures: PictureStore
    previews: Previews
    feeds: Feeds
    feed_streams: FeedStreams
    reads: ReadMarks
    letters: Letters
    migration: Migration
    hub: StreamHub
    clubs: Clubs
    drafts: Drafts
    reach: ReachIndexes
    audit: Audit
    staff_sign_in: StaffSignIn
    staff: StaffAccounts
    rules: ContentRules
    trials: RuleTrials
    delivery_counts: DeliveryCounts
