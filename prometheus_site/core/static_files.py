"""Static files under names that change with their content, so that browsers may keep them for ever."""

from collections.abc import Callable
from re import Match
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage

OWN_SCRIPTS = "js/"


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # the package has no types
    """Also the modules that a script of ours imports: a page never mixes an old module with a new one."""

    support_js_module_import_aggregation = True

    def url_converter(self, name: str, *args: Any, **kwargs: Any) -> Callable[[Match[str]], str]:
        if name.endswith(".js") and not name.startswith(OWN_SCRIPTS):
            return lambda found: found[0]  # a package's script may name what no browser ever asks for
        converter: Callable[[Match[str]], str] = super().url_converter(name, *args, **kwargs)
        return converter
