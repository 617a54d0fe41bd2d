"""What the two people of the demo write: an example, in English as the names of the two are."""

NOTE = "Hello, fediverse! This note is on my own server. #introduction"
EDITED = "Hello, fediverse! This note is on my own server, and I can mend it later. #introduction"
REGRET = "I should not have written this one."
REPLY = "Welcome! I read this on my server, and my answer is on yours now."
ANSWER = "And mine hangs below yours. So a thread grows over two servers."
PICTURE = "The hills behind my house this evening."
ALT = "A dark green hill before an orange evening sky"
TITLE = "What a blog in the fediverse is"
ARTICLE = """A blog has **long texts**, with headings, tables and code, at an address that stays.

## People follow it

They do so from whatever server they are on, and see it beside the notes of their friends.

| | blog | microblog |
|---|---|---|
| length | long | short |
| answers | below the text | below the note |

## It is a file, too

```python
def greet(name: str) -> str:
    return f"Hello, {name}!"
```

> Answers from elsewhere appear below the article as comments[^1].

[^1]: This is a footnote.
"""
