"""The whole route table, gathered from one module per area: each file here exports ``ROUTES``."""

from importlib import import_module
from pkgutil import iter_modules

from api.routing import Route, check_routes


def all_routes() -> tuple[Route, ...]:
    """Every route of the service, in the order of the areas' names. Raises RouteError for one without policy."""
    found: list[Route] = []
    for area in sorted(module.name for module in iter_modules(__path__)):
        found.extend(import_module(f"{__name__}.{area}").ROUTES)
    return check_routes(found)
