"""How good search is: which photos are right answers (`judging`), measured without a database
(`measuring`: `manage.py evaluate cutoff|keywords|alike`), and as the product runs.

For the latter, `manage.py evaluate search|ablation`, captioned photos become the `library` of
somebody who remembers more than what is on a photo: `given` says when and where each was taken,
with what, in which album, what a sign on it says. `questions` asks for them in many ways and knows
by captions and labels how right each photo is. `asking` asks the search that the product runs.
"""
