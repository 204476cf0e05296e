import pytest
from kommunepuls_devbroker.errors import BrokerError, ErrorCode
from kommunepuls_devbroker.storage.topic_config import SETTINGS, TopicConfig


def test_defaults_are_valid_settings():
    defaults = {name: setting.default for name, setting in SETTINGS.items()}
    assert TopicConfig(defaults) == TopicConfig(defaults)


@pytest.mark.parametrize(
    ("policy", "compacted", "deleted"),
    [("delete", False, True), ("compact", True, False), ("compact,delete", True, True)],
)
def test_the_cleanup_policy_says_what_is_done(policy, compacted, deleted):
    config = TopicConfig({"cleanup.policy": policy})
    assert (config.is_compacted, config.is_deleted_by_age) == (compacted, deleted)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("retention.weeks", "1"),
        ("retention.ms", "soon"),
        ("retention.ms", "-2"),
        ("retention.ms", None),
        ("cleanup.policy", ""),
        ("min.cleanable.dirty.ratio", "2"),
        ("message.timestamp.type", "LogAppendTime"),
    ],
)
def test_what_cannot_be_is_refused(name, text):
    with pytest.raises(BrokerError) as refusal:
        TopicConfig({name: text})
    assert refusal.value.code is ErrorCode.INVALID_CONFIG
