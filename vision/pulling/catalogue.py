"""What can be pulled, from where, and the SHA-256 that each file must have. Torch-free.

Revisions are commits, so that an address always means the same bytes. Hashes were taken from public
records of these very revisions, the weights' from two that are independent of each other. Of the
official Inception-v3 nobody publishes more than the eight digits in its name, which is also all
that torchvision checks; what was fetched first is then remembered (`vision.pulling.pins`).
"""

from dataclasses import dataclass

HUB = "https://huggingface.co"
TORCH = "https://download.pytorch.org"
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file: `path` below `host`; `sha256` whole, or the first digits of it.

    `size_bytes` is what it must have, or, when `at_most`, more than it can have.
    """

    name: str
    host: str
    path: str
    sha256: str
    size_bytes: int
    at_most: bool = False

    @property
    def is_pickle(self) -> bool:
        return not self.name.endswith((".safetensors", ".json"))


@dataclass(frozen=True, slots=True)
class Pullable:
    """A model that `models pull` knows. `maker` names what turns its files into a version.

    `gives` are the parts that it brings itself; a version needs heads for the others.
    """

    name: str
    title: str
    about: str
    licence: str
    maker: str
    gives: tuple[str, ...]
    files: tuple[RemoteFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def needs_adopting(self) -> bool:
        """Whether it comes without heads and waits for `models adopt`."""
        return self.gives == ("backbone",)


def _on_hub(repository: str, revision: str, *files: tuple[str, str, int]) -> tuple[RemoteFile, ...]:
    return tuple(
        RemoteFile(name, HUB, f"{repository}/resolve/{revision}/{name}", sha256, size)
        for name, sha256, size in files
    )


CATALOGUE = {
    each.name: each
    for each in (
        Pullable(
            name="inception-v3",
            title="Inception-v3",
            about="Official ImageNet weights as torchvision gives them; its heads are then fitted "
            "to your own photos (adopt).",
            licence="BSD-3-Clause",
            maker="inception-v3",
            gives=("backbone",),
            files=(
                RemoteFile(
                    "inception_v3_google-0cc3c7bd.pth",
                    TORCH,
                    "models/inception_v3_google-0cc3c7bd.pth",
                    "0cc3c7bd",
                    120 * MEGABYTE,
                    at_most=True,
                ),
            ),
        ),
        Pullable(
            name="clip-vit-b-32",
            title="CLIP ViT-B/32",
            about="OpenAI's joint embedding of photos and English texts.",
            licence="MIT",
            maker="clip",
            gives=("embedding", "text"),
            files=_on_hub(
                "openai/clip-vit-base-patch32",
                "b33cedfd0df4e43b8238760678fcc89e1a0d38b3",
                (
                    "config.json",
                    "b575ef3c36f2a057fa19e221650105052d61cc9c1a972ec15019c6261ec98770",
                    4_186,
                ),
                (
                    "tokenizer.json",
                    "b556ac8c99757ffb677208af34bc8c6721572114111a6e0aaf5fa69ff0b8d842",
                    2_224_041,
                ),
                (
                    "model.safetensors",
                    "99d28a652e6ec46629ab7047a0ac82c69b1fe11e0ce672c43af65d3a9a3fc05d",
                    605_157_884,
                ),
            ),
        ),
        Pullable(
            name="siglip2-base",
            title="SigLIP 2 (base)",
            about="Google's joint embedding of photos and texts in many languages.",
            licence="Apache-2.0",
            maker="siglip",
            gives=("embedding", "text"),
            files=_on_hub(
                "google/siglip2-base-patch16-224",
                "75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2",
                (
                    "config.json",
                    "fe8b5fe6d5734360678fd71c11c21e1ea3364bd8598d34295d9206335973ffd7",
                    253,
                ),
                (
                    "tokenizer.json",
                    "cb9140fae3ac5122c972d37adf83e1248471a38147ad76f8215c8872c6fd8322",
                    34_363_039,
                ),
                (
                    "model.safetensors",
                    "612923381c76ec5a9bed335d1c48827e3f2e506ac31b044b63b2031fadee6a0b",
                    1_500_800_904,
                ),
            ),
        ),
        Pullable(
            name="blip-base",
            title="BLIP (base)",
            about="Salesforce's captioner; one English caption a photo.",
            licence="BSD-3-Clause",
            maker="blip",
            gives=("captions",),
            files=_on_hub(
                "Salesforce/blip-image-captioning-base",
                "82a37760796d32b1411fe092ab5d4e227313294b",
                (
                    "config.json",
                    "f7846f82f4e2c4a2ccbab9ae8b0e44873540a271a76a1288effd078180c13a82",
                    4_563,
                ),
                (
                    "tokenizer.json",
                    "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
                    711_396,
                ),
                (
                    "pytorch_model.bin",
                    "d6638651a5526cc2ede56f2b5104d6851b0755816d220e5e046870430180c767",
                    989_820_849,
                ),
            ),
        ),
    )
}
