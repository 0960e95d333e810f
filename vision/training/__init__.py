"""How a version is made: `run` trains its parts in a `workshop` and `publish` writes the folder.

One room for each part, entered by its `part.py`: `embedding`, `captions`, `tags`; `distillation`
makes another backbone, `owned` teaches a version what its owner said, and `distributed` lets
several processes train together. Beside them is what more than one room needs.
"""
