"""A town's area files, gazetteers and addresses."""

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.town import TownFile
from kommunepuls_geography import GeographyError, geography_of

from ingest_facebook.domain.places import Places


def read_places(file: TownFile) -> Places:
    """Read what the town file names. Blocks on files: call it in a thread.

    Raises:
        OperatorError: naming the file and what is wrong with it.
    """
    try:
        geography = geography_of((file.town, file.folder))
    except GeographyError as error:
        raise OperatorError(f"{file.path}: {error}") from None
    return Places(geography, file.town.code)
