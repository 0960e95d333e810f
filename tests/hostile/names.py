"""File names that an upload must survive: shown as text, and never used as a path.

Each works or is refused with a plain message, and is sent back in a safe Content-Disposition.
"""

PATHS = (
    "../../outside.jpg",
    "..\\..\\outside.jpg",
    "/etc/outside.jpg",
    "C:\\temp\\outside.jpg",
    "\\\\host\\share\\outside.jpg",
    "....//....//outside.jpg",
    "%2e%2e%2foutside.jpg",
    "folder/inside.jpg",
    "..",
    ".",
    "",
)
LENGTHS = ("a" * 251 + ".jpg", "b" * 496 + ".jpg", "ü" * 200 + ".jpg", "c" * 4000 + ".jpg")
CONTROL = (
    "nul\0byte.jpg",
    "line\nbreak.jpg",
    "header\r\nSet-Cookie: a=b.jpg",
    "tab\tname.jpg",
    "bell\a\x1b[31m.jpg",
    "photo\u202egpj.exe",
    "\u200bzero\u200dwidth\ufeff.jpg",
    "\ud800.jpg",  # a lone surrogate: JSON can carry it, UTF-8 cannot
)
SCRIPTS = (
    "😀👨‍👩‍👧.jpg",
    "caf\u00e9.jpg",
    "cafe\u0301.jpg",
    "фото 日本語 صورة.jpg",
)
CODE = (
    "<script>alert(1)</script>.jpg",
    '"><img src=x onerror=alert(1)>.jpg',
    "';alert(1);'.jpg",
    "{{7*7}}{% debug %}.jpg",
    "'; DROP TABLE photo;--.jpg",
    "$(touch x).jpg",
    "`id`.jpg",
    "=cmd()|A1.jpg",
    "%s%n%d.jpg",
)
SYSTEMS = (
    "-rf.jpg",
    "--help",
    ".hidden.jpg",
    ".htaccess",
    "trailing dot.jpg.",
    " spaces .jpg ",
    "CON.jpg",
    "nul",
    "name:stream.jpg",
    "photo.jpg.exe",
    "photo.php.jpg",
    "photo",
    ".jpg",
)

HOSTILE_NAMES = (*PATHS, *LENGTHS, *CONTROL, *SCRIPTS, *CODE, *SYSTEMS)
