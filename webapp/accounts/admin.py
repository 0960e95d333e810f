"""Accounts in Django's admin. Photos, tags and tokens stay out of it: they are private."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from webapp.accounts.models import User

admin.site.unregister(Group)
admin.site.site_header = admin.site.site_title = "Marea"


@admin.register(User)
class AccountAdmin(UserAdmin):
    """Nobody is deleted here: that would take photos along and leave their files behind."""

    list_display = ("username", "is_superuser", "is_active", "last_login")
    list_filter = ("is_superuser", "is_active")
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("What they may do", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False
