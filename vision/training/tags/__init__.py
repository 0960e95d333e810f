"""The tag head: three witnesses for each word, weighed, and how sure is sure enough."""
