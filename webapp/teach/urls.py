from django.urls import path

from webapp.teach.corrections import views
from webapp.teach.taught import views as taught

app_name = "teach"
urlpatterns = [
    path("photos/tags", views.tags, name="tags"),
    path("photos/<int:photo_id>/tags", views.tag, name="tag"),
    path("photos/<int:photo_id>/caption", views.caption, name="caption"),
    path("corrections/<uuid:act>/undo", views.undo, name="undo"),
    path("teach/", taught.overview, name="taught_list"),
    path("teach/new", taught.begin, name="taught_begin"),
    path("teach/<int:taught_id>/", taught.page, name="taught"),
    path("teach/<int:taught_id>/examples", taught.examples, name="taught_examples"),
    path("teach/<int:taught_id>/answer", taught.answer, name="taught_answer"),
    path("teach/<int:taught_id>/undo/<uuid:act>", taught.take_back, name="taught_undo"),
    path("teach/<int:taught_id>/switch", taught.switch, name="taught_switch"),
    path("teach/<int:taught_id>/rename", taught.rename, name="taught_rename"),
    path("teach/<int:taught_id>/delete", taught.delete, name="taught_delete"),
    path("teach/<int:taught_id>/restore", taught.restore, name="taught_restore"),
]
