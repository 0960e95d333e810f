"""Static files under names that carry a hash, so that browsers keep them for ever."""

from django.contrib.staticfiles.apps import StaticFilesConfig
from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(StaticFilesConfig):
    """Leaves out what packages carry for developers: it is most of their bytes."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "*.map", "*.d.ts", "*.md", "src", "umd"]


# What Django rewrites in modules when it is asked to; its name is private, so tests watch over it.
_IMPORTS = HashedFilesMixin._js_module_import_aggregation_patterns[1]  # type: ignore[attr-defined]


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Also rewrites `import` statements between our JavaScript modules.

    Those of packages are left as they are: they import from each other under their plain names,
    which stay valid, and their comments speak of files that are not there.
    """

    patterns = (
        ("*.css", HashedFilesMixin.patterns[0][1][:2]),  # url() and @import; not source maps
        ("js/*.js", _IMPORTS),
    )
    # Each pass settles the names one import further up; Django's 5 are fewer than our modules need.
    max_post_process_passes = 12
    # Without a manifest (tests, first start) names stay as they are.
    manifest_strict = False
