"""The learned order: what it sees of a photo, which ranker is at work, teaching a better one."""
