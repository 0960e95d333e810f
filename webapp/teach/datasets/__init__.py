"""Photos with a class each, from a ZIP or a folder to a data set that never changes.

Everything in them is somebody else's: names are hostile text, members may be anything. Photos are
opened by the decoding processes only, and nothing is ever written under a name from an archive.
"""
