"""Opening a SQLite file that others open too."""

import sqlite3
import time

BUSY_SECONDS = 30.0


def is_busy(error: Exception) -> bool:
    """Whether somebody else held the file for too long."""
    # The low byte is the error, the others say more about it: https://www.sqlite.org/rescode.html
    return (
        isinstance(error, sqlite3.Error)
        and getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
    )


def use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch to WAL, which SQLite tries once only, without waiting for others who open the file."""
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return
