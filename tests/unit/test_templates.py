"""Templates: found in the checkout, strict about what is put into them."""

from __future__ import annotations

from pathlib import Path

import pytest

from putlive.adapters.templates import render, template_folder
from putlive.errors import SettingsError

NAME = "srs/srs.conf.j2"


def test_the_templates_of_the_checkout_are_found() -> None:
    assert template_folder(NAME) == Path(__file__).parents[2] / "templates"


def test_a_template_that_is_not_there_is_an_error_that_says_where_it_was_looked_for() -> None:
    with pytest.raises(SettingsError, match="share/putlive/templates"):
        render("srs/nothing.j2")


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(SettingsError, match="A value is missing"):
        render(NAME, listen=["127.0.0.1:1935"])


def test_all_bad_values_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        render(NAME, pid="a;b", listen=["fine", "not\nfine"], api_port=1)
    assert [p.where for p in error.value.problems] == ["pid", "listen"]


def test_only_plain_values_are_taken() -> None:
    with pytest.raises(TypeError, match="pid: object"):
        render(NAME, pid=object())
