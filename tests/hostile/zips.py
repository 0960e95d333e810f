"""Two hundred ZIPs that nobody should send, made when they are needed.

Each is an honest ZIP of two classes with five photos each, and one thing that is wrong with it.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from tests.hostile.not_photos import not_photos
from tests.hostile.zip_writer import (
    DEFLATED,
    ENCRYPTED,
    UTF8,
    Ending,
    Entry,
    a_zip,
    deflated,
    end64,
)
from tests.patterns import a_pattern

PHOTOS = 5
ANY = "any"  # refused or taken: only that it does not break, and leaves nothing
DAMAGED, NOT_A_ZIP, FEW = "damaged_zip", "not_a_zip", "too_few_photos"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileZip:
    """`refused` is the code of the refusal; else it becomes a data set with these `labels`, and
    something is left out of it with the words of `left_out`."""

    name: str
    data: bytes
    refused: str = ""
    labels: tuple[str, ...] = ("cat", "dog")
    left_out: str = ""


@cache
def photo(number: int, kind: str = "dots") -> bytes:
    return a_pattern(kind, number, size=32)


def honest(classes: Sequence[bytes] = (b"cat", b"dog"), photos: int = PHOTOS) -> list[Entry]:
    return [
        Entry(name=name + b"/%d.jpg" % number, data=photo(number + 50 * place))
        for place, name in enumerate(classes)
        for number in range(photos)
    ]


def hostile_zips() -> list[HostileZip]:
    groups = (_paths, _modes, _locked, _bombs, _contents, _structure, _flipped, _labels, _litter)
    return [each for group in groups for each in group()]


def _beside(name: str, entry: Entry, left_out: str, **expected: str) -> HostileZip:
    """The honest members, and one more."""
    return HostileZip(name=name, data=a_zip([*honest(), entry]), left_out=left_out, **expected)


LEADS_OUT = (
    b"../x.jpg",
    b"../../../../../../tmp/x.jpg",
    b"cat/../../x.jpg",
    b"cat/../../../etc/cron.d/x.jpg",
    b"cat/..",
    b"..",
    b"./../x.jpg",
    b"..\\x.jpg",
    b"..\\..\\windows\\x.jpg",
    b"cat\\..\\..\\x.jpg",
    b"cat/..\\..\\x.jpg",
    b"/x.jpg",
    b"/etc/passwd.jpg",
    b"//host/share/x.jpg",
    b"\\x.jpg",
    b"\\\\host\\share\\x.jpg",
    b"\\\\?\\C:\\x.jpg",
    b"C:\\x.jpg",
    b"c:/x.jpg",
    b"Z:/cat/x.jpg",
    b"file:///etc/x.jpg",
    b"cat/dog/../../../x.jpg",
)
ODD_NAMES = (
    b"~/x.jpg",
    b"~root/x.jpg",
    b"$HOME/x.jpg",
    b"cat/$(touch x).jpg",
    b"cat/`id`.jpg",
    b"cat/|id.jpg",
    b"cat/%2e%2e%2fx.jpg",
    b"cat/....//....//x.jpg",
    b"cat/x.jpg\n",
    b"cat/\r\nSet-Cookie: a=b.jpg",
    b"cat/\x1b[31m.jpg",
    b"cat/" + b"a" * 300 + b".jpg",
    b"cat/" + b"/".join([b"deep"] * 200) + b"/x.jpg",
    b"cat/" + b"a" * 65_000,
    b"cat//x.jpg",
    b"cat/./x.jpg",
    b"cat/CON.jpg",
    b"cat/x.jpg:stream",
    b"cat/<script>alert(1)</script>.jpg",
    b"cat/{{7*7}}.jpg",
    "cat/\u202egpj.exe".encode(),
    b"cat/nul\0byte.jpg",
)


def _paths() -> Iterator[HostileZip]:
    new = photo(900)
    for number, name in enumerate(LEADS_OUT):
        yield _beside(f"leads_out_{number}", Entry(name=name, data=new), "leads out of the ZIP")
    for number, name in enumerate(ODD_NAMES):
        yield _beside(f"odd_name_{number}", Entry(name=name, data=new), "")
    not_utf8 = (b"cat/\xff\xfe.jpg", b"\xc0\xae\xc0\xae/x.jpg", b"\xed\xa0\x80/x")
    for number, name in enumerate(not_utf8):
        yield HostileZip(
            name=f"not_utf8_{number}",
            data=a_zip([*honest(), Entry(name=name, data=new)]),
            refused=DAMAGED,
        )
    yield _beside("codepage", Entry(name=b"\x81\x82/x.jpg", data=new, flags=0), "")


def _modes() -> Iterator[HostileZip]:
    kinds = {
        "link": (0o120777, b"/etc/passwd"),
        "link_up": (0o120777, b"../../../data"),
        "link_photo": (0o120777, photo(901)),
        "device_block": (0o060666, photo(901)),
        "device_char": (0o020666, photo(901)),
        "pipe": (0o010666, photo(901)),
        "socket": (0o140666, photo(901)),
        "folder": (0o040755, photo(901)),
        "unknown": (0o150666, photo(901)),
    }
    for name, (mode, data) in kinds.items():
        entry = Entry(name=b"cat/new.jpg", data=data, mode=mode)
        yield _beside(name, entry, "a link or a device")
    yield _beside("setuid", Entry(name=b"cat/new.jpg", data=photo(901), mode=0o104755), "")
    link = Entry(name=b"cat", data=b"/tmp", mode=0o120777)
    yield HostileZip(
        name="link_then_file", data=a_zip([link, *honest()]), left_out="a link or a device"
    )


def _locked() -> Iterator[HostileZip]:
    for number, flags in enumerate((ENCRYPTED, ENCRYPTED | 0x40, ENCRYPTED | 0x2000)):
        entry = Entry(name=b"cat/new.jpg", data=photo(902), flags=UTF8 | flags)
        yield _beside(f"encrypted_{number}", entry, "encrypted")
    for method in (1, 6, 9, 12, 14, 19, 93, 95, 97, 98, 99, 65535):
        entry = Entry(name=b"cat/new.jpg", data=photo(902), method=method, packed=b"\0" * 64)
        yield _beside(f"method_{method}", entry, "packed in an unusual way")
    everything = [
        Entry(name=each.name, data=each.data, flags=UTF8 | ENCRYPTED) for each in honest()
    ]
    yield HostileZip(name="all_encrypted", data=a_zip(everything), refused="one_class")


def _bombs() -> Iterator[HostileZip]:
    much = b"BM" + b"\0" * 20_000_000
    packed = deflated(much)
    yield _beside(
        "ratio", Entry(name=b"cat/new.bmp", data=much, method=DEFLATED), "a hundred times its size"
    )
    small = Entry(name=b"cat/new.bmp", data=much, packed=packed, method=DEFLATED, claims=900_000)
    yield _beside("claims_less", small, "damaged")
    for size in (201 << 20, 2**31, 2**32 - 2):
        entry = Entry(name=b"cat/new.jpg", data=photo(903), claims=size)
        yield _beside(f"claims_{size}", entry, "larger than a photo")
    for size in (2**40, 2**63, 2**64 - 1):
        wide = struct.pack("<2HQ", 1, 8, size)
        entry = Entry(name=b"cat/new.jpg", data=photo(903), claims=2**32 - 1, extra=wide)
        yield _beside(f"claims_wide_{size}", entry, "larger than a photo")
    inner = a_zip([Entry(name=b"cat/new.bmp", data=much, method=DEFLATED)])
    for name in (b"cat/inner.zip", b"cat/inner.jpg", b"dog/42.zip"):
        yield _beside(f"nested_{name.decode()[-8:]}", Entry(name=name, data=inner), "ZIP archive")
    for copies in (2, 50, 1000):
        same = [Entry(name=b"cat/%d.bmp" % n, data=photo(903), offset=0) for n in range(copies)]
        yield HostileZip(
            name=f"overlap_{copies}", data=a_zip([*honest(), *same]), refused="zip_bomb"
        )
    inside = Entry(name=b"cat/in.jpg", data=photo(903), offset=40)
    yield HostileZip(name="overlap_inside", data=a_zip([*honest(), inside]), refused="zip_bomb")
    beyond = Entry(name=b"cat/far.jpg", data=photo(903), offset=2**31)
    yield HostileZip(name="beyond", data=a_zip([*honest(), beyond]), refused=DAMAGED)
    yield from _many()


def _many() -> Iterator[HostileZip]:
    plain = a_zip(honest())
    at = plain.rindex(b"PK\5\6")
    for count in (200_001, 2**40, 2**64 - 1):
        wide = end64(count=count, length=500, offset=0, at=at)
        data = plain[:at] + wide + plain[at:]
        yield HostileZip(name=f"many_{count}", data=data, refused="too_many_members")
    for length in (65 << 20, 2**32 - 1):
        data = a_zip(honest(), Ending(length=length))
        yield HostileZip(name=f"directory_{length}", data=data, refused="too_many_members")
    more = [Entry(name=b"c/%d" % number, offset=0) for number in range(200_001)]
    told = a_zip(more, Ending(count=10))
    yield HostileZip(name="many_told_10", data=told, refused="too_many_members")
    twice = told[:-18] + b"PK\5\6" + told[-14:]  # an end within the end, with other figures
    yield HostileZip(name="many_two_ends", data=twice, refused="too_many_members")
    empty = [Entry(name=b"cat/%d" % number) for number in range(30_000)]
    yield HostileZip(
        name="thirty_thousand_empty", data=a_zip([*honest(), *empty]), left_out="empty (0 bytes)"
    )


def _contents() -> Iterator[HostileZip]:
    for file in not_photos():
        if file.data and file.refused:
            entry = Entry(name=b"cat/" + file.name.encode(), data=file.data)
            yield _beside(f"member_{file.name}", entry, ".")
    yield _beside("member_empty", Entry(name=b"cat/new.jpg"), "empty (0 bytes)")
    code = b"\x80\x04\x95\x17\0\0\0\0\0\0\0\x8c\x02os\x8c\x06system\x93\x8c\x06touch x\x85R."
    yield _beside("member_pickle", Entry(name=b"cat/weights.pkl", data=code), "not a photo")
    yield _beside("member_elf", Entry(name=b"cat/a.jpg", data=b"\x7fELF" + code), "not a photo")
    half = photo(904)
    yield _beside("member_cut", Entry(name=b"cat/new.jpg", data=half[: len(half) // 2]), "cut off")
    for number, crc in enumerate((0, 1, 0xFFFFFFFF)):
        entry = Entry(name=b"cat/new.jpg", data=half, crc=crc)
        yield _beside(f"member_crc_{number}", entry, "damaged")
    broken = Entry(name=b"cat/new.jpg", data=half, method=DEFLATED, packed=b"\xff" * 200)
    yield _beside("member_deflate", broken, "damaged")
    short = Entry(name=b"cat/new.jpg", data=half, method=DEFLATED, packed=deflated(half)[:100])
    yield _beside("member_deflate_cut", short, "damaged")
    other = Entry(name=b"cat/new.jpg", local_name=b"../../other.jpg", data=half)
    yield _beside("member_two_names", other, "damaged")
    for index, name in enumerate((b"README.txt", b"new.jpg", b"labels.csv")):
        yield _beside(f"outside_{index}", Entry(name=name, data=half), "in no folder of a class")


def _structure() -> Iterator[HostileZip]:
    plain = a_zip(honest())
    for part in range(1, 16):
        yield HostileZip(
            name=f"cut_{part}", data=plain[: len(plain) * part // 16], refused=NOT_A_ZIP
        )
    for cut in (1, 10, 21):
        yield HostileZip(name=f"cut_end_{cut}", data=plain[:-cut], refused=ANY)
    no_zips = {
        "nothing": b"",
        "one_byte": b"P",
        "text": b"Dear diary,\n" * 500,
        "photo": photo(905),
        "rar": b"Rar!\x1a\x07\x01\0" + b"\0" * 500,
        "seven": b"7z\xbc\xaf\x27\x1c" + b"\0" * 500,
        "tar": b"cat/1.jpg".ljust(257, b"\0") + b"ustar\0" + b"\0" * 2000,
        "gzip": b"\x1f\x8b\x08" + b"\0" * 500,
        "zeros": b"\0" * 100_000,
    }
    for name, data in no_zips.items():
        yield HostileZip(name=f"is_{name}", data=data, refused=NOT_A_ZIP)
    yield HostileZip(name="no_members", data=a_zip([]), refused="one_class")
    for number, ending in enumerate(
        (
            Ending(offset=2**31),
            Ending(length=1),
            Ending(disk=7),
            Ending(count=0),
            Ending(before=b"\0" * 50),
        )
    ):
        yield HostileZip(name=f"ending_{number}", data=a_zip(honest(), ending), refused=ANY)
    yield HostileZip(name="comment", data=a_zip(honest(), Ending(comment=b"x" * 65535)))
    fake = Ending(comment=b"PK\5\6" + b"\xff" * 18)
    yield HostileZip(name="end_in_comment", data=a_zip(honest(), fake), refused=ANY)
    yield HostileZip(name="program_before", data=b"MZ" + b"\0" * 4000 + plain)
    yield HostileZip(name="much_after", data=plain + b"\0" * 100_000, refused=NOT_A_ZIP)


def _flipped() -> Iterator[HostileZip]:
    """One byte of the directory is another one: whatever comes of it, it is told."""
    plain = a_zip(honest())
    start = plain.index(b"PK\1\2")
    for number in range(24):
        at = start + number * (len(plain) - start) // 24
        data = plain[:at] + bytes([plain[at] ^ 0xFF]) + plain[at + 1 :]
        yield HostileZip(name=f"flipped_{number}", data=data, refused=ANY)


def _labels() -> Iterator[HostileZip]:
    def of(name: str, classes: Sequence[str], *labels: str, left_out: str = "") -> HostileZip:
        data = a_zip(honest([each.encode("utf-8", "surrogatepass") for each in classes]))
        return HostileZip(name=name, data=data, labels=labels, left_out=left_out)

    yield HostileZip(name="one_class", data=a_zip(honest([b"cat"])), refused="one_class")
    yield HostileZip(name="no_folders", data=a_zip(_flat()), refused="one_class")
    yield HostileZip(name="ten_thousand_classes", data=_classes(10_000), refused="too_many_classes")
    yield HostileZip(name="few_photos", data=a_zip(honest(photos=4)), refused=FEW)
    yield HostileZip(name="same_photo_everywhere", data=_same_photo(), refused=FEW)
    yield of("capitals", ["Cat", "DOG"], "cat", "dog")
    yield of("rtl", ["\u202ecat", "קטן", "كلب"], "cat", "קטן", "كلب")
    yield of("emoji", ["👨‍👩‍👧", "🐱", "🐶"], "👨‍👩‍👧", "🐱", "🐶")
    yield of("scripts", ["岩石", "скала", "หิน"], "岩石", "скала", "หิน")
    yield of("control", ["c\x01a\x02t", "d\nog"], "c a t", "d og")
    yield of("invisible", ["\u200bcat\ufeff", "dog"], "cat", "dog")
    yield of("nfd", ["cafe\u0301", "dog"], "café", "dog")
    yield of("markup", ["<script>alert(1)<", "<img src=x onerror=y>"], "<img src=x onerror=y>",
             "<script>alert(1)<")  # fmt: skip
    yield of("template", ["{{7*7}}", "{% debug %}"], "{% debug %}", "{{7*7}}")
    yield of("sql", ["'; DROP TABLE x;--", "1 OR 1=1"], "'; drop table x;--", "1 or 1=1")
    yield of("csv", ["=cmd()", "@SUM(A1)"], "=cmd()", "@sum(a1)")
    yield of("words_of_programs", ["None", "null", "true"], "none", "null", "true")
    yield of("query_words", ["tag:cat", "-dog"], "-dog", "tag:cat")
    yield of("reserved", ["CON", "NUL"], "con", "nul")
    yield of("quotes", ['"cat"', "d'og"], '"cat"', "d'og")
    yield of("underscores", ["red_cat", "big_dog"], "big dog", "red cat")
    yield of("long", ["cat", "dog", "x" * 81], "cat", "dog", left_out="no name that could be a tag")
    yield of("blank", ["cat", "dog", " "], "cat", "dog", left_out="no name that could be a tag")
    yield of("nothing", ["cat", "dog", "\u200b"], "cat", "dog", left_out="no name that could be")
    yield of("merged", ["cat", "CAT", "Cat ", "dog"], "cat", "dog")
    yield of("sides", ["train/cat", "train/dog", "test/cat", "test/dog"], "cat", "dog")
    yield of("wrapped", ["a/b/cat", "a/b/dog"], "cat", "dog")
    yield of("deep", ["cat/a/b", "dog/c"], "cat", "dog")
    yield HostileZip(name="same_names", data=a_zip([*honest(), *honest()]), labels=("cat", "dog"))


def _flat() -> list[Entry]:
    return [Entry(name=b"%d.jpg" % number, data=photo(number)) for number in range(10)]


def _classes(count: int) -> bytes:
    return a_zip([Entry(name=b"class%d/1.jpg" % n, data=b"\xff\xd8") for n in range(count)])


def _same_photo() -> bytes:
    names = [f"{label}/{number}.jpg" for label in ("cat", "dog") for number in range(9)]
    return a_zip([Entry(name=name.encode(), data=photo(1)) for name in names])


def _litter() -> Iterator[HostileZip]:
    names = (
        b"__MACOSX/cat/._1.jpg",
        b"__MACOSX/._cat",
        b"cat/.DS_Store",
        b"cat/._1.jpg",
        b"cat/Thumbs.db",
        b"desktop.ini",
        b".git/config",
        b"cat/.hidden/1.jpg",
    )
    for number, name in enumerate(names):
        yield _beside(f"litter_{number}", Entry(name=name, data=b"\0\5\x16\7junk"), "")
    everything = [Entry(name=name, data=b"junk") for name in names]
    yield HostileZip(name="only_litter", data=a_zip(everything), refused="one_class")
