"""Documents by key, behind one port: SQLite embedded, MongoDB in production."""

from kommunepuls_chassis.store import conditions, errors
from kommunepuls_chassis.store.open import open_store
from kommunepuls_chassis.store.port import Collection, DocumentStore, Index, Stored

__all__ = ["Collection", "DocumentStore", "Index", "Stored", "conditions", "errors", "open_store"]
