"""What the search page may be asked."""

from django import forms

# Beyond it lies nothing: see `services.CANDIDATES`; conditions alone may have more photos.
MAX_OFFSET = 1_000_000


class FindForm(forms.Form):
    """Where in the results to begin, and whether those beyond the cut-off are wanted too.

    The query itself is no field: any text is one.
    """

    offset = forms.IntegerField(required=False, min_value=0, max_value=MAX_OFFSET)
    more = forms.BooleanField(required=False)
