"""`manage.py evaluate`: what is measured (`measures`), of whom (`subject`), compared with whom
(`gate`), and how the figures reach the docs (`report`, `plots`)."""
