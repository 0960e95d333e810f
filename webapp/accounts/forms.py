"""What people fill in about accounts. Django's forms do the work."""

from typing import Any

from django import forms
from django.contrib.auth.forms import (
    AuthenticationForm,
    BaseUserCreationForm,
    PasswordChangeForm,
    SetPasswordMixin,
    UserCreationForm,
)
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from webapp.accounts.models import ApiToken, Language, User
from webapp.accounts.services import generate_password

NAME_HINT = "Letters, digits and @ . + - _"
CHOOSE_HINT = "At least 8 characters, and not one that many people use."


class PlainForm(forms.BaseForm):
    """Labels without a colon, as on all pages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"label_suffix": ""}))


class ChoosesPassword(SetPasswordMixin):
    """A password typed twice; what is wrong with it is told where it was typed first."""

    first_field = "password1"

    def validate_password_for_user(
        self, user: AbstractBaseUser, password_field_name: str = ""
    ) -> None:
        super().validate_password_for_user(user, self.first_field)


class FirstVisitForm(ChoosesPassword, PlainForm, UserCreationForm):
    """The administrator's name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = NAME_HINT
        self.fields["password1"].help_text = CHOOSE_HINT
        self.fields["password2"].label = "The same password again"
        self.fields["password2"].help_text = ""

    class Meta(BaseUserCreationForm.Meta):
        model = User


class SignInForm(PlainForm, AuthenticationForm):
    """Django's own, in our words."""

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": "Nobody can sign in with this name and password. Capitals matter in both."
    }


class ChangePasswordForm(ChoosesPassword, PlainForm, PasswordChangeForm):
    """The old password and, twice, the new one."""

    first_field = "new_password1"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = "Your password until now"
        self.fields["new_password1"].help_text = CHOOSE_HINT
        self.fields["new_password2"].label = "The new password again"
        self.fields["new_password2"].help_text = ""


class AddUserForm(PlainForm, forms.ModelForm):
    """A further user. Without a password one is made, and shown once."""

    password = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Leave it empty and Marea makes one.",
    )
    is_superuser = forms.BooleanField(
        required=False,
        label="Administrator",
        help_text="May add and deactivate people, and look after the models.",
    )

    class Meta:
        model = User
        fields = ("username",)
        help_texts = {"username": NAME_HINT}

    def clean_username(self) -> str:
        """Names that differ only in case would be taken for each other."""
        username: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise ValidationError("Somebody has this name already. Choose another one.")
        return username

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if password:
            validate_password(password, User(username=self.cleaned_data.get("username", "")))
        return password

    def save(self, commit: bool = True) -> User:
        """The user, with `generated_password` set when nobody chose one."""
        self.generated_password = "" if self.cleaned_data["password"] else generate_password()
        user = super().save(commit=False)
        user.set_password(self.cleaned_data["password"] or self.generated_password)
        user.is_staff = user.is_superuser = self.cleaned_data["is_superuser"]
        user.save()
        return user


class SettingsForm(PlainForm, forms.ModelForm):
    """What a person may choose for themselves."""

    caption_language = forms.ChoiceField(
        choices=Language,
        label="Captions in",
        help_text="Where Marea has none in this language, you see its English one.",
    )

    class Meta:
        model = User
        fields = ("caption_language",)


class TokenForm(PlainForm, forms.ModelForm):
    class Meta:
        model = ApiToken
        fields = ("name", "scope")
        widgets = {"scope": forms.RadioSelect}
        labels = {"scope": "What may it do?"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["placeholder"] = "Backup script on the laptop"
