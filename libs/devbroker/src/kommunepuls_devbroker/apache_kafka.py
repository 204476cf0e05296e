"""Apache Kafka for tests: one that is named, one in a container, or one started from its Maven artifacts."""

from __future__ import annotations

import base64
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kommunepuls_devbroker.probe import spoken_versions

KAFKA_VERSION = "4.1.0"
SCALA_VERSION = "2.13"
SLF4J_VERSION = "1.7.36"
BOOTSTRAP_VARIABLE = "KP_KAFKA_BOOTSTRAP"
CACHE_VARIABLE = "KP_CACHE_DIR"
START_SECONDS = 90.0
STOP_SECONDS = 30.0
_REPOSITORY_ROOT = Path(__file__).resolve().parents[4]

TEST_SETTINGS = {
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "group.initial.rebalance.delay.ms": "100",
    # Retention and compaction look for work often, so that a test sees their effect within seconds.
    "log.initial.task.delay.ms": "100",
    "log.retention.check.interval.ms": "300",
    "log.cleaner.backoff.ms": "300",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "log.segment.delete.delay.ms": "0",
}
"""Broker settings that make one small Kafka node quick enough for tests; the defaults else."""


class NoKafkaError(Exception):
    """No Apache Kafka can be had here; the message says what was looked for."""


@dataclass(frozen=True)
class KafkaUnderTest:
    bootstrap: str
    origin: str
    """Where it comes from, for the test report."""


@contextmanager
def kafka_under_test() -> Iterator[KafkaUnderTest]:
    """An Apache Kafka for the length of the context (use it once a session). Raises NoKafkaError.

    Looked for in this order: the address in KP_KAFKA_BOOTSTRAP; a container, where a docker engine
    answers; the Maven artifacts of Apache Kafka, where `java` and `mvn` are on the path.
    """
    named = os.environ.get(BOOTSTRAP_VARIABLE)
    if named:
        yield KafkaUnderTest(named, f"named in {BOOTSTRAP_VARIABLE}")
    elif _docker_answers():
        with _kafka_container() as kafka:
            yield kafka
    elif shutil.which("java") and shutil.which("mvn"):
        with _kafka_from_artifacts() as kafka:
            yield kafka
    else:
        raise NoKafkaError(
            f"No Apache Kafka: {BOOTSTRAP_VARIABLE} is not set, no docker engine answers, "
            "and java and mvn are not both on the path."
        )


def _docker_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, timeout=15, check=False)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0


@contextmanager
def _kafka_container() -> Iterator[KafkaUnderTest]:
    # Imported here: only tests need it, and the broker is installed without it.
    from testcontainers.kafka import KafkaContainer

    container = KafkaContainer("confluentinc/cp-kafka:8.0.0").with_kraft()
    for name, value in TEST_SETTINGS.items():
        container.with_env("KAFKA_" + name.upper().replace(".", "_"), value)
    with container:
        yield KafkaUnderTest(container.get_bootstrap_server(), "a container")


@contextmanager
def _kafka_from_artifacts() -> Iterator[KafkaUnderTest]:
    libraries = resolved_libraries()
    with tempfile.TemporaryDirectory(prefix="kommunepuls-kafka-") as name:
        directory = Path(name)
        port, controller_port = _free_ports(2)
        properties = _write_properties(directory, port, controller_port)
        _run_java(
            libraries, directory, "kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", properties
        )
        log_path = directory / "kafka.log"
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                _java_command(libraries, "kafka.Kafka", properties),
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=directory,
            )
        try:
            address = f"127.0.0.1:{port}"
            _wait_until_ready(process, address, log_path)
            yield KafkaUnderTest(address, f"Apache Kafka {KAFKA_VERSION} from its Maven artifacts")
        finally:
            _end(process)


def resolved_libraries() -> Path:
    """The folder with Kafka's jars; downloaded by Maven on first use and kept. Raises NoKafkaError."""
    base = Path(os.environ.get(CACHE_VARIABLE) or _REPOSITORY_ROOT / ".cache")
    cache = base / "kafka" / KAFKA_VERSION
    cache.mkdir(parents=True, exist_ok=True)
    complete, libraries = cache / "complete", cache / "libraries"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            (cache / "pom.xml").write_text(_POM)
            command = ["mvn", "-q", "-B", "-f", str(cache / "pom.xml"), "dependency:copy-dependencies"]
            resolved = subprocess.run(
                [*command, f"-DoutputDirectory={libraries}"], capture_output=True, text=True, check=False
            )
            if resolved.returncode != 0:
                raise NoKafkaError(f"Maven cannot resolve Apache Kafka: {resolved.stdout[-500:].strip()}")
            complete.touch()
    return libraries


_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>kommunepuls</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_{SCALA_VERSION}</artifactId>
      <version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>{SLF4J_VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for bound in sockets:
            bound.bind(("127.0.0.1", 0))
        return [bound.getsockname()[1] for bound in sockets]
    finally:
        for bound in sockets:
            bound.close()


def _cluster_id() -> str:
    return base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")


def _write_properties(directory: Path, port: int, controller_port: int) -> str:
    properties = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "log.dirs": str(directory / "data"),
        **TEST_SETTINGS,
    }
    path = directory / "server.properties"
    path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    return str(path)


def _java_command(libraries: Path, main_class: str, *arguments: str) -> list[str]:
    options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    return ["java", *options, quiet, "-cp", f"{libraries}/*", main_class, *arguments]


def _run_java(libraries: Path, directory: Path, main_class: str, *arguments: str) -> None:
    finished = subprocess.run(
        _java_command(libraries, main_class, *arguments),
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise NoKafkaError(f"{main_class} failed: {(finished.stderr or finished.stdout)[-500:].strip()}")


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, log_path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            spoken_versions(address)
            return
        except OSError:
            time.sleep(0.2)
    raise NoKafkaError(f"Apache Kafka did not start: {log_path.read_text(errors='replace')[-1000:].strip()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
