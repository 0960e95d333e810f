from django.contrib.auth.views import LogoutView
from django.urls import path

from webapp.accounts import people, views

app_name = "accounts"
urlpatterns = [
    path("", views.home, name="home"),
    path("set-up/", views.set_up, name="set_up"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("password/", views.password, name="password"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<int:token_id>/revoke", views.revoke_token, name="revoke_token"),
    path("people/", people.users, name="users"),
    path("people/add/", people.add_user, name="add_user"),
    path("people/<int:user_id>/password", people.user_password, name="user_password"),
    path("people/<int:user_id>/deactivate", people.deactivate_user, name="deactivate_user"),
    path("people/<int:user_id>/reactivate", people.reactivate_user, name="reactivate_user"),
]
