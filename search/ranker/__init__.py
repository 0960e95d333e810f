"""Ranking that learns: one more opinion on the order, from what people did with earlier results.

`features` describes a hit, `network` scores it, `propensity` says how far down people look,
`learning` trains, `judging` decides whether an order is better, `files` keeps what was promoted.
numpy alone; nothing here knows a photo, a word or a person.
"""
