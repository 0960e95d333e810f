from django.urls import URLPattern

app_name = "find"
urlpatterns: list[URLPattern] = []
