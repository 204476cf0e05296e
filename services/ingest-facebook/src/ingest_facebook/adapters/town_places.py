"""A town's area files, gazetteers and addresses."""

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.town import TownFile
from kommunepuls_geography import AreaSource, GazetteerSource, Geography, GeographyError, RegisterSource

from ingest_facebook.domain.places import Places


def read_places(file: TownFile) -> Places:
    """Read what the town file names. Blocks on files: call it in a thread.

    Raises:
        OperatorError: naming the file and what is wrong with it.
    """
    town = file.town
    try:
        geography = Geography.load(
            [
                AreaSource(
                    path=one.file,
                    id_property=one.id,
                    name_property=one.name,
                    parent_property=one.parent,
                    kind_property=one.kind,
                    country=one.country,
                )
                for one in town.areas
            ],
            [
                GazetteerSource(
                    path=one.file, name_property=one.name, kind_property=one.kind, municipality=town.code
                )
                for one in town.gazetteer
            ],
            [RegisterSource(path=one.file, municipality=town.code) for one in town.addresses],
            folder=file.folder,
        )
    except GeographyError as error:
        raise OperatorError(f"{file.path}: {error}") from None
    return Places(geography, town.code)
