"""The partitions this process holds: each an index and thresholds of its own, made when it is assigned."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from kommunepuls_chassis.health import Component
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import PROFILES_HELD
from kommunepuls_events import SubscriberProfileV1
from kommunepuls_geography import Geography
from kommunepuls_matching import compiling
from kommunepuls_matching.index import ProfileIndex
from kommunepuls_matching.loading import Loading

from personaliser.domain.thresholds import Observation, ThresholdIndex, ThresholdsSet, replayed
from personaliser.profile_decoding import PlainProfile


class Shard:
    """One partition of subscribers.

    Attributes:
        partition: of ``profiles.v1`` and of ``offers.v1``.
        position: offset in ``profiles.v1`` up to which changes are taken in.
        ready: whether index and thresholds are as the log says.
        dropped: whether another process holds the partition now.
    """

    def __init__(self, partition: int, geography: Geography) -> None:
        self.partition = partition
        self.index = ProfileIndex(geography)
        self.thresholds = ThresholdIndex()
        self.position = 0
        self.ready = False
        self.dropped = False
        # Until it is ready nobody asks the index, and everything can be taken in at once.
        self._loading = self.index.begin_loading() if compiling.AVAILABLE else None
        self._set: dict[str, ThresholdsSet] = {}
        self._changed = asyncio.Event()
        self._merging: asyncio.Task[None] | None = None

    def take(self, subscriber: str, profile: SubscriberProfileV1 | PlainProfile | None) -> None:
        """Take a profile in as the log has it; None erases it."""
        held = self._held
        if profile is None:
            held.erase(subscriber)
            self.thresholds.erase(subscriber)
            self._set.pop(subscriber, None)
            return
        held.put(profile)
        if self.ready:
            self.thresholds.put(subscriber, profile.sensor_thresholds)
        elif profile.sensor_thresholds:
            self._set[subscriber] = ThresholdsSet(profile.changed_at, subscriber, profile.sensor_thresholds)
        else:
            self._set.pop(subscriber, None)

    @property
    def _held(self) -> ProfileIndex | Loading:
        return self.index if self._loading is None else self._loading

    async def begin(self, history: list[Observation]) -> None:
        """Be ready, with the thresholds as the readings that were matched already have left them."""
        if self._loading is not None:
            await asyncio.to_thread(self._loading.work)
            while not self.index.load(self._loading):
                await asyncio.to_thread(self._loading.work)
            self._loading = None
        self.thresholds = await asyncio.to_thread(replayed, list(self._set.values()), history)
        self._set.clear()
        self.ready = True
        self._notify()

    def advance(self, position: int) -> None:
        """Everything before this offset of ``profiles.v1`` is taken in."""
        self.position = position
        PROFILES_HELD.labels(self.partition).set(len(self._held))
        if self.index.wants_merging and self._merging is None:
            self._merging = asyncio.create_task(self._merge(), name=f"merge of partition {self.partition}")
        self._notify()

    async def _merge(self) -> None:
        """Make the index compact anew, in a thread; matching and changes go on."""
        merge = self.index.begin_merging()
        try:
            await asyncio.to_thread(merge.work)
            self.index.adopt(merge)
        except Exception:
            # The index answers without it; it is tried again when the next profiles come.
            self.index.abandon(merge)
            get_logger().exception("merge_failed", partition=self.partition)
        finally:
            self._merging = None

    def drop(self) -> None:
        """Another process holds the partition now: whoever waits is told."""
        self.dropped = True
        PROFILES_HELD.labels(self.partition).set(0)
        self._notify()

    async def reach(self, position: int) -> bool:
        """Wait until all profiles before that offset are taken in; false if the partition went away."""
        while not self.dropped and not (self.ready and self.position >= position):
            await self._changed.wait()
        return not self.dropped

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class Shards:
    """The shards of the partitions that are assigned to this process.

    A partition that stays through a rebalance keeps its shard; one that goes loses it at once.
    """

    def __init__(
        self,
        follow: Callable[[Shard], Coroutine[Any, Any, None]],
        geography: Callable[[], Geography],
        health: Component,
    ) -> None:
        self._follow = follow
        self._geography = geography
        self._health = health
        self._held: dict[int, tuple[Shard, asyncio.Task[None]]] = {}
        self._assigned = False
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def hold(self, partitions: Iterable[int]) -> None:
        """Hold these partitions and no others."""
        wanted = set(partitions)
        log = get_logger()
        for partition in sorted(self._held.keys() - wanted):
            self._drop(partition)
            log.info("partition_dropped", partition=partition)
        for partition in sorted(wanted - self._held.keys()):
            shard = Shard(partition, self._geography())
            task = asyncio.create_task(self._follow(shard), name=f"profiles of partition {partition}")
            task.add_done_callback(self._ended)
            self._held[partition] = shard, task
            log.info("partition_taken", partition=partition)
        self._assigned = True

    def held(self, partition: int) -> Shard | None:
        """The shard of a partition, if this process holds it."""
        found = self._held.get(partition)
        return found[0] if found else None

    @property
    def ready(self) -> bool:
        """Whether partitions were assigned and all of them can be matched against."""
        return self._assigned and all(shard.ready for shard, _ in self._held.values())

    async def run(self) -> None:
        """Watch over the shards until cancelled; raises what ended the following of one."""
        while True:
            self._health.beat(ready=self.ready)
            done, _ = await asyncio.wait({self._failed}, timeout=0.5)
            if done:
                await self._failed

    async def relocate(self, geography: Geography) -> None:
        """Go over to new area knowledge, a little at a time."""
        for shard, _ in list(self._held.values()):
            for _ in shard.index.relocate(geography):
                await asyncio.sleep(0)

    async def close(self) -> None:
        """Let go of everything."""
        tasks = [task for _, task in self._held.values()]
        for partition in list(self._held):
            self._drop(partition)
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._failed.done() and not self._failed.cancelled():
            self._failed.exception()

    def _drop(self, partition: int) -> None:
        shard, task = self._held.pop(partition)
        shard.drop()
        task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self._failed.done():
            return
        self._failed.set_exception(task.exception() or RuntimeError(f"{task.get_name()} ended"))
