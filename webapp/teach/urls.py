from django.urls import path

from webapp.teach import views

app_name = "teach"
urlpatterns = [
    path("photos/tags", views.tags, name="tags"),
    path("photos/<int:photo_id>/tags", views.tag, name="tag"),
    path("photos/<int:photo_id>/caption", views.caption, name="caption"),
    path("corrections/<uuid:act>/undo", views.undo, name="undo"),
]
