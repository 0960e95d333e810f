from django.urls import URLPattern, path

from webapp.find import views
from webapp.find.history import views as history

app_name = "find"
urlpatterns: list[URLPattern] = [
    path("search/", views.find_page, name="page"),
    path("search/completions", views.completions, name="completions"),
    path("photos/<int:photo_id>/similar/", views.similar, name="similar"),
    path("search/not-this", history.not_this, name="not_this"),
    path("account/searches/", history.history, name="history"),
    path("account/searches/keep", history.choose, name="choose_history"),
    path("account/searches/erase", history.erase, name="erase_history"),
]
