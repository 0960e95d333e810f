from django.urls import URLPattern, path

from webapp.examples import views

app_name = "examples"
urlpatterns: list[URLPattern] = [
    path("search/pictures", views.take, name="take"),
    path("search/pictures/<str:example>", views.picture, name="picture"),
]
