"""Every setting of Marea. The environment is read here and nowhere else."""

import hashlib
import secrets
import tempfile
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from webapp import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where things are ---

MAREA_DATA = Path(
    env.text(
        "MAREA_DATA",
        str(BASE_DIR / "data"),
        "Folder for everything Marea keeps: database, originals, thumbnails, index, secret key.",
        shown="./data",
    )
).resolve()
MAREA_DATA.mkdir(parents=True, exist_ok=True)

MAREA_ORIGINALS = Path(
    env.text(
        "MAREA_ORIGINALS",
        str(MAREA_DATA / "originals"),
        "Folder for original photos, when they live on a local disk.",
        shown="MAREA_DATA/originals",
    )
)
MAREA_S3_BUCKET = env.text(
    "MAREA_S3_BUCKET", "", "Keep originals in this S3-compatible bucket instead of a folder."
)
MAREA_S3_ENDPOINT = env.text(
    "MAREA_S3_ENDPOINT", "", "Address of the S3-compatible service; empty for Amazon's."
)
MAREA_THUMBNAILS = MAREA_DATA / "thumbnails"
MAREA_INDEX = MAREA_DATA / "index"
MAREA_UPLOADS = MAREA_DATA / "uploads"  # unfinished uploads; same disk as the originals' default


def _kept_secret_key() -> str:
    """The key in the data folder, made on first use."""
    path = MAREA_DATA / "secret_key"
    if not path.exists():
        made = path.with_name(f"secret_key.{secrets.token_hex(4)}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(50))
        try:
            path.hardlink_to(made)  # fails when another process was first
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_text().strip()


SECRET_KEY = (
    env.text(
        "SECRET_KEY",
        "",
        "Signs sessions and links. Made and kept in the data folder when absent.",
        shown="kept in MAREA_DATA/secret_key",
    )
    or _kept_secret_key()
)

# --- Who may reach us ---

DEBUG = env.flag("DEBUG", False, "Django's debug pages. Never on a machine that others reach.")
MAREA_BIND = env.text("MAREA_BIND", "127.0.0.1:8000", "Address and port the web server listens on.")
MAREA_WEB_PROCESSES = env.integer("MAREA_WEB_PROCESSES", 2, "Web server processes.")
MAREA_WEB_THREADS = env.integer("MAREA_WEB_THREADS", 8, "Threads in each web server process.")
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS",
    ["localhost", "127.0.0.1", "[::1]"],
    "Host names under which Marea is reached, separated by commas; * for any.",
)
MAREA_HTTPS = env.flag(
    "MAREA_HTTPS", False, "Set when a proxy serves Marea over HTTPS: cookies become secure-only."
)
CSRF_TRUSTED_ORIGINS = env.words(
    "CSRF_TRUSTED_ORIGINS", [], "Origins such as https://photos.example.org, behind a proxy."
)
if MAREA_HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = MAREA_HTTPS
SESSION_ENGINE = "webapp.accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        # data: carries the tiny placeholders, blob: the previews of files being uploaded.
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

# --- The application ---

INSTALLED_APPS = [
    "webapp.accounts",
    "webapp.library",
    "webapp.find",
    "webapp.examples",
    "webapp.stacks",
    "webapp.teach",
    "webapp.albums",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "webapp.static_storage.StaticFiles",
    "django_htmx",
    "ninja",  # its documentation page then needs no CDN
    "csp",
    "axes",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "webapp.permissions.PermissionsPolicyMiddleware",
    "webapp.teach.versions.serving.OneVersionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "webapp.accounts.middleware.FirstVisitMiddleware",
    "webapp.accounts.middleware.SignInRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "webapp.responses.ProblemMiddleware",
]
CSRF_FAILURE_VIEW = "webapp.responses.csrf_failure"

ROOT_URLCONF = "webapp.urls"
WSGI_APPLICATION = "webapp.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- The truth: the database ---

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database(
        "DATABASE_URL",
        f"sqlite:///{MAREA_DATA / 'marea.sqlite3'}",
        "Database, such as postgres://user:password@host/name.",
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # A writer takes its lock at once: two writers then wait instead of failing half-way.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "PRAGMA mmap_size=134217728; PRAGMA cache_size=-16000; PRAGMA busy_timeout=30000;"
        ),
    }
    # Tests use a file as well: in memory, threads fail at each other's locks instead of waiting.
    DATABASES["default"]["TEST"] = {"NAME": str(MAREA_DATA / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# A new connection reads the whole schema and begins with nothing in its cache.
DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


# --- Signals: Redis or the embedded Valkey ---


def _valkey_socket() -> Path:
    """Socket of the embedded Valkey; short, since the system allows about 100 characters."""
    wanted = MAREA_DATA / "valkey.sock"
    if len(str(wanted)) < 90:
        return wanted
    name = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"marea-{name}.sock"


MAREA_VALKEY_SOCKET = _valkey_socket()
REDIS_URL = env.text(
    "REDIS_URL",
    "",
    "Redis or Valkey server, such as redis://host:6379/0. Empty: an embedded Valkey.",
    shown="embedded Valkey on a socket in the data folder",
)
MAREA_EMBEDDED_VALKEY = not REDIS_URL
if MAREA_EMBEDDED_VALKEY:
    REDIS_URL = f"unix://{MAREA_VALKEY_SOCKET}"

# --- Accounts ---

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "library:page"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AXES_FAILURE_LIMIT = env.integer(
    "MAREA_SIGN_IN_ATTEMPTS", 5, "Wrong passwords before a name and address are locked out."
)
AXES_COOLOFF_TIME = env.decimal(
    "MAREA_SIGN_IN_PAUSE_H", 0.25, "Hours for which sign-in stays locked after that."
)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "webapp.accounts.views.attempted_name"
AXES_DISABLE_ACCESS_LOG = True  # who signed in when from where is nobody's business
AXES_LOCKOUT_CALLABLE = "webapp.accounts.views.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

# --- Files ---

_originals: dict[str, Any] = {
    "BACKEND": "webapp.library.storage.OriginalsOnDisk",
    "OPTIONS": {"location": MAREA_ORIGINALS},
}
if MAREA_S3_BUCKET:
    _originals = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": MAREA_S3_BUCKET,
            "endpoint_url": MAREA_S3_ENDPOINT or None,
            "file_overwrite": True,  # names are hashes: the same name is the same bytes
            "default_acl": None,
            "querystring_auth": True,
        },
    }
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "originals": _originals,
    "staticfiles": {"BACKEND": "webapp.static_storage.HashedStaticFiles"},
}
STATIC_URL = "static/"
STATIC_ROOT = MAREA_DATA / "static"
MAREA_FRONTEND = BASE_DIR / "webapp" / "frontend" / "node_modules"
STATICFILES_DIRS: list[Any] = [BASE_DIR / "webapp" / "static"]
# Each package and the folder in it that browsers need.
for _package, _served in (
    ("htmx.org", "dist"),
    ("photoswipe", "dist"),
    ("tus-js-client", "dist"),
    ("@noble/hashes", "."),
):
    if (MAREA_FRONTEND / _package / _served).is_dir():
        STATICFILES_DIRS.append((f"vendor/{_package}", MAREA_FRONTEND / _package / _served))
WHITENOISE_MAX_AGE = 600  # of files without a hash in their name; hashed ones are kept for ever

# --- Limits ---

MAREA_MAX_FILE_MB = env.integer("MAREA_MAX_FILE_MB", 200, "Largest file a photo may have, MB.")
MAREA_MAX_MEGAPIXELS = env.integer("MAREA_MAX_MEGAPIXELS", 178, "Largest photo, megapixels.")
MAREA_USER_QUOTA_MB = env.integer(
    "MAREA_USER_QUOTA_MB", 0, "All originals of one user together, MB; 0 for no limit."
)
MAREA_DECODE_MEMORY_MB = env.integer(
    "MAREA_DECODE_MEMORY_MB", 2048, "Memory a decoding process may take, MB."
)
MAREA_DECODE_SECONDS = env.integer("MAREA_DECODE_SECONDS", 30, "Time to decode one photo, s.")
MAREA_DECODERS = env.integer("MAREA_DECODERS", 2, "Decoding processes beside each worker.")
MAREA_MAX_DATASET_MB = env.integer(
    "MAREA_MAX_DATASET_MB", 4096, "Largest ZIP of photos to train a classifier on, MB."
)
MAREA_DATASET_FOLDERS = env.words(
    "MAREA_DATASET_FOLDERS",
    [],
    "Folders on the server, separated by commas, below which superusers may read data sets.",
)
MAREA_MAX_ZIP_PHOTOS = env.integer("MAREA_MAX_ZIP_PHOTOS", 5000, "Photos in one ZIP download.")
MAREA_TRASH_DAYS = env.integer("MAREA_TRASH_DAYS", 30, "Days until trashed photos are deleted.")
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # a selection of thousands of photos is one form
FILE_UPLOAD_TEMP_DIR = MAREA_UPLOADS
FILE_UPLOAD_HANDLERS = ["webapp.library.upload_handlers.PhotoUploadHandler"]
MAREA_UPLOADS.mkdir(parents=True, exist_ok=True)

# --- Workers and vision ---

# Photos per forward pass; lower it when workers run out of memory.
MAREA_LOOK_BATCH = env.integer("MAREA_LOOK_BATCH", 16, "Photos a worker looks at in one pass.")
MAREA_LEASE_S = env.integer(
    "MAREA_LEASE_S", 90, "Seconds a worker may hold a batch before another takes it over."
)
MAREA_MAX_ATTEMPTS = env.integer(
    "MAREA_MAX_ATTEMPTS", 3, "Attempts at a photo before it is set aside."
)
MAREA_SWEEP_S = env.integer("MAREA_SWEEP_S", 15, "Seconds between sweeps for lost work.")
MAREA_MODEL = env.text("MAREA_MODEL", "lite2-2026.11d", "Model version that ships and looks first.")
MAREA_MODELS_URL = env.text(
    "MAREA_MODELS_URL",
    "",
    "Mirror from which models are pulled, with the paths that the official hosts have.",
    shown="huggingface.co and download.pytorch.org",
)
# Confidence is the share of a caption's telling words that people use of the same photo. At 0.33
# about half of the captions of Flickr8k's development photos are shown; below it most mislead.
MAREA_CAPTION_CONFIDENCE = env.decimal(
    "MAREA_CAPTION_CONFIDENCE",
    0.33,
    "Least confidence, 0 to 1, at which a caption is shown and searched; "
    "run rebuild_index after a change.",
)
MAREA_VISION_THREADS = env.integer(
    "MAREA_VISION_THREADS", 0, "Threads for the network; 0 for one a core."
)

MAREA_OCR = env.flag(
    "MAREA_OCR", True, "Read text in photos, once they were looked at, so that it can be searched."
)
MAREA_OCR_THREADS = env.integer("MAREA_OCR_THREADS", 1, "Threads for reading text in photos.")

MAREA_IDLE_S = env.integer(
    "MAREA_IDLE_S", 300, "Seconds without photos after which a worker lets go of the weights."
)

# --- Search ---

SEARCH_ENGINE = env.text(
    "SEARCH_ENGINE",
    "faiss",
    "Vector engine: faiss, or milvus://host:19530 for libraries beyond one machine (see scale.md).",
)
MAREA_VERSIONS_KEPT = env.integer(
    "MAREA_VERSIONS_KEPT",
    2,
    "Model versions of which is kept what they saw, beside the active one, the one before it and "
    "those that were pinned.",
)
MAREA_INDEX_DELTA = env.integer(
    "MAREA_INDEX_DELTA", 5000, "New photos after which a worker makes a new index base."
)

MAREA_RANKER = env.flag(
    "MAREA_RANKER", True, "Order results as people's choices taught; off: by the signals alone."
)
MAREA_HISTORY_DAYS = env.integer(
    "MAREA_HISTORY_DAYS", 180, "Days for which people's own search history is kept."
)

# --- The rest ---

LANGUAGE_CODE = "en"
TIME_ZONE = env.text("TZ", "UTC", "Time zone in which times are shown.")
USE_I18N = False
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["console"],
        "level": env.text("LOG_LEVEL", "INFO", "Least level of log lines: DEBUG, INFO, WARNING."),
    },
    "loggers": {
        "axes": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "faiss": {"level": "WARNING"},
        "milvus_lite": {"level": "WARNING"},
    },
}
