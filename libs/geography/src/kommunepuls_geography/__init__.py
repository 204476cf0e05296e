"""Area knowledge: hierarchy, polygons, place names, codes and their history.

Everything here is pure and synchronous: values in, values out, no network. Positions are WGS84 in
GeoJSON's order, longitude first; distances are metres.
"""

from kommunepuls_geography.area_files import load_areas
from kommunepuls_geography.areas import Area, AreaError, AreaKind, AreaTree
from kommunepuls_geography.distance import distance_metres, distance_to_geometry_metres
from kommunepuls_geography.lookup import AreaDistance, AreaLookup, AreaShare
from kommunepuls_geography.sources import AreaSource

__all__ = [
    "Area",
    "AreaDistance",
    "AreaError",
    "AreaKind",
    "AreaLookup",
    "AreaShare",
    "AreaSource",
    "AreaTree",
    "distance_metres",
    "distance_to_geometry_metres",
    "load_areas",
]
