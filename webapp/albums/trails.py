"""Photo pages walk along the album that they were opened from."""

from django.urls import reverse

from webapp.accounts.models import User
from webapp.albums.models import Album
from webapp.albums.services import photos_in
from webapp.library.models import Photo
from webapp.library.services.timeline import neighbours
from webapp.library.trails import Trail


def album_trail(user: User, photo: Photo, album: Album) -> Trail:
    return Trail(
        back_url=f"{reverse('albums:album', args=[album.pk])}#photo-{photo.pk}",
        back_label=album.name,
        neighbours=neighbours(photos_in(user, album), photo),
        query=f"?album={album.pk}",
    )
