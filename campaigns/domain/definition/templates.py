"""Campaign templates of the house: files in campaigns/programmes, each with comments that teach."""

from importlib.resources import files

from campaigns.domain.errors import Refused

_PACKAGE = "campaigns.programmes"
_NOT_CAMPAIGNS = frozenset({"scenarios"})


def template_names() -> tuple[str, ...]:
    """Names that `template_text` knows, in alphabetical order."""
    names = (entry.name for entry in files(_PACKAGE).iterdir())
    stems = (name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))
    return tuple(sorted(stem for stem in stems if stem not in _NOT_CAMPAIGNS))


def template_text(name: str) -> str:
    """The text of a template. Raises Refused ``template_unknown`` (404)."""
    if name not in template_names():
        raise Refused("template_unknown", status=404, name=name[:60], allowed=", ".join(template_names()))
    return files(_PACKAGE).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
