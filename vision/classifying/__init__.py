"""A classifier for somebody's own problem: photos with a class each, in; a part of a version, out.

The backbone that serves is not touched, its features are read: `looking` keeps what it sees in the
photos of a snapshot, `sides` says who learns from which, `fitting` trains small networks on that,
`blocks` the layers above the backbone's grid as well, `thresholds` decides when one may speak,
`figures` says how good it is, and `training` does it all. Loads torch.
"""
