"""What only the embedded store promises: `kill -9`, several processes, a free event loop."""

import asyncio
import signal
import sqlite3
import sys
import time

import pytest
from kommunepuls_chassis.store import Index, open_store
from kommunepuls_chassis.store.errors import DocumentError, StoreError, StoreUnavailable
from kommunepuls_chassis.store.sqlite import SqliteStore

# Writes as fast as it can and says a key only after its write has returned.
WRITER = """
import asyncio, sys
from kommunepuls_chassis.store import Index, open_store

async def main(url, name):
    async with open_store(url) as store:
        items = await store.collection("items", indexes=[Index("by"), Index("areas", array=True)])
        async def write(lane):
            for number in range(int(sys.argv[3])):
                key = f"{name}-{lane}-{number}"
                assert await items.insert(key, {"by": name, "areas": [f"lane{lane}"]})
                print(key, flush=True)
        await asyncio.gather(*(write(lane) for lane in range(20)))

asyncio.run(main(*sys.argv[1:3]))
"""


async def start_writer(url, name, documents_each):
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, url, name, str(documents_each), stdout=asyncio.subprocess.PIPE
    )


@pytest.mark.parametrize("said_before_the_kill", [1, 300, 3_000])
async def test_what_was_awaited_is_there_after_kill_9_and_its_indexes_agree(tmp_path, said_before_the_kill):
    url = f"sqlite:///{tmp_path}/store.db"
    writer = await start_writer(url, "w", 100_000)
    said = [(await writer.stdout.readline()).decode().strip() for _ in range(said_before_the_kill)]
    writer.send_signal(signal.SIGKILL)
    rest = (await writer.stdout.read()).decode()
    # The last line may be cut off by the kill.
    said += rest[: rest.rfind("\n") + 1].split()
    await writer.wait()
    async with open_store(url) as store:
        items = await store.collection("items", indexes=[Index("by"), Index("areas", array=True)])
        assert set(said) <= set(await items.get_many(said))
        stored = await items.count({})
        assert stored >= len(said) >= said_before_the_kill
        assert await items.count({"by": "w"}) == stored
        assert sum([await items.count({"areas": f"lane{lane}"}) for lane in range(20)]) == stored
        assert await items.insert(said[0], {}) is False


async def test_two_processes_and_this_one_write_the_same_file(tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    writers = [await start_writer(url, name, 40) for name in ("one", "two")]
    async with open_store(url) as store:
        items = await store.collection("items", indexes=[Index("by")])
        await asyncio.gather(*(items.insert(f"here-{n}", {"by": "here"}) for n in range(800)))
        for writer in writers:
            await writer.communicate()
            assert writer.returncode == 0
        assert [await items.count({"by": by}) for by in ("one", "two", "here")] == [800, 800, 800]


async def test_many_may_open_a_new_file_at_once(tmp_path):
    for attempt in range(30):
        path = tmp_path / f"{attempt}.db"
        stores = await asyncio.gather(*(SqliteStore.open(path) for _ in range(6)))
        await asyncio.gather(*(store.collection("items", indexes=[Index("state")]) for store in stores))
        for store in stores:
            await store.close()


async def test_the_event_loop_runs_on_while_another_process_holds_the_lock(tmp_path):
    path = tmp_path / "store.db"
    async with open_store(f"sqlite:///{path}") as store:
        items = await store.collection("items")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(items.insert("a", {}))
        longest = 0.0
        for _ in range(20):
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - before)
        assert not writing.done()
        assert await items.get("a") is None
        other.execute("COMMIT")
        other.close()
        assert await writing is True
        assert longest < 1


async def test_a_lock_that_stays_is_unavailable_and_the_store_recovers(tmp_path, monkeypatch):
    monkeypatch.setattr("kommunepuls_chassis.store.sqlite.BUSY_SECONDS", 0.05)
    path = tmp_path / "store.db"
    async with open_store(f"sqlite:///{path}") as store:
        items = await store.collection("items")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answers = await asyncio.gather(*(items.insert(f"{n}", {}) for n in range(3)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
        other.execute("COMMIT")
        other.close()
        assert await items.insert("0", {}) is True


async def test_one_that_fails_in_a_shared_transaction_takes_no_other_with_it(tmp_path):
    store = await SqliteStore.open(tmp_path / "store.db")
    items = await store.collection("items", indexes=[Index("areas", array=True)])

    def half_done(connection, catalogue):
        connection.execute("INSERT INTO items(key, version, document) VALUES('half', 1, '{}')")
        raise ZeroDivisionError

    def broken(connection, catalogue):
        connection.execute("INSERT INTO items(key) VALUES(NULL)")

    first, second, third, fourth = await asyncio.gather(
        items.insert("a", {"areas": ["x"]}),
        store.write(half_done),
        store.write(broken),
        items.insert("b", {"areas": ["x"]}),
        return_exceptions=True,
    )
    assert (first, fourth) == (True, True)
    assert isinstance(second, ZeroDivisionError)
    assert isinstance(third, StoreError)
    assert [stored.key for stored in await items.find({"areas": "x"})] == ["a", "b"]
    assert await items.get("half") is None
    await store.close()


async def test_a_caller_that_is_cancelled_disturbs_no_other(tmp_path):
    async with open_store(f"sqlite:///{tmp_path}/store.db") as store:
        items = await store.collection("items")
        writes = [asyncio.create_task(items.insert(f"{n}", {})) for n in range(10)]
        await asyncio.sleep(0)
        writes[3].cancel()
        answers = await asyncio.gather(*writes, return_exceptions=True)
        assert isinstance(answers[3], asyncio.CancelledError)
        assert answers.count(True) == 9


async def test_writes_under_way_are_finished_when_the_store_closes(tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    async with open_store(url) as store:
        items = await store.collection("items")
        writes = [asyncio.create_task(items.insert(f"{n}", {})) for n in range(2_000)]
        await asyncio.sleep(0)
    assert all(await asyncio.gather(*writes))
    async with open_store(url) as store:
        assert await (await store.collection("items")).count({}) == 2_000


async def test_an_indexed_query_uses_its_index(tmp_path):
    store = await SqliteStore.open(tmp_path / "store.db")
    await store.collection("items", indexes=[Index("state", "due_at"), Index("areas", array=True)])

    async def plan(where):
        explain = f"EXPLAIN QUERY PLAN SELECT key FROM items WHERE {where}"
        return str(await store.read(lambda connection: connection.execute(explain).fetchall()))

    assert "items:state,due_at" in await plan('"f.state" = \'x\' AND "f.due_at" < 1')
    assert "PRIMARY KEY" in await plan("key IN (SELECT key FROM \"items/areas\" WHERE value = 'x')")
    await store.close()


async def test_a_patch_that_makes_the_document_too_large_is_refused(tmp_path):
    async with open_store(f"sqlite:///{tmp_path}/store.db") as store:
        items = await store.collection("items")
        await items.put("a", {"half": "x" * 9_000_000})
        with pytest.raises(DocumentError):
            await items.patch("a", {"other": "x" * 9_000_000})
        assert list((await items.get("a")).document) == ["half"]


async def test_a_sparse_index_is_used_and_costs_nothing_for_what_lacks_the_field(tmp_path):
    async with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        waiting = await store.collection("waiting", indexes=[Index("queue", "due_at", sparse=True)])
        await waiting.insert_many((str(n), {"n": n}) for n in range(10))
        await waiting.put("due", {"queue": "a"})
        found = await store.read(
            lambda connection: connection.execute(
                """EXPLAIN QUERY PLAN SELECT key FROM waiting WHERE 1 AND ("f.queue" = ?)""", ["a"]
            ).fetchall()
        )
    assert "waiting:queue,due_at" in found[0][-1]
