"""The generated pages under docs/ are as the code says now."""

from __future__ import annotations

from pathlib import Path

from putlive.api.reference import text as api_reference
from putlive.settings_file import reference

DOCS = Path(__file__).parent.parent / "docs"


def test_the_configuration_page_is_current() -> None:
    renew = "from putlive.settings_file import reference; print(reference(), end='')"
    assert (DOCS / "configuration.md").read_text(encoding="utf-8") == reference(), (
        f'renew it: python -c "{renew}" > docs/configuration.md'
    )


def test_the_api_page_is_current() -> None:
    renew = "from putlive.api.reference import text; print(text(), end='')"
    assert (DOCS / "api.md").read_text(encoding="utf-8") == api_reference(), (
        f'renew it: python -c "{renew}" > docs/api.md'
    )
