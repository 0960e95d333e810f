"""Reading text in photos: pixels in, lines of text out. No torch; ONNX Runtime and OpenCV.

This module alone may be loaded by the web process: it knows the engine's name and nothing more.
"""

# What read a text, and with which networks; another engine reads every photo anew.
ENGINE = "rapidocr-3.10.0 PP-OCRv6-small"
