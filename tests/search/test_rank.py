"""The fused order, its reasons and its cut-off."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from search import cutoff, signals
from search.known import nothing_known
from search.query import Query, parse
from search.rank import Hit, Signal, rank
from search.texts import Document, Texts, row_of, texts_of
from search.words import content_words
from tests.search.index_machine import unit_vectors
from tests.search.test_query import TODAY

QUERY = Query("frog")
scores = st.dictionaries(st.integers(0, 30), st.floats(-10, 10))


def opinion(name: str, given_scores: dict[int, float]) -> Signal:
    return Signal(name, given_scores, lambda photo_id: f"{name} of {photo_id}")


def test_a_tag_finds_what_the_embedding_overlooks() -> None:
    likeness = opinion("embedding", {1: 2.0, 2: 1.5, 3: -0.5})
    texts = [Texts(1), Texts(2), Texts(3, tags=(("tree", "frog"),))]

    hits = rank(QUERY, [likeness, *signals.of_words(content_words("frogs"), texts)], 10)

    assert hits[0].photo_id == 3
    assert hits[0].reasons[0] == "tagged frog"


def test_reasons_say_what_was_found_in_the_text_s_own_words() -> None:
    texts = [Texts(7, caption=("two", "dogs", "run"), name=("rome", "dog", "beach"))]
    words = content_words("running dog in Rome at night")

    (hit,) = rank(QUERY, signals.of_words(words, texts), 10)

    assert hit.reasons == (
        "file name has ‘dog’ and ‘rome’",
        "caption says ‘run’ and ‘dogs’",
    )


def test_read_text_place_and_albums_say_so_as_people_wrote_them() -> None:
    document = Document(
        7, [], "", "", read="Grand\nHotel Roma\n★★★", place=["Rome", "Italy"], albums=["Italy 2019"]
    )
    row = row_of(document)
    texts = [texts_of(7, row.texts, row.shown)]

    (hit,) = rank(QUERY, signals.of_words(content_words("hotel roma in italy"), texts), 10)

    assert set(hit.reasons) == {
        "text in photo: ‘Hotel Roma’",
        "taken in Italy",
        "in album ‘Italy 2019’",
    }


def test_a_word_that_many_places_share_does_not_mean_one_of_them() -> None:
    row = row_of(Document(7, [], "", "", place=["New York"]))
    texts = [texts_of(7, row.texts, row.shown)]

    def ranked(query: str) -> list[Hit]:
        return rank(QUERY, signals.of_words(content_words(query), texts), 10)

    assert ranked("new shoes") == []
    for query in ("york", "new york"):
        assert ranked(query)[0].reasons == ("taken in New York",)


def test_reasons_are_worded_only_for_hits_that_are_shown() -> None:
    worded: list[int] = []

    def reason(photo_id: int) -> str:
        worded.append(photo_id)
        return "looks like it"

    hits = rank(QUERY, [Signal("embedding", {n: float(n) for n in range(1, 501)}, reason)], 500)

    assert [hit.reasons for hit in hits[:2]] == [("looks like it",)] * 2
    assert worded == [500, 499]


@given(scores, scores, st.integers(1, 40))
def test_the_order_is_one_of_probabilities_and_always_the_same(
    some: dict[int, float], others: dict[int, float], k: int
) -> None:
    opinions = [opinion("a", some), opinion("b", others)]

    hits = rank(QUERY, opinions, k)

    assert [hit.photo_id for hit in hits] == [
        hit.photo_id for hit in rank(QUERY, [*reversed(opinions)], k)
    ]
    assert len(hits) == min(k, len(some | others))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(0 <= hit.score <= 1 for hit in hits)


def test_the_cutoff_follows_the_library_not_the_score() -> None:
    """The same cosine is relevant where it stands out, and is not where everything has it."""
    query, *others = unit_vectors(401, seed=1, dim=64)
    photo = 0.5 * query + np.sqrt(0.75) * orthogonal(others[0], query)
    alike = np.stack([0.5 * query + np.sqrt(0.75) * orthogonal(other, query) for other in others])

    apart = background(np.stack(others)).evidence(query, photo[None])
    among = background(alike).evidence(query, photo[None])

    assert apart[0] > among[0] + 1


def test_an_empty_library_has_a_background_too() -> None:
    nothing = np.zeros((0, 64), np.float32)
    query = unit_vectors(1, seed=2, dim=64)[0]

    assert background(nothing).evidence(query, nothing).shape == (0,)
    assert background(nothing).evidence(query, nothing, content_words("a frog")).shape == (0,)


def background(sample: np.ndarray) -> cutoff.Background:
    return cutoff.Background(sample, unit_vectors(50, seed=2, dim=64), nothing_known(64))


def test_confident_hits_are_those_before_the_cutoff() -> None:
    assert cutoff.confident([Hit(1, 0.9, ()), Hit(2, 0.8, ()), Hit(3, 0.01, ())]) == 2
    assert cutoff.confident([]) == 0


def test_conditions_alone_give_their_reasons() -> None:
    from search.explain import satisfied

    query = parse('tag:dog -tag:cat 2019 before:2020-06 "hot dog" camera:eos is:favourite', TODAY)

    assert satisfied(query) == (
        "tagged dog",
        "taken before 2020-06-01",
        "has the words ‘hot dog’",
        "taken with eos",
        "a favourite",
        "taken from 2019-01-01 to 2019-12-31",
    )


def orthogonal(vector: np.ndarray, to: np.ndarray) -> np.ndarray:
    """The part of `vector` at right angles `to` a unit vector, of unit length."""
    rest = vector - (vector @ to) * to
    return rest / np.linalg.norm(rest)
