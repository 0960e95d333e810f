"""Models from elsewhere: what can be pulled, how it is fetched and verified, what it becomes.

Nothing here loads torch but the modules that make a version out of what was fetched
(`vision.pulling.making` and below), so that the web process may read the catalogue.
"""
