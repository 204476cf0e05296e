"""Area knowledge: hierarchy, polygons, place names, addresses, codes and their history.

Everything here is pure and synchronous: values in, values out, no network. Positions are WGS84 in
GeoJSON's order, longitude first; distances are metres. `Geography.load` bundles the rest.
"""

from kommunepuls_geography.addresses import Address, find_addresses, parse_address
from kommunepuls_geography.area_files import load_areas
from kommunepuls_geography.areas import Area, AreaKind, AreaTree
from kommunepuls_geography.codes import current_area_ids, current_code, former_codes, same_place
from kommunepuls_geography.distance import (
    distance_metres,
    distance_to_geometry_metres,
    distances_to_geometries_metres,
)
from kommunepuls_geography.errors import AreaError, GeographyError
from kommunepuls_geography.gazetteer import Gazetteer, Mention, Place, PlaceKind
from kommunepuls_geography.geography import Geography
from kommunepuls_geography.locations import Evidence, EvidenceKind, Location
from kommunepuls_geography.lookup import AreaDistance, AreaLookup, AreaShare
from kommunepuls_geography.place_files import load_places
from kommunepuls_geography.property_numbers import PropertyNumber, parse_property_numbers
from kommunepuls_geography.register_files import load_register
from kommunepuls_geography.registers import AddressEntry, AddressRegister, PropertyRegister
from kommunepuls_geography.sources import AreaSource, GazetteerSource, RegisterSource
from kommunepuls_geography.town import geography_of

__all__ = [
    "Address",
    "AddressEntry",
    "AddressRegister",
    "Area",
    "AreaDistance",
    "AreaError",
    "AreaKind",
    "AreaLookup",
    "AreaShare",
    "AreaSource",
    "AreaTree",
    "Evidence",
    "EvidenceKind",
    "Gazetteer",
    "GazetteerSource",
    "Geography",
    "GeographyError",
    "Location",
    "Mention",
    "Place",
    "PlaceKind",
    "PropertyNumber",
    "PropertyRegister",
    "RegisterSource",
    "current_area_ids",
    "current_code",
    "distance_metres",
    "distance_to_geometry_metres",
    "distances_to_geometries_metres",
    "find_addresses",
    "former_codes",
    "geography_of",
    "load_areas",
    "load_places",
    "load_register",
    "parse_address",
    "parse_property_numbers",
    "same_place",
]
