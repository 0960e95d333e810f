"""Static files under names that carry a hash, so that browsers keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Also rewrites `import` statements between our JavaScript modules."""

    support_js_module_import_aggregation = True
    # Without a manifest (tests, first start) names stay as they are.
    manifest_strict = False
