"""The page about settings says what the code reads."""

from django.core.management import call_command

from webapp.environment import DECLARED
from webapp.library.management.commands.docs_settings import page


def test_the_page_about_settings_is_up_to_date() -> None:
    call_command("docs_settings", check=True)


def test_every_setting_has_a_sentence() -> None:
    assert DECLARED
    for setting in DECLARED.values():
        assert setting.help.endswith("."), setting.name
        assert f"| `{setting.name}` |" in page()
