"""Failures that a person is told about.

    UserError               the request cannot be answered as it stands (400)
    ├── SignInNeeded        nobody we know is asking (401)
    ├── Forbidden           they may not do this (403)
    ├── NotFound            no such thing for this user (404)
    ├── Refused             a file or value that we do not take (422)
    ├── TooLarge            beyond a limit (413)
    ├── Conflict            the thing is no longer as the request assumes (409)
    ├── Unavailable         a part of the server is not at work (503)
    └── NoSpace             the server's disk is full (507)

Each carries a short `code` for programs and a full sentence for people. One place turns them into
answers: `webapp.responses`.
"""


class UserError(Exception):
    """Something the user can understand and act upon."""

    status = 400
    code = "bad_request"

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.field = field


class SignInNeeded(UserError):
    status = 401
    code = "sign_in_needed"


class Forbidden(UserError):
    status = 403
    code = "forbidden"


class NotFound(UserError):
    status = 404
    code = "not_found"


class Refused(UserError):
    status = 422
    code = "refused"


class TooLarge(UserError):
    status = 413
    code = "too_large"


class Conflict(UserError):
    status = 409
    code = "conflict"


class Unavailable(UserError):
    status = 503
    code = "unavailable"


class NoSpace(UserError):
    status = 507
    code = "no_space"
