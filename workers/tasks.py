"""Tasks: each takes a signal, finds its work in the database and does it.

All of them may come twice, come late or be lost.
"""

from collections.abc import Sequence

from celery.worker import state
from django.conf import settings

from webapp.find.ranker import learning
from webapp.library.models import Photo
from webapp.library.services import claims, thumbnails
from webapp.teach.job_models import ModelJob
from webapp.teach.switching import retention
from webapp.teach.taught import using
from workers import heating, housekeeping, idling, looking, modelling, queue, reading, stacking
from workers.app import app

PLACES_TIME_S = 5  # at each sweep, so that nothing else waits for long
LOOK_TIME_S = 60  # a task ends well before Redis would deliver its signal again


def shutting_down() -> bool:
    """Whether this worker was asked to stop."""
    return state.should_stop not in (None, False) or state.should_terminate not in (None, False)


@app.task
def look_at_photos() -> None:
    """Look at photos that wait; if time is up before they are done, another signal goes on."""
    queue.arrived(queue.LOOK)
    idling.wake()
    looking.look(seconds=LOOK_TIME_S, stopping=shutting_down)
    if Photo.objects.claimable().exists():
        queue.there_is_work()
    else:
        idling.rest()
        if settings.MAREA_OCR:
            queue.texts_wait()


@app.task
def read_texts() -> None:
    """Read the text in photos that were looked at; the first look at others comes before."""
    queue.arrived(queue.READ_TEXTS)
    if not settings.MAREA_OCR:
        return
    idling.wake()
    if reading.read_texts(seconds=LOOK_TIME_S, stopping=shutting_down):
        queue.texts_wait()
    else:
        idling.rest()


@app.task
def remake_thumbnails(photo_ids: Sequence[int]) -> None:
    """Make the thumbnails that these photos lack. What cannot be read is left as it is."""
    thumbnails.remake_thumbnails(Photo.objects.filter(pk__in=photo_ids))


@app.task
def draw_heat_maps() -> None:
    """Draw the heat maps that people wait for; lost signals are sent again by who waits."""
    queue.arrived(queue.DRAW_HEAT_MAPS)
    idling.wake()
    heating.draw_heat_maps(seconds=LOOK_TIME_S, stopping=shutting_down)
    idling.rest()


@app.task
def embed_examples() -> None:
    """Look at the pictures that people search by; lost signals are sent again by who waits."""
    queue.arrived(queue.EMBED_EXAMPLES)
    idling.wake()
    looking.look_at_pictures()
    idling.rest()


@app.task
def build_index() -> None:
    """Make a new index base from the database."""
    queue.arrived(queue.BUILD_INDEX)
    housekeeping.build_index()


@app.task
def stack_photos() -> None:
    """Bring stacks up to date; if time is up before they are, the sweeper sends another signal."""
    queue.arrived(queue.STACK_PHOTOS)
    stacking.follow(seconds=LOOK_TIME_S, stopping=shutting_down)


@app.task
def tell_taught_tags() -> None:
    """Tag libraries by what their owners taught; the sweeper sends another signal if time is up."""
    queue.arrived(queue.TELL_TAUGHT_TAGS)
    using.follow(seconds=LOOK_TIME_S, stopping=shutting_down)


@app.task
def let_go_of_versions() -> None:
    """Let go of model versions by the rule; `tidy` does what is lost."""
    queue.arrived(queue.LET_GO_OF_VERSIONS)
    retention.tidy()


@app.task
def work_on_models() -> None:
    """Pull, adopt or activate what administrators asked for."""
    queue.arrived(queue.WORK_ON_MODELS)
    modelling.work(stopping=shutting_down)


@app.task
def sweep() -> None:
    """Send again what signals may have been lost."""
    claims.set_aside_exhausted()
    if Photo.objects.claimable().exists():
        queue.there_is_work()
    if housekeeping.index_is_behind():
        queue.build_index()
    if stacking.is_behind():
        queue.stacks_are_behind()
    if using.is_behind():
        queue.taught_tags_wait()
    if ModelJob.objects.claimable().exists():
        queue.models_wait()
    if settings.MAREA_OCR and reading.some_wait():
        queue.texts_wait()
    housekeeping.find_places(seconds=PLACES_TIME_S)


@app.task
def tidy() -> None:
    """Remove what has served its time."""
    housekeeping.tidy()


@app.task
def learn_ranking() -> None:
    """Learn from what people did with results, where there is much that is new."""
    learning.learn_ranking(even_if_known=False)
