from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from dp_assets.core.model_keys import Key, Words, allowed_at, known_keys, nearest_key, words_for

Share = Annotated[float, Field(ge=0, le=1)]


class Inner(BaseModel):
    threads: int = Field(2, ge=1, description="How many.")
    shares: Mapping[str, Share] = {}


class Outer(BaseModel):
    name: str = Field("x", alias="title")
    inner: Inner


def test_keys_are_listed_by_their_name_in_the_file():
    assert list(known_keys(Outer)) == [
        Key(("title",), "a text", "x", ""),
        Key(("inner", "threads"), "a whole number from 1", 2, "How many."),
        Key(("inner", "shares"), "names, each with a number from 0 to 1", {}, ""),
    ]


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (bool, "true or false"),
        (date, "a date (YYYY-MM-DD)"),
        (Literal["a", "b"], "one of a, b"),
        (Annotated[int, Field(gt=0, lt=9)], "a whole number above 0 below 9"),
        (Annotated[Annotated[str, Words("a size")], Field(min_length=1)], "a size"),
        (str | None, "a text"),
        (Mapping[Literal["a", "b"], int], "names out of a, b, each with a whole number"),
    ],
)
def test_types_in_words(annotation, words):
    assert words_for(annotation).text == words


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        (("title",), "a text"),
        (("inner",), "a section with the keys threads, shares"),
        (("inner", "shares", "any"), "a number from 0 to 1"),
        (("inner", "shares", "any", "[key]"), "a text"),
    ],
)
def test_what_a_key_allows(key, allowed):
    assert allowed_at(Outer, key).text == allowed


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        (("titel",), "title"),
        (("inner", "thread"), "inner.threads"),
        (("thread",), "inner.threads"),
        (("inner", "titel"), "title"),
        (("nothing_like_it",), None),
        (("unknown", "titel"), "title"),
    ],
)
def test_the_nearest_key_is_looked_for_in_its_section_first(key, nearest):
    assert nearest_key(Outer, key) == nearest
