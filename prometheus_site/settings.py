"""Settings for every process of Prometheus, read from the environment and the installation's own folder."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF

from prometheus_site.embedded.home import Home
from prometheus_site.observability.logs import logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = Home.default()
env = environ.FileAwareEnv()  # NAME_FILE=/run/secrets/name works for every NAME

# --- Secrets and where the site answers -------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY", default="") or HOME.read_secret("secret.key") or "not-started-yet"
DEBUG = False  # a debug page shows local variables, and here those are therapy text
PUBLIC_PORT = env.int("PORT", default=8000)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
IS_HTTPS = env.bool("PROMETHEUS_HTTPS", default=False)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if IS_HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health/$"]  # the container's own health check speaks plain HTTP
    # The proxy in front sets X-Forwarded-For; without this all visitors would share its rate limits.
    ALLAUTH_TRUSTED_PROXY_COUNT = env.int("PROMETHEUS_PROXIES", default=1)
    SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds())
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True

# --- Encryption -------------------------------------------------------------------------------------------
# Newest first, with white space or commas between them; empty: the key file.
MASTER_KEYS: list[str] = env.str("PROMETHEUS_MASTER_KEYS", default="").replace(",", " ").split()
MASTER_KEYS_FILE = HOME.keys / "master.keys"
SIGNING_KEY_FILE = Path(env.str("PROMETHEUS_SIGNING_KEY_PATH", default=str(HOME.keys / "signing.key")))
ANCHOR_LOG = Path(env.str("PROMETHEUS_ANCHOR_LOG", default=str(HOME.path / "anchors.jsonl")))

# --- Applications -----------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "prometheus_site.core",
    "prometheus_site.accounts",
    "prometheus_site.audit",
    "prometheus_site.progress",
    "prometheus_site",
    "datasets_app",
    "annotation",
    "training",
    "inference",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "prometheus_site.progress.admin_site.BoardAdminConfig",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "pgtrigger",
    "pghistory",
    "drf_spectacular",
]
MIDDLEWARE = [
    "prometheus_site.observability.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "prometheus_site.accounts.middleware.SessionLimitsMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "prometheus_site.accounts.middleware.SecondFactorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "prometheus_site.core.middleware.NoStoreMiddleware",
    "prometheus_site.audit.middleware.RouteHistoryMiddleware",
]
ROOT_URLCONF = "prometheus_site.urls"
WSGI_APPLICATION = "prometheus_site.wsgi.application"
ASGI_APPLICATION = "prometheus_site.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "prometheus_site.core.context.site",
            ],
            "builtins": ["prometheus_site.core.templatetags.icons"],
        },
    },
]

# --- Database, cache, queue -------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default="")
    if env.str("DATABASE_URL", default="")
    else HOME.app_database()
}
DATABASES["default"] |= {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True, "ATOMIC_REQUESTS": False}
# A query uses one processor: a lead's figures, which a second one hardly speeds up, must not take that on
# which a clinician's save waits.
DATABASES["default"]["OPTIONS"] = {
    "options": "-c max_parallel_workers_per_gather=0",
    **DATABASES["default"].get("OPTIONS", {}),
}
REDIS_URL = env.str("REDIS_URL", default="") or HOME.redis_cache_url()
CELERY_BROKER_URL = env.str("REDIS_URL", default="") or HOME.redis_broker_url()
CACHES = {
    "default": {
        "BACKEND": "prometheus_site.core.cache.RedisOrMemoryCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},  # seconds
    }
}
PGHISTORY_APPEND_ONLY = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # the database row is the queue; a lost task is nudged again by the sweeper
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
    # A nudge that finds no broker gives up at once: the sweeper nudges again.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
}
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 1024 * 1024  # KB: what a compile needed is given back after it
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# --- Phase 1: from raw sources to a published dataset -----------------------------------------------------
# A folder of the worker's, as the sources and the plan are; a browser can name none of them.
PHASE1_WORKSPACE = Path(env.str("PHASE1_WORKSPACE", default=str(HOME.path / "phase1")))
PHASE1_SOURCES = (
    Path(_sources) if (_sources := env.str("PHASE1_SOURCES", default="")) else None
)  # none: only what is synthesised
PHASE1_PLAN = Path(_plan) if (_plan := env.str("PHASE1_PLAN", default="")) else None  # none: the shipped one
PHASE1_TARGET = env.str("PHASE1_TARGET", default="")  # a folder or s3://…; empty: as the plan says

# --- People -----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "prometheus_site.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = int(timedelta(minutes=10).total_seconds())
ACCOUNT_LOGIN_BY_CODE_ENABLED = False
ACCOUNT_SESSION_REMEMBER = False  # shared machines: the cookie ends with the browser
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Prometheus] "
MFA_TOTP_TOLERANCE = 1  # a code typed at the turn of the half minute still counts
MFA_ADAPTER = "prometheus_site.accounts.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Prometheus"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS  # passkeys on http://localhost
USERSESSIONS_TRACK_ACTIVITY = False  # a write on every request; our own session limits keep the time
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=30)
SESSION_ABSOLUTE_HOURS = env.int("SESSION_ABSOLUTE_HOURS", default=12)
SESSION_COOKIE_AGE = int(timedelta(hours=SESSION_ABSOLUTE_HOURS).total_seconds())
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# "__Host-" cookies need HTTPS; the port keeps two local installations from sharing a login.
SESSION_COOKIE_NAME = "__Host-prometheus" if IS_HTTPS else f"prometheus-{PUBLIC_PORT}"
CSRF_COOKIE_NAME = "__Host-prometheus-csrf" if IS_HTTPS else f"prometheus-csrf-{PUBLIC_PORT}"
# smtp+tls://user:password@host:587. Without it no mail is sent: printed, a reset link would lie in a log.
globals().update(env.email_url("EMAIL_URL", default="dummymail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Prometheus <prometheus@localhost>")

# --- The API ----------------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "prometheus_site.api.authentication.TokenAuthentication",
        "prometheus_site.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["prometheus_site.api.renderers.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["prometheus_site.api.renderers.JsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "prometheus_site.api.renderers.JsonNegotiation",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "prometheus_site.api.errors.answer_error",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Prometheus API",
    "VERSION": "1",
    "DESCRIPTION": "What the pages do, for programs: the same services, permissions and limits.",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "POSTPROCESSING_HOOKS": ["prometheus_site.api.schema.add_refusals"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "COMPONENT_SPLIT_REQUEST": True,  # what is sent and what is answered are shown apart
}

# --- Streams: requests that stay open, answered by another process ----------------------------------------
# On the host that the page came from. Behind a proxy that passes /streams/ on to that port, STREAMS_URL is
# the site's own address, such as https://labels.example.org.
STREAMS_PORT = env.int("STREAMS_PORT", default=PUBLIC_PORT + 1)
STREAMS_URL = env.str("STREAMS_URL", default="").rstrip("/")

# --- What the browser may do ------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

# --- Files ------------------------------------------------------------------------------------------------
UPLOAD_LIMIT_BYTES = 32 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["datasets_app.importing.upload_handler.MemoryOnlyUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_LIMIT_BYTES  # above it, ASGI would spool to the disk in clear
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "prometheus_site.core.static_files.HashedFiles"},
}
WHITENOISE_MANIFEST_STRICT = True

# --- Language, time, logs ---------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LOGGING = logging_settings(level=env.str("LOG_LEVEL", default="INFO"))
TEST_RUNNER = "django.test.runner.DiscoverRunner"
SILENCED_SYSTEM_CHECKS: list[str] = []
