from django.urls import path

from webapp.teach import taught_views, views

app_name = "teach"
urlpatterns = [
    path("photos/tags", views.tags, name="tags"),
    path("photos/<int:photo_id>/tags", views.tag, name="tag"),
    path("photos/<int:photo_id>/caption", views.caption, name="caption"),
    path("corrections/<uuid:act>/undo", views.undo, name="undo"),
    path("teach/", taught_views.overview, name="taught_list"),
    path("teach/new", taught_views.begin, name="taught_begin"),
    path("teach/<int:taught_id>/", taught_views.page, name="taught"),
    path("teach/<int:taught_id>/examples", taught_views.examples, name="taught_examples"),
    path("teach/<int:taught_id>/answer", taught_views.answer, name="taught_answer"),
    path("teach/<int:taught_id>/undo/<uuid:act>", taught_views.take_back, name="taught_undo"),
    path("teach/<int:taught_id>/switch", taught_views.switch, name="taught_switch"),
    path("teach/<int:taught_id>/rename", taught_views.rename, name="taught_rename"),
    path("teach/<int:taught_id>/delete", taught_views.delete, name="taught_delete"),
    path("teach/<int:taught_id>/restore", taught_views.restore, name="taught_restore"),
]
