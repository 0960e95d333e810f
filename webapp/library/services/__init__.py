"""What can be done with photos. Views, the API, commands and workers all come through here."""
