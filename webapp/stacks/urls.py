from django.urls import URLPattern, path

from webapp.stacks import views

app_name = "stacks"
urlpatterns: list[URLPattern] = [
    path("duplicates/", views.duplicates, name="duplicates"),
    path("duplicates/folding", views.folding, name="folding"),
    path("duplicates/<int:stack_id>", views.sort, name="sort"),
    path("photos/<int:photo_id>/stack", views.photo_stack, name="photo"),
]
