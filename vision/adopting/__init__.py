"""Adopting: a new backbone takes over the heads of the active version, without labels.

Both look at the owner's own photos; linear maps are fitted that turn what the new one sees into
what the heads are used to (pooled features, stride-16 map, class logits, and the grid for
captions). Whatever heads a version has then go on as they are. What the heads say of left-out
photos, before and after, is the measure.
"""
