from django.urls import URLPattern, path

from webapp.find import views

app_name = "find"
urlpatterns: list[URLPattern] = [
    path("search/", views.find_page, name="page"),
    path("photos/<int:photo_id>/similar/", views.similar, name="similar"),
]
