"""What the document store raises. Vendor errors never leave an adapter."""

from kommunepuls_chassis.errors import OperatorError


class StoreError(Exception):
    """Something the store could not do; the base of all its errors."""


class StoreConfigurationError(StoreError, OperatorError):
    """The address, a name or a declared index is wrong: an operator or developer must change it."""


class StoreUnavailable(StoreError):
    """The store does not answer now (network, lock, disk full); the same call may succeed later.

    Whether a write took place is not known: repeat it with the same key.
    """


class StoreClosed(StoreError):
    """The store was used after its context had ended."""


class DocumentError(StoreError):
    """The key or the document cannot be stored; says which field and why. Nothing was written."""


class ConditionError(StoreError):
    """A condition, an order or a page position is not one the store understands."""


class UndeclaredField(ConditionError):
    """A field is used in a condition or an order without being declared in an Index."""

    def __init__(self, collection: str, field: str) -> None:
        super().__init__(
            f"collection {collection}: field {field!r} is used to find or order, but no Index declares it"
        )


class VersionConflict(StoreError):
    """The document is not at the version the writer had read (or exists although it must not)."""

    def __init__(self, collection: str, key: str, expected_version: int) -> None:
        super().__init__(f"collection {collection}: {key!r} is no longer at version {expected_version}")
        self.key = key
        self.expected_version = expected_version
