"""Set before anything reads settings: tests keep their files in a folder of their own."""

import os
import tempfile

os.environ.setdefault("MAREA_DATA", tempfile.mkdtemp(prefix="marea-test-"))
