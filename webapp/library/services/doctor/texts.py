"""Has the text in every photo been read?"""

from collections.abc import Iterator

from django.conf import settings

from webapp.library.services.doctor.findings import Finding, count, note
from webapp.teach.reading import count_waiting
from webapp.teach.text_models import ReadText


def read() -> Iterator[Finding]:
    """What waits is no problem: workers come to it when they have looked at everything."""
    if not settings.MAREA_OCR:
        yield Finding("text", "Reading text in photos is switched off (MAREA_OCR).")
        return
    if waiting := count_waiting():
        yield note(
            "text",
            f"Text is still to be read in {count(waiting, 'photo')}; workers do so once no photo "
            "waits to be looked at.",
        )
    else:
        yield Finding("text", "The text in every photo was read.")
    if given_up := ReadText.objects.set_aside().count():
        yield note("text", f"In {count(given_up, 'photo')} text could not be read.")
