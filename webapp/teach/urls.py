from django.urls import path

from webapp.teach import views

app_name = "teach"
urlpatterns = [
    path("photos/<int:photo_id>/tags", views.tag, name="tag"),
    path("photos/<int:photo_id>/caption", views.caption, name="caption"),
]
