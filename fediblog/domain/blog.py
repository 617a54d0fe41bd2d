"""The blog as visitors see it: its name, menu, pictures and look, as the owner chose them."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

LOOKS: Final = ("catalogue", "broadsheet", "index-card", "studio", "reading-room", "quiet")
"""The first is the one that pages have without a style sheet of their own."""
TILED: Final = frozenset({"studio"})
"""Looks that list articles as large pictures."""
TITLE_LIMIT: Final = 200
TAGLINE_LIMIT: Final = 400
"""Characters of both."""
CSS_LIMIT: Final = 50_000
"""Characters of an owner's own style sheet."""
MENU_LIMIT: Final = 12
"""Items of the menu."""
PLACES: Final = {
    **{"articles": "/?show=articles", "notes": "/?show=notes", "archive": "/archive", "about": "/about"},
    **{"categories": "/categories", "tags": "/tags"},
}
"""Places that a menu names in the language of who looks, and where they are."""

CRAWLERS: Final = ("", "allow", "deny")
"""Whether those are let in who collect texts for training: as the settings say, or what the owner chose."""


class MenuItem(Struct, frozen=True):
    """One item of the menu. `target` is one of PLACES or an address; `label` may be empty for one of PLACES."""

    target: str
    label: str = ""


DEFAULT_MENU: Final = tuple(MenuItem(place) for place in ("articles", "notes", "archive", "about"))


class Blog(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the owner decides about the blog while it runs; pictures are names of files in the media folder."""

    title: str = ""  # of the settings, or the host, if empty
    tagline: str = ""
    menu: tuple[MenuItem, ...] = DEFAULT_MENU
    look: str = LOOKS[0]
    accent: str = ""  # "#rrggbb"; that of the look if empty
    css: str = ""  # for public pages
    icon: str = ""
    logo: str = ""
    header: str = ""
    time_zone: str = ""  # of days and times on pages: a name of the IANA database; UTC if empty
    ai_crawlers: str = ""  # allow or deny; as the settings say if empty
    websub_hub: str = ""  # its address; that of the settings if empty

    @property
    def pictures(self) -> tuple[str, ...]:
        """The names of all its pictures."""
        return tuple(name for name in (self.icon, self.logo, self.header) if name)
