"""HTML of which pages are put together: posts, comments, buttons, avatars, links, paging; and `render`."""
