"""Every metric of Kommunepuls, with unit and labels. No label ever holds a person, an address or a token."""

from prometheus_client import Counter, Gauge, Histogram

RECORDS_CONSUMED = Counter("kp_records_consumed_total", "Records taken from Kafka.", ["topic", "group"])
RECORDS_PUBLISHED = Counter("kp_records_published_total", "Records acknowledged by Kafka.", ["topic"])
DEAD_LETTERS = Counter("kp_dead_letters_total", "Records that could not be taken.", ["topic", "reason"])
HANDLING_SECONDS = Histogram(
    "kp_handling_seconds",
    "Seconds from taking a batch of records to its commit.",
    ["topic"],
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60),
)
RETRIES = Counter("kp_retries_total", "Attempts after the first to handle a record.", ["topic"])
CONSUMER_LAG = Gauge(
    "kp_consumer_lag_records", "Records behind the end of a partition.", ["topic", "partition"]
)

COMPONENT_READY = Gauge(
    "kp_component_ready", "1 if a part of the process can work, 0 if it cannot.", ["component"]
)

SOURCE_POLLS = Counter("kp_source_polls_total", "Polls of an upstream by outcome.", ["source", "outcome"])
SOURCE_ITEMS = Counter("kp_source_items_total", "What a source brought.", ["source", "outcome"])
SOURCE_REJECTS = Counter(
    "kp_source_rejects_total", "Input of a source that could not be taken.", ["source", "reason"]
)
SOURCE_LAST_SUCCESS = Gauge(
    "kp_source_last_success_timestamp_seconds", "Unix time of the last good poll.", ["source"]
)

READINGS = Counter("kp_readings_total", "Sensor readings by quality.", ["source", "quality"])
UPLINKS_REPEATED = Counter("kp_uplinks_repeated_total", "Uplinks seen before.", ["source"])
PLOUGHED_SHARE = Gauge(
    "kp_ploughed_share", "Share of an area's road segments covered since the snowfall.", ["area"]
)

PROFILES_HELD = Gauge("kp_profiles_held", "Profiles in the index of this process.", ["partition"])
MATCHED_RECIPIENTS = Counter("kp_matched_recipients_total", "Residents matched.", ["kind"])
MATCH_SECONDS = Histogram(
    "kp_match_seconds",
    "Seconds to match one offer against one partition.",
    buckets=(0.0001, 0.0005, 0.002, 0.01, 0.05, 0.2, 1),
)

DELIVERIES = Counter(
    "kp_deliveries_total", "Deliveries by channel and what became of them.", ["channel", "state", "cause"]
)
SEND_SECONDS = Histogram(
    "kp_send_seconds",
    "Seconds to hand one message to a provider.",
    ["channel"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60),
)
EVENT_TO_SEND_SECONDS = Histogram(
    "kp_event_to_send_seconds",
    "Seconds from the observation of an item to its acceptance by a provider.",
    ["channel"],
    buckets=(0.1, 0.5, 1, 2, 5, 15, 60, 300, 3600),
)
ENDPOINTS_RETIRED = Counter("kp_endpoints_retired_total", "Endpoints given up.", ["channel", "cause"])

HTTP_REQUESTS = Counter("kp_http_requests_total", "Requests served.", ["route", "method", "status"])
HTTP_SECONDS = Histogram("kp_http_seconds", "Seconds to serve a request.", ["route"])
PICTURES = Counter("kp_pictures_total", "Pictures of items fetched, by what became of them.", ["outcome"])
STREAM_CLIENTS = Gauge("kp_stream_clients", "Open live streams.")
OUTBOX_WAITING = Gauge("kp_outbox_waiting", "Records written to the store and not yet to Kafka.")
