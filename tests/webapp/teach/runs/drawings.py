"""Photos that trainings of these tests learn from."""

import io

from PIL import Image

from tests.factories import a_photo, a_sight
from tests.vision.folders import draw
from webapp.accounts.models import User
from webapp.library.models import Photo


def a_drawing(owner: User, number: int) -> Photo:
    """What `draw` makes of `number`, looked at."""
    content = io.BytesIO()
    Image.fromarray(draw(number)).save(content, "PNG")
    photo = a_photo(owner, data=content.getvalue(), media_type="image/png", with_thumbnails=False)
    a_sight(photo)
    return photo
