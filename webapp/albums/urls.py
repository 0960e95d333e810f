from django.urls import path

from webapp.albums import views

app_name = "albums"
urlpatterns = [
    path("albums/", views.albums_page, name="list"),
    path("albums/names", views.names, name="names"),
    path("albums/new", views.create, name="create"),
    path("albums/<int:album_id>/", views.album_page, name="album"),
    path("albums/<int:album_id>/rename", views.rename, name="rename"),
    path("albums/<int:album_id>/delete", views.delete, name="delete"),
]
