"""Every address of Marea. Each app has its own; programs speak to /api/v1/."""

from django.contrib import admin
from django.urls import include, path

from webapp.api import api
from webapp.health import healthz

urlpatterns = [
    path("", include("webapp.library.urls")),
    path("", include("webapp.find.urls")),
    path("", include("webapp.teach.urls")),
    path("account/", include("webapp.accounts.urls")),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
]
