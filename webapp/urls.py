"""Every address of Marea. Each app has its own; programs speak to /api/v1/."""

from django.contrib import admin
from django.urls import include, path

from webapp.api import open_to_programs
from webapp.health import healthz

handler400 = "webapp.responses.bad_request"
handler403 = "webapp.responses.permission_denied"
handler404 = "webapp.responses.page_not_found"
handler500 = "webapp.responses.server_error"

urlpatterns = [
    path("", include("webapp.library.urls")),
    path("", include("webapp.find.urls")),
    path("", include("webapp.examples.urls")),
    path("", include("webapp.stacks.urls")),
    path("", include("webapp.teach.urls")),
    path("", include("webapp.albums.urls")),
    path("account/", include("webapp.accounts.urls")),
    path("api/v1/", open_to_programs()),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
]
