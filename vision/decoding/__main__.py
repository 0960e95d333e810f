"""`python -m vision.decoding FILE…`: what an upload would say of each file, one JSON line each."""

import dataclasses
import json
import sys

from vision.decoding import DecoderPool, UnreadableImage


def main(paths: list[str]) -> int:
    refused = 0
    with DecoderPool(1) as pool:
        for path in paths:
            try:
                found = dataclasses.asdict(pool.inspect(path))
            except UnreadableImage as error:
                found = {"code": error.code, "message": error.message}
                refused += 1
            sys.stdout.write(json.dumps({"path": path, **found}, default=str) + "\n")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
