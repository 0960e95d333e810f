"""Words that tell nothing of a photo, by language; a list because captions are of few words.

No caption ends in one of `UNFINAL`. The telling words of a caption are all but `FUNCTION_WORDS`.
"""

_EN_UNFINAL = """
a an the and or but of in on at with by for from to into onto over under behind between through near
against around along across is are was were be being has have his her its their while as that which
who whose some very two three front next wearing holding other another several many
"""
_EN_REST = "it he she they them him there this these those one out up down off not it's"
_DE_UNFINAL = """
ein eine einen einem einer eines der die das den dem des und oder aber von vom in im ins an am auf
mit bei beim für aus zu zum zur über unter hinter zwischen durch nahe gegen um entlang neben vor
nach ist sind war waren hat haben wird werden sein seine seinen seinem seiner ihr ihre ihren ihrem
ihrer während als dass welche welcher deren dessen zwei drei mehrere viele einige andere
anderen sehr
"""
_DE_REST = "es er sie ihn ihm sich dort hier dieser diese dieses man nicht auch so da wie etwas"
_TELLING = {"two", "three", "wearing", "holding", "zwei", "drei"}

UNFINAL = {"en": frozenset(_EN_UNFINAL.split()), "de": frozenset(_DE_UNFINAL.split())}
FUNCTION_WORDS = {
    "en": (UNFINAL["en"] | set(_EN_REST.split())) - _TELLING,
    "de": (UNFINAL["de"] | set(_DE_REST.split())) - _TELLING,
}
