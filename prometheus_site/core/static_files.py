"""Static files under names that change with their content, so that browsers may keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # the package has no types
    """Also the modules that a script imports: a page never mixes an old module with a new one."""

    support_js_module_import_aggregation = True
