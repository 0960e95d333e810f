"""Fit what search believes (`manage.py fit_search`): lines for known words (`words`), the weights
of the cut-off (`cutoff`), and those of searches by example (`alike`).

Only photos of training splits are used. Their embeddings know the captions that were learned with
them, so a caption's own photo is left out when the cut-off is fitted; other photos that show the
same are what it learns from. What a line says of the photos that it was fitted to is too good to be
true: the cut-off learns from lines that were fitted to the other half of the photos.
"""
