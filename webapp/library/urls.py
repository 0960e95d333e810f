from django.urls import URLPattern, path

from webapp.library.views import bulk, files, photo, processing, timeline, trash, upload, zipping

app_name = "library"
urlpatterns: list[URLPattern] = [
    path("", timeline.library_page, name="page"),
    path("photos/months", timeline.months, name="months"),
    path("photos/tiles", timeline.tiles, name="tiles"),
    path("photos/bulk/<str:action>", bulk.bulk, name="bulk"),
    path("photos/zip", zipping.zip_download, name="zip"),
    path("photos/<int:photo_id>/", photo.photo_page, name="photo"),
    path("photos/<int:photo_id>/original", files.original, name="original"),
    path("photos/<int:photo_id>/thumbnail/<str:size>", files.thumbnail, name="thumbnail"),
    path("trash/", trash.trash_page, name="trash"),
    path("trash/empty", trash.empty, name="empty_trash"),
    path("upload/", upload.upload_page, name="upload"),
    path("upload/known", upload.known, name="upload_known"),
    path("upload/files", upload.upload_files, name="upload_files"),
    path("upload/files/<slug:key>", upload.upload_file, name="upload_file"),
    path("processing/", processing.processing_page, name="processing"),
    path("processing/failures", processing.failures, name="processing_failures"),
    path("processing/retry", processing.retry, name="processing_retry"),
]
