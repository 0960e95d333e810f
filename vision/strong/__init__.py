"""Stronger models that are pulled where there is a network, through `transformers`.

Each is a head that brings a network of its own and looks at the photos themselves
(`Features.pixels`). `transformers` is an optional extra (`requirements-strong.txt`) and is loaded
only when such a head is.
"""
