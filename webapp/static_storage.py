"""Static files under names that carry a hash, so that browsers keep them for ever."""

from django.core.files.base import File
from whitenoise.storage import CompressedManifestStaticFilesStorage

OURS = ("css/", "js/", "img/")


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Also rewrites `import` statements between our JavaScript modules."""

    support_js_module_import_aggregation = True
    # Without a manifest (tests, first start) names stay as they are.
    manifest_strict = False

    def hashed_name(
        self, name: str, content: File | None = None, filename: str | None = None
    ) -> str:
        """The name with its hash. A file that only a package's comments speak of keeps its name;
        one that our own files miss stays an error."""
        try:
            return super().hashed_name(name, content, filename)
        except ValueError:
            if name.startswith(OURS):
                raise
            return name
