from django.urls import URLPattern

app_name = "teach"
urlpatterns: list[URLPattern] = []
