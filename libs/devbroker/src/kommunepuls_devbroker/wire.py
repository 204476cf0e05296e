"""Requests and responses on the wire: which versions are spoken, how frames are read and written.

The broker speaks exactly one version of each request: with one exception (below) the one that
aiokafka 0.14 agrees on with Apache Kafka 4, so that a client runs the same code against both. The classes are aiokafka's own;
they are internals of that library, which is why its version is pinned.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import cast

from aiokafka.protocol import (
    admin,
    commit,
    coordination,
    fetch,
    group,
    metadata,
    offset,
    produce,
    transaction,
)
from aiokafka.protocol.api import RequestStruct, Response
from aiokafka.protocol.types import Int32, TaggedFields

from kommunepuls_devbroker.errors import ErrorCode

SPOKEN: dict[int, type[RequestStruct]] = {
    request.API_KEY: request
    for request in (
        produce.ProduceRequest_v7,
        fetch.FetchRequest_v11,
        offset.OffsetRequest_v3,
        metadata.MetadataRequest_v5,
        commit.OffsetCommitRequest_v3,
        commit.OffsetFetchRequest_v3,
        coordination.FindCoordinatorRequest_v1,
        group.JoinGroupRequest_v5,
        group.HeartbeatRequest_v1,
        group.LeaveGroupRequest_v1,
        group.SyncGroupRequest_v3,
        # aiokafka 0.14 reads the answer to version 3 with the layout of version 2, and misreads every group but the first.
        admin.DescribeGroupsRequest_v2,
        admin.ListGroupsRequest_v1,
        admin.CreateTopicsRequest_v3,
        admin.DeleteTopicsRequest_v3,
        admin.DeleteRecordsRequest_v2,
        transaction.InitProducerIdRequest_v0,
        admin.DescribeConfigsRequest_v2,
        admin.AlterConfigsRequest_v1,
        admin.CreatePartitionsRequest_v1,
        admin.DeleteGroupsRequest_v1,
    )
}

API_VERSIONS_KEY = admin.ApiVersionRequest_v0.API_KEY
PRODUCE_KEY = produce.ProduceRequest_v7.API_KEY
_API_VERSIONS: dict[int, type[RequestStruct]] = {
    0: admin.ApiVersionRequest_v0,
    1: admin.ApiVersionRequest_v1,
    2: admin.ApiVersionRequest_v2,
}
_VERSION_TABLE = sorted(
    [(key, request.API_VERSION, request.API_VERSION) for key, request in SPOKEN.items()]
    + [(API_VERSIONS_KEY, 0, max(_API_VERSIONS))]
)
_HEADER = struct.Struct(">hhi")
_KEY = struct.Struct(">h")
_LONGEST_STRING = 32_767


class UnreadableRequestError(Exception):
    """The bytes are no request that this broker speaks; the connection is of no further use."""


@dataclass(frozen=True)
class IncomingRequest:
    """A request as read from a frame; `body` is None for a version question that is answered at once."""

    api_key: int
    api_version: int
    correlation_id: int
    client_id: str
    body: RequestStruct | None


class _InPlace:
    """Reads a frame as aiokafka's decoders do, but leaves where they are the records, which alone are so long."""

    def __init__(self, frame: bytes | memoryview) -> None:
        self._frame = memoryview(frame)
        self._position = 0

    def read(self, size: int) -> bytes | memoryview:
        begin, self._position = self._position, self._position + size
        read = self._frame[begin : self._position]
        return read if size > _LONGEST_STRING else bytes(read)


def read_request(frame: bytes | memoryview) -> IncomingRequest:
    """Reads one frame (without its length prefix). Raises UnreadableRequestError.

    The records of a produce request are views into the frame, if they are many.
    """
    produces = frame[: _KEY.size] == _KEY.pack(PRODUCE_KEY)
    stream = cast(BytesIO, _InPlace(frame)) if produces else BytesIO(frame)
    try:
        api_key, api_version, correlation_id = _HEADER.unpack(stream.read(_HEADER.size))
        client_id_length = struct.unpack(">h", stream.read(2))[0]
        client_id = stream.read(client_id_length).decode() if client_id_length >= 0 else ""
        if api_key == API_VERSIONS_KEY:
            return IncomingRequest(api_key, api_version, correlation_id, client_id, None)
        request_class = SPOKEN.get(api_key)
        if request_class is None or api_version != request_class.API_VERSION:
            raise UnreadableRequestError(f"request {api_key} version {api_version} is not spoken here")
        if request_class.FLEXIBLE_VERSION:
            TaggedFields.decode(stream)
        body = request_class.decode(stream)
    except UnreadableRequestError:
        raise
    except Exception as problem:
        # The decoder raises whatever its fields run into (struct.error, ValueError, MemoryError...).
        raise UnreadableRequestError(f"not a request: {problem}") from problem
    return IncomingRequest(api_key, api_version, correlation_id, client_id, body)


def frame_response(request: IncomingRequest, response: Response) -> bytes:
    """The response as it goes out, with its length and correlation id in front."""
    header = Int32.encode(request.correlation_id)
    if request.body is not None and request.body.FLEXIBLE_VERSION:
        header += TaggedFields.encode({})
    payload = response.encode()
    return Int32.encode(len(header) + len(payload)) + header + payload


def frame_version_answer(request: IncomingRequest) -> bytes:
    """The answer to ApiVersions; to a newer version of the question, version 0 with an error as KIP-511 says."""
    request_class = _API_VERSIONS.get(request.api_version)
    if request_class is None:
        answer = admin.ApiVersionResponse_v0(
            error_code=ErrorCode.UNSUPPORTED_VERSION, api_versions=_VERSION_TABLE
        )
    elif request.api_version == 0:
        answer = admin.ApiVersionResponse_v0(error_code=ErrorCode.NONE, api_versions=_VERSION_TABLE)
    else:
        answer = request_class.RESPONSE_TYPE(
            error_code=ErrorCode.NONE, api_versions=_VERSION_TABLE, throttle_time_ms=0
        )
    return frame_response(request, answer)
