"""The relevance test set: `manage.py evaluate search|ablation`.

Captioned photos become the library of somebody who remembers more than what is on a photo:
`given` says when and where each was taken, with what, in which album, what a sign on it says.
`questions` asks for them in many ways and knows by captions and labels how right each photo is.
`asking` asks the search that the product runs.
"""
