"""Small files that an upload must survive, each with what must become of it.

`tests.hostile.make.hostile_files()` draws them; nothing is read from disk or network.
"""
