"""Sessions in Django's table, asked for only by keys that it can hold (settings.SESSION_ENGINE)."""

from django.contrib.sessions.backends import db

MIN_KEY_LENGTH = 8  # as in Django


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        """Keys are letters and digits. PostgreSQL fails at a NUL, which a quoted cookie can spell.

        Django's own check, whose name is private, takes anything long enough; tests watch over it.
        """
        if key is None or len(key) < MIN_KEY_LENGTH:
            return False
        return key.isascii() and key.isalnum()
