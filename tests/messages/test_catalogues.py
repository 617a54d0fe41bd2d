"""The catalogues: whole in every language, read as Babel reads them, and nothing that people read stands elsewhere."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
from collections.abc import Iterator

import pytest
from babel.messages.pofile import read_po

from fediblog.messages import ENGLISH, LANGUAGES, catalogue, catalogues, known, read, text


def test_every_catalogue_is_whole() -> None:
    """No key is missing, stale or asked for by nobody; values and plurals are those of English; months are CLDR's."""
    assert catalogues.problems() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_read_as_babel_reads_it(language: str) -> None:
    with catalogues.path(language).open("rb") as file:
        theirs = read_po(file)
    ours = catalogue(language)
    said = {each.id if isinstance(each.id, str) else each.id[0]: each.string for each in theirs if each.id}
    assert dict(ours.messages) == said
    assert theirs.plural_expr.strip("()") in catalogues.path(language).read_text()
    assert not any(each.fuzzy for each in theirs if each.id)


def test_messages_have_plural_forms() -> None:
    assert text(ENGLISH, "post.likes", n=1) == "1 person likes this"
    assert text(ENGLISH, "post.likes", n=12) == "12 people like this"
    assert text(ENGLISH, "post.likes", n=0) == "0 people like this"
    assert known("flash.edited")
    assert not known("flash.nonsense")
    with pytest.raises(KeyError):
        text(ENGLISH, "no.such.key")


def test_what_a_catalogue_may_hold() -> None:
    found = read(
        [
            *('msgid ""', 'msgstr ""', '"Plural-Forms: nplurals=3; plural=n%10==1 ? 0 : n==2 ? 1 : 2;\\n"', ""),
            *("#. a comment", 'msgid "a.key"', 'msgstr "one \\"word\\"\\n"', '"and more"', ""),
            *('msgid "a.long-"', '"key"', 'msgstr ""', '"ä"', ""),
            *('msgid "a.plural"', 'msgid_plural "a.plural"', 'msgstr[0] "x"', 'msgstr[1] "y"', 'msgstr[2] "z"', ""),
            *('#~ msgid "a.stale"', '#~ msgstr "w"'),
        ]
    )
    assert found.messages == {"a.key": 'one "word"\nand more', "a.long-key": "ä", "a.plural": ("x", "y", "z")}
    assert [found.plural(n) for n in (1, 2, 3, 21)] == [0, 1, 2, 0]


# Two words beside each other, of which the second begins small: "{} minutes", "the server answered"; and sentences.
_PROSE = re.compile(
    r"(?<![\w.:/=<-])(?:{}|[A-Za-z]?[a-z]{2,})[,;:]? [a-z]{2,}(?![\w.:/=(-])|[A-Z][^\n]*[a-z}] [^\n]*[.!?]\s*"
)
_NO_PROSE = re.compile(  # SQL, and code that is written here; lists of names; headers, patterns, findings
    r"(?i:\b(?:select|insert or|insert into|update|delete from|where|order by|group by|join|union|limit|values|escape"
    r"|else|return|is none|analyze|alter|create|begin|commit|savepoint|rollback|release|set constraints|precision)\b)"
    r"|substr\(|^0 as |^ and not {"
    r"|[<>]|=[^a-z]|:[a-z]|{} and {|\) or|or not {|^[a-z_]+(, [a-z_]+)+(, )?$|^(?=.*_)[a-z_ ]+$"
    r"|[a-z]: (?:{|[a-z]+, )|'self'|all and \(|\[0-9\]|^\*\*\*"
)
_IN_PAGE = re.compile(r">([^<>]+)<|(?:title|alt|aria-label|placeholder)=\"([^\"]+)\"")
# What is no interface for people, or speaks English because it is for those who run the server, and why.
_ELSEWHERE = {
    "cli/demo_texts.py": "what two people write for an example",
    "prepare/relation_csv.py": "headings of files that programs read",
    "markup/clean.py": "names of elements and attributes",
    "messages/catalogues.py": "a command for those who write code",
    "web/ai_crawlers.py": "names of programs",
    "counters.py": "the help of metrics (OpenMetrics)",
    "web/metrics.py": "likewise, and what its reader, a program, is told",
    "federation/federation_manual.py": "a page of the documentation",
    "mastodon/api_manual.py": "likewise",
    "mastodon/streaming/streams.py": "notes for that page",
}
_CALLS = {
    **dict.fromkeys(("TypeError", "ValueError", "RuntimeError", "Conflict"), "a bug"),
    "OSError": "in the words of the system",
    "event": "a line of the log, which is English",
    "names": "a list of names",
}
_TOKENS = {
    "nothing is left",
    "4.5.0 (compatible; fediblog {})",
    "known device\n{}\n{}\n{}",
}  # what programs read, or read once
_WORDS = {
    "sea",
    "Atom",
    "RSS",
    "JSON Feed",
    "(Atom)",
    "(RSS)",
    "(JSON Feed)",
    "https://… /tags/…",
    "99+",
    "@name@example.org",
    "example.org",
    "social.example",
}  # names of formats and examples


def _sentences(node: ast.AST) -> Iterator[tuple[int, str]]:
    """What looks like words for people in code, but for docstrings, notes in the table of the API, and `_CALLS`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.keyword | ast.Assign) and _is_note(child):
            continue
        if isinstance(child, ast.Call) and _name(child.func) in _CALLS:
            continue
        if isinstance(child, ast.FunctionDef) and child.name == "__repr__":
            continue
        said = _said(child)
        if said not in _TOKENS and _PROSE.search(said) and not _NO_PROSE.search(said):
            yield getattr(child, "lineno", 0), said
        if isinstance(child, ast.JoinedStr):
            yield from _sentences(ast.Tuple([each for each in child.values if isinstance(each, ast.FormattedValue)]))
        else:
            yield from _sentences(child)


def _name(called: ast.expr) -> str:
    return called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""


def _said(node: ast.AST) -> str:
    """A text that stands there, with {} for what is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_note(node: ast.keyword | ast.Assign) -> bool:
    """Whether it is for the documentation."""
    if isinstance(node, ast.keyword):
        return node.arg in ("note", "examples")  # of the API; of the command line, which are commands
    return all(isinstance(each, ast.Name) and each.id == "_NOTE" for each in node.targets)


def _messages(node: ast.AST) -> Iterator[tuple[int, str]]:
    """What is given as an error in JSON, however short."""
    for each in ast.walk(node):
        if isinstance(each, ast.Dict):
            for key, value in zip(each.keys, each.values, strict=True):
                named = isinstance(key, ast.Constant) and key.value in ("error", "error_description", "message")
                if named and isinstance(value, ast.Constant | ast.JoinedStr) and " " in ast.unparse(value):
                    yield value.lineno, ast.unparse(value)


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("refuse(tx, 'this server is blocked here')", True),
        ("error = f'the server answered {status}'", True),
        ("f'{minutes} minutes'", True),
        ("note(f\"{host}: {'two days' if late else ''}\")", True),
        ("raise Unavailable('busy', detail='the engine is closed')", True),
        ("Response('Try again later.')", True),
        ("raise ValueError('expected true or false')", False),
        ("tx.run('update delivery set state = :state where id in (:ids)')", False),
        ("log.event('disk-full', advice='make room at once')", False),
        ("text(language, 'error.later')", False),
    ],
)
def test_what_is_taken_for_a_sentence(code: str, seen: bool) -> None:
    assert bool(list(_sentences(ast.parse(code)))) is seen


def test_the_command_line_prints_no_word_of_its_own() -> None:
    """However short."""
    found = []
    for path in sorted((catalogues.ROOT / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in ("say", "print", "error", "getpass"):
                said = " ".join(map(_said, node.args)).replace("fediblog", "")
                found += [f"{path.name}: {said}"] if re.search(r"(?<![/\w])[A-Za-z]?[a-z]{2,}", said) else []
    assert found == []


def test_what_argparse_says_by_itself_is_in_the_catalogues() -> None:
    """As it says it, or it would not be found there."""
    own = inspect.getsource(argparse)
    said = [message for key, message in catalogue(ENGLISH).messages.items() if key.startswith("argparse.")]
    assert [each for each in said if f"_({each!r})" not in own] == []


def test_no_sentence_for_people_stands_outside_the_catalogues() -> None:
    found = []
    for path in sorted(catalogues.ROOT.rglob("*.py")):
        name = path.relative_to(catalogues.ROOT).as_posix()
        if not name.startswith(tuple(_ELSEWHERE)):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found += [f"{name}:{line} {said}" for look in (_sentences, _messages) for line, said in look(tree)]
    assert found == []


def test_no_word_for_people_stands_in_a_template() -> None:
    """Neither in the page nor as a text in code of the template, nor in a script."""
    found = []
    for path in sorted(catalogues.ROOT.rglob("*.js")):
        literals = re.findall(r"\"([^\"]*)\"|`([^`]*)`", re.sub(r"(?<!:)//.*", "", path.read_text(encoding="utf-8")))
        found += [f"{path.name}: {each}" for pair in literals for each in pair if _PROSE.search(each)]
    for path in sorted(catalogues.ROOT.rglob("*.html")):
        source = re.sub(r"{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        code = " ".join(re.findall(r"{%.*?%}|{{.*?}}", source, re.DOTALL))
        literals = ["".join(each) for each in re.findall(r"\"([^\"]*)\"|'([^']*)'", code)]
        found += [f"{path.name}: {each}" for each in literals if _PROSE.search(each)]
        page = re.sub(r"{%.*?%}|{{.*?}}", "", source, flags=re.DOTALL)
        words = {(text or attribute).strip() for text, attribute in _IN_PAGE.findall(page)}
        found += [f"{path.name}: {each}" for each in words - _WORDS if re.search("[A-Za-z]{2}", each)]
    assert found == []


@pytest.mark.parametrize(
    ("language", "wrong"),
    [
        ("de", r"”"),
        ("fr", r"[“”]|\w'\w|[ \u00a0][:;?!»](?![\w{])|\w[;?!](?!\w)|(?<![\w:])\w+:( |$)|«(?!\u202f)|(?<!\u202f)»"),
        ("es", r"[“”]|\w'\w| [:;?!»](?![\w{])|« |^[^¿]*\w\?|^[^¡]*\w!"),
    ],
    ids=("de", "fr", "es"),
)
def test_a_language_is_set_as_it_is(language: str, wrong: str) -> None:
    """Its quotation marks, its blanks and marks, and an ellipsis that is one."""
    messages = catalogue(language).messages.items()
    forms = [(key, form) for key, each in messages for form in ((each,) if isinstance(each, str) else each)]
    pairs = "„“" if language == "de" else "«»"
    found = [(key, form) for key, form in forms if re.search(rf"\"|\.\.\.|{wrong}", form)]
    assert found + [(key, form) for key, form in forms if form.count(pairs[0]) != form.count(pairs[1])] == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", ["0 commentaire", "1 commentaire", "2 commentaires", "1000000 de commentaires"]),
        ("es", ["0 comentarios", "1 comentario", "2 comentarios", "1000000 de comentarios"]),
    ],
)
def test_each_language_counts_in_its_own_way(language: str, said: list[str]) -> None:
    assert [text(language, "post.comments", n=n) for n in (0, 1, 2, 1_000_000)] == said
