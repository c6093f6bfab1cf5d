"""Is a position inside a circle on the globe (WGS 84, great-circle distance)."""

from math import asin, cos, radians, sin, sqrt

from campaigns.domain.terms.facts import Position
from campaigns.domain.terms.model import Circle

EARTH_RADIUS_M = 6_371_009
MAX_LATITUDE_E6 = 90_000_000
MAX_LONGITUDE_E6 = 180_000_000


def on_globe(latitude_e6: int, longitude_e6: int) -> bool:
    """Say whether the two numbers name a point at all."""
    return abs(latitude_e6) <= MAX_LATITUDE_E6 and abs(longitude_e6) <= MAX_LONGITUDE_E6


def distance_m(latitude_e6: int, longitude_e6: int, to_latitude_e6: int, to_longitude_e6: int) -> float:
    """Metres between two points on the globe, by the haversine formula."""
    latitude, to_latitude = radians(latitude_e6 / 1e6), radians(to_latitude_e6 / 1e6)
    half_latitude = (to_latitude - latitude) / 2
    half_longitude = radians((to_longitude_e6 - longitude_e6) / 1e6) / 2
    chord = sin(half_latitude) ** 2 + cos(latitude) * cos(to_latitude) * sin(half_longitude) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, chord)))


def inside(position: Position, circle: Circle) -> bool:
    """Say whether ``position`` lies within ``circle``, its edge included; points off the globe never do."""
    if not on_globe(position.latitude_e6, position.longitude_e6):
        return False
    if not on_globe(circle.latitude_e6, circle.longitude_e6):
        return False
    metres = distance_m(position.latitude_e6, position.longitude_e6, circle.latitude_e6, circle.longitude_e6)
    return metres <= circle.radius_m
