"""What every template may use: `{% load marea %}`."""

from functools import lru_cache

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from search.query import Condition, Field
from webapp.library.models import Photo
from webapp.teach.words import Words, alternative_text

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=256)  # a page of results has some hundred
def icon(name: str) -> SafeString:
    """An icon of `webapp/static/img/icons.svg`; decoration only, so name the button itself."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def alternative(photo: Photo) -> Words:
    """What a photo that comes from `with_words` shows, for those who cannot see it."""
    return alternative_text(photo)


@register.simple_tag
def max_zip_photos() -> int:
    return settings.MAREA_MAX_ZIP_PHOTOS


@register.simple_tag
def search_url(query: str) -> str:
    """The search page's address for this query."""
    return f"{reverse('find:page')}?{urlencode({'q': query})}"


@register.simple_tag
def tag_url(name: str) -> str:
    """Where the photos with this tag are found."""
    return search_url(str(Condition(Field.TAG, name)))


@register.simple_tag
def words_url(words: str) -> str:
    """Where the photos are found that have exactly these words in one of their texts."""
    return search_url(str(Condition(Field.WORDS, words)))


@register.simple_tag
def place_url(name: str) -> str:
    """Where the photos of this town, region or country are found."""
    return search_url(str(Condition(Field.PLACE, name)))
