"""Rules for the whole tree: size, docstrings, constant SQL, one door to the outside, no words that belong elsewhere.

Nor does anything stand in the program that it does not use itself.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from fediblog.federation.jobs import JOBS
from fediblog.store.queues import job_kinds

ROOT = Path(__file__).parents[1]
EXCUSE = "# long because:"
MAX_LINES = 400
MAX_FUNCTION_LINES = 50

# Written in pieces, so that this file does not hold them.
STRANGE_WORDS = [
    re.escape("/wo" + "rk/"),
    re.escape("/opt/" + "pypi"),
    re.escape("/opt/" + "wheels"),
    r"\bpypi" + r"\.org\b",
    "python" + r"hosted\.org",
    r"\bnpm" + r"js\.(org|com)\b",
    r"\bdeb" + r"\.debian\.org\b",
    r"\bghcr" + r"\.io\b",
    r"\bdocker" + r"\.io\b",
    r"\bC" + r"EO\b",
    r"(?<![\w-])[GW]" + r"-\d{1,2}\b",
]

SQL = re.compile(
    r"\s*(select\b.*\bfrom\b|insert\s+into\b|update\s+\w+\s+set\b|delete\s+from\b|with\s+\w+.*\bas\s*\()", re.S | re.I
)
TX_METHODS = {"all", "one", "run", "many", "each"}
TX_CONSTANTS = {"skip_locked"}  # the engine's own words
# Every table of the schema, by its quoted name.
COMPOSES_SQL = {"fediblog/store/engine/backup.py", "fediblog/store/engine/origin_change.py"}
CONSTANT = re.compile(r"_*[A-Z][A-Z0-9_]*\Z")
OUTSIDE = {"aiohttp", "http.client", "httptools", "httpx", "requests", "urllib.request", "urllib3"}


@cache
def tracked() -> tuple[Path, ...]:
    """Files that are in the project or would be with the next commit."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):  # not a checkout: an unpacked archive
        return tuple(p for part in ("fediblog", "tests", "docs", "deploy") for p in (ROOT / part).rglob("*.*"))
    return tuple(ROOT / name for name in names if name and (ROOT / name).is_file())


def modules(folder: str) -> list[Path]:
    return sorted(path for path in tracked() if path.suffix == ".py" and path.is_relative_to(ROOT / folder))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


@cache
def nodes_of(module: ast.Module) -> tuple[ast.AST, ...]:
    """As `ast.walk`, which takes as long as to parse it."""
    return tuple(ast.walk(module))


@pytest.fixture(scope="module", autouse=True)
def _forget() -> Iterator[None]:
    """Some hundred thousand nodes, which garbage collection would visit until the end of the run."""
    yield
    parsed.cache_clear()
    nodes_of.cache_clear()
    program.cache_clear()


def found(nodes: Callable[[ast.Module], Iterable[ast.AST]], look: Callable[[ast.AST], bool]) -> list[str]:
    """Where a node is that must not be there."""
    hits = {
        (str(path.relative_to(ROOT)), getattr(node, "lineno", 1))
        for path in modules("fediblog")
        for node in nodes(parsed(path))
        if look(node)
    }
    return [f"{name}:{line}" for name, line in sorted(hits)]


def test_no_module_holds_what_belongs_to_a_site() -> None:
    """Tasks, locks and memories are made by `site.keep`, or by what a site holds."""
    owned = {"set", "WeakSet", "WeakKeyDictionary", "WeakValueDictionary", "Memory", "Semaphore", "Lock", "Event"}

    def at_module(tree: ast.Module) -> Iterator[ast.AST]:
        return (node.value for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign) and node.value)

    def is_owned(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in owned

    assert found(at_module, is_owned) == []


def test_no_module_is_long_without_a_reason() -> None:
    texts = {path: path.read_text() for path in modules("fediblog")}
    long = {
        str(p.relative_to(ROOT)): t.count("\n")
        for p, t in texts.items()
        if t.count("\n") > MAX_LINES and EXCUSE not in t
    }
    assert long == {}


def test_no_function_is_long_without_a_reason() -> None:
    long = []
    for path in modules("fediblog"):
        lines = path.read_text().splitlines()
        for node in nodes_of(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                body = lines[node.lineno - 1 : node.end_lineno]
                if len(body) > MAX_FUNCTION_LINES and not any(EXCUSE in line for line in body):
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {len(body)} lines")
    assert long == []


@pytest.mark.parametrize("folder", ["fediblog", "tests"])
def test_every_module_says_what_it_is_for(folder: str) -> None:
    texts = {path: path.read_text() for path in modules(folder)}
    mute = [str(p.relative_to(ROOT)) for p, text in texts.items() if text and not re.match(r'r?"""\S', text)]
    assert mute == []


def is_constant(node: ast.AST) -> bool:
    """A literal, a module's CONSTANT, or several of them put together."""
    match node:
        case ast.Constant():
            return True
        case ast.Attribute(value=ast.Name(id="tx"), attr=name) if name in TX_CONSTANTS:
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return CONSTANT.match(name) is not None
        case ast.JoinedStr(values=values):
            return all(map(is_constant, values))
        case ast.FormattedValue(value=value):
            return is_constant(value)
        case ast.BinOp(left=left, right=right):
            return is_constant(left) and is_constant(right)
        case ast.Tuple(elts=elements):
            return all(map(is_constant, elements))
    return False


def literals(node: ast.AST) -> Iterator[str]:
    """The constant parts of a text that is being put together."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            yield from (text for value in values for text in literals(value))
        case ast.BinOp(left=left, right=right):
            yield from literals(left)
            yield from literals(right)
        case ast.Call(func=ast.Attribute(attr="format", value=value)):
            yield from literals(value)


def is_composed(node: ast.AST) -> bool:
    """Text put together from something that is not constant: an f-string, `%`, `+` or `.format`."""
    match node:
        case ast.JoinedStr() | ast.BinOp(op=ast.Mod() | ast.Add()):
            return any(literals(node)) and not is_constant(node)
        case ast.Call(func=ast.Attribute(attr="format", value=value)):
            return any(literals(value))
    return False


def in_functions(module: ast.Module) -> Iterator[ast.AST]:
    """What runs when it is called. What a module puts together while it is imported cannot hold a stranger's value."""
    for node in nodes_of(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from ast.walk(node)


def is_unsafe_sql(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=method), args=[first, *_]) if method in TX_METHODS and is_composed(first):
            return True
        case ast.JoinedStr() | ast.BinOp() | ast.Call() if is_composed(node):
            return SQL.match("".join(literals(node))) is not None
    return False


def test_no_sql_is_put_together_from_values() -> None:
    hits = found(in_functions, is_unsafe_sql)
    assert [hit for hit in hits if hit.partition(":")[0] not in COMPOSES_SQL] == []


@pytest.mark.parametrize(
    "code",
    [
        'tx.all(f"select a from b where c = {c}")',
        'tx.one("select a from b where c = " + c)',
        'tx.run("delete from a where b = %s" % b)',
        'tx.run("delete from {}".format(b))',
        'sql = f"select a from {table}"',
        'tx.all(f"{COLUMNS} where {extra}")',
    ],
)
def test_put_together_sql_is_noticed(code: str) -> None:
    assert any(map(is_unsafe_sql, ast.walk(ast.parse(code))))


@pytest.mark.parametrize(
    "code",
    [
        'tx.all(f"select {COLUMNS} from post where {visible.TO_VIEWER}", viewer=viewer)',
        'tx.all("select a" + _JOIN + " where b = :b", b=b)',
        "tx.all(sql, ids=ids)",
        'tx.all("select a from b limit :n" f"{tx.skip_locked}")',
        'return_gone = gone + tx.run("delete from a where b = :b", b=b)',
        'name = f"select the {kind} of post"',
        'any(f"{a}" for a in b)',
    ],
)
def test_constant_sql_is_left_in_peace(code: str) -> None:
    assert not any(map(is_unsafe_sql, ast.walk(ast.parse(code))))


def speaks_to_the_outside(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            wanted = {alias.name for alias in names}
        case ast.ImportFrom(module=str(module), names=names, level=0):
            wanted = {module} | {f"{module}.{alias.name}" for alias in names}
        case _:
            return False
    return any(name == door or name.startswith(f"{door}.") for name in wanted for door in OUTSIDE)


def test_only_net_speaks_to_the_outside() -> None:
    assert [place for place in found(nodes_of, speaks_to_the_outside) if not place.startswith("fediblog/net/")] == []


def test_the_project_speaks_of_itself_alone() -> None:
    strange = re.compile("|".join(STRANGE_WORDS))
    hits = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:  # a picture or an archive
            continue
        hits += [f"{path.relative_to(ROOT)}: {hit.group()}" for hit in strange.finditer(text)]
    assert hits == []


def test_one_module_has_a_table_of_statuses() -> None:
    def is_status(node: ast.expr | None) -> bool:
        return isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value in range(400, 600)

    tables = {
        path.name
        for path in modules("fediblog")
        for node in nodes_of(parsed(path))
        if isinstance(node, ast.Dict) and sum(map(is_status, node.values)) > 1
    }
    assert tables == set()


def is_hidden_state(node: ast.AST) -> bool:
    """A memory beside the site: what belongs to one site is made by `Site.keep`, and goes with it."""
    match node:
        case ast.Name(id="WeakKeyDictionary"):
            return True
        case ast.Attribute(
            value=ast.Attribute(value=ast.Name(id="app") | ast.Attribute(attr="app"), attr="state"), attr=name
        ):
            return name != "site"
    return False


def test_what_belongs_to_a_site_is_kept_by_it() -> None:
    assert found(nodes_of, is_hidden_state) == []


def constants(path: Path) -> dict[str, ast.expr]:
    """What a module calls its constants."""
    return {
        target.id: node.value
        for node in parsed(path).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def texts_of(path: Path, node: ast.expr) -> set[str]:
    """The texts that an expression may be: a literal, a constant here or elsewhere, or what runs over several."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.Tuple(elts=elements):
            return {text for element in elements for text in texts_of(path, element)}
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            places = [other for other in modules("fediblog") if other.stem == module and name in constants(other)]
            return texts_of(places[0], constants(places[0])[name]) if len(places) == 1 else set()
        case ast.Name(id=name) if name in constants(path):
            return texts_of(path, constants(path)[name])
        case ast.Name(id=name):
            for other in nodes_of(parsed(path)):
                match other:
                    case ast.comprehension(target=ast.Name(id=bound)) if bound == name:
                        return texts_of(path, other.iter)
                    case ast.ImportFrom(module=str(module), names=names) if name in {alias.name for alias in names}:
                        file = ROOT.joinpath(*module.split(".")).with_suffix(".py")
                        return texts_of(file, constants(file)[name])
    return set()


def test_who_is_notified_listens_and_who_listens_is_notified() -> None:
    notified: set[str] = set()
    heard: set[str] = set()
    unclear = []
    for path in modules("fediblog"):
        for node in nodes_of(parsed(path)):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="tx"), attr="notify"), args=[channel]):
                    found, into = texts_of(path, channel), notified
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="db") | ast.Attribute(attr="db"), attr="listen"),
                    args=[channel, _],
                ):
                    found, into = texts_of(path, channel), heard
                case ast.Assign(targets=[ast.Subscript(value=ast.Attribute(attr="channels"), slice=channel)]):
                    if path.name == "tx.py" and isinstance(channel, ast.Name) and channel.id == "channel":
                        continue  # `Tx.notify` itself
                    found, into = texts_of(path, channel), notified
                case _:
                    continue
            into |= found
            unclear += [] if found else [f"{path.relative_to(ROOT)}:{node.lineno}"]
    assert unclear == []
    assert notified == heard
    assert len(heard) > 3


def sends(node: ast.AST) -> bool:
    """Writes an activity, or puts one into the queue."""
    match node:
        case ast.Name(id="write_activity") | ast.Attribute(attr="write_activity"):
            return True
        case ast.Attribute(value=ast.Name(id="delivery_queue"), attr="emit"):
            return True
    return False


def test_there_is_one_way_out() -> None:
    assert [place for place in found(nodes_of, sends) if not place.startswith("fediblog/outgoing/")] == []


def is_a_job_by_its_text(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="job_queue")), args=[_, ast.Constant(value=str()), *_]):
            return True
    return False


def test_jobs_are_called_by_the_constants_that_name_them() -> None:
    names = [value for name, value in vars(job_kinds).items() if name.isupper() and isinstance(value, str)]
    assert sorted(names) == sorted(JOBS)
    assert found(nodes_of, is_a_job_by_its_text) == []


# What a module of one floor is called, none of another floor is.
SHARED_NAMES = {
    "accounts": "the value in `domain`, the questions asked of its table in `store`",
    "posts": "the value in `domain`, the questions asked of its table in `store`",
}
MOST_IN_A_ROOM = 30


def test_a_module_name_tells_the_floor() -> None:
    floors: dict[str, set[str]] = {}
    for path in modules("fediblog"):
        parts = path.relative_to(ROOT / "fediblog").with_suffix("").parts
        if not parts[-1].startswith("__"):
            floors.setdefault(parts[-1], set()).add(parts[0])
    assert {name for name, where in floors.items() if len(where) > 1} == SHARED_NAMES.keys()


def test_a_class_name_is_that_of_one_class() -> None:
    names = Counter(
        node.name
        for path in modules("fediblog")
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, times in names.items() if times > 1} == set()


def test_no_room_is_crowded() -> None:
    rooms = Counter(path.parent for path in modules("fediblog") if not path.stem.startswith("__"))
    assert {str(room.relative_to(ROOT)): n for room, n in rooms.items() if n > MOST_IN_A_ROOM} == {}


def test_tests_have_the_rooms_of_what_they_test() -> None:
    floors = {path.name for path in (ROOT / "fediblog").iterdir() if path.is_dir()}
    ours = {path.relative_to(ROOT / "fediblog").with_suffix("").parts for path in modules("fediblog")}
    names = {parts[-1]: parts[:-1] for parts in ours}
    lost = [
        str(path.relative_to(ROOT))
        for path in modules("tests")
        if (parts := path.relative_to(ROOT / "tests").parts)[0] in floors
        and (room := names.get(path.stem.removeprefix("test_")))
        and path.stem.startswith("test_")
        and room != parts[:-1]
        and room[0] == parts[0]
    ]
    assert lost == []


def returns_rows(module: ast.Module) -> Iterator[str]:
    """The functions and methods of a module, for others to use, that return rows as the database gave them."""
    bodies = [module.body, *(node.body for node in module.body if isinstance(node, ast.ClassDef))]
    functions = (node for body in bodies for node in body if isinstance(node, ast.FunctionDef))
    for node in functions:
        returned = ast.walk(node.returns) if node.returns is not None and not node.name.startswith("_") else ()
        if any(isinstance(each, ast.Name) and each.id == "Row" for each in returned):
            yield node.name


def test_the_store_gives_values_and_no_rows() -> None:
    engine = ROOT / "fediblog" / "store" / "engine"
    rows = {
        f"{path.stem}.{name}"
        for path in modules("fediblog/store")
        if not path.is_relative_to(engine) and path.name != "tx.py"  # which make them
        for name in returns_rows(parsed(path))
    }
    assert rows == set()


# What nothing uses: no function, class, constant or method stands in the program for tests alone, or for nobody.
Name = tuple[str, str]
"""A module of ours, with its packages, and what it calls something."""

# Each with its reason, and no others.
KEPT = {
    ("fediblog.domain.rules", "may_see"): "the rule of who may see a post; a property test holds the SQL to it",
    ("fediblog.domain.rules", "shown_below"): "the rule of what is shown below a post, in the same way",
    ("fediblog.domain.rules", "is_met_in_lists"): "the rule of who is met in lists, in the same way",
    ("fediblog.store.people.relations", "viewer"): "what the rule is asked with",
    ("fediblog.store.people.access", "take"): "the other half of `give`; what ends with it is decided there",
    ("fediblog.protocol.signatures", "verify"): "whole; the doors ask for its parts, to fetch a key between them",
    ("fediblog.protocol.integrity_proofs", "sign"): "the writer beside the reader: they round-trip",
    ("fediblog.net.transport", "http_client"): "decision 5: for code that speaks httpx, as OpenID will",
}
# What a library asks for by its name.
CALLED_FROM_OUTSIDE = {
    "capture_signals": "uvicorn",
    "eof_received": "asyncio",
    "pause_writing": "asyncio",
    "getpeercert": "httpx and what reads certificates",
    "handle_async_request": "httpx",
    "on_header": "httptools",
    "on_headers_complete": "httptools",
    "to_string": "starlette",
}
# Decorators that put what they decorate into no table.
PLAIN = {
    *("abstractmethod", "asynccontextmanager", "cache", "classmethod", "contextmanager", "lru_cache", "overload"),
    *("property", "staticmethod", "total_ordering"),
}


class Module(NamedTuple):
    """What a module defines, what its names are bound to elsewhere, and what it uses within each definition."""

    defined: set[str]
    methods: set[str]
    modules: dict[str, str]
    names: dict[str, Name]
    used: set[tuple[str, str, str]]
    """(the definition at hand, the name before the dot or "", the name)"""


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def registers(node: ast.AST) -> bool:
    """Whether a decorator puts it into a table, which is its use."""
    for decorator in getattr(node, "decorator_list", ()):
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(call).rpartition(".")[2] not in PLAIN:
            return True
    return False


def definitions(statement: ast.stmt) -> list[str]:
    """What a statement of a module names for others; nothing that Python itself or a table asks for."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            found = [] if registers(statement) else [name]
        case ast.Assign(targets=targets):
            found = [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            found = [name]
        case _:
            found = []
    return [name for name in found if not name.startswith("__")]


def read(tree: ast.Module, ours: set[str]) -> Module:
    made = Module(set(), set(), {}, {}, set())
    for statement in tree.body:
        own = definitions(statement)
        made.defined.update(own)
        within = own[0] if own else ""
        for node in ast.walk(statement):
            if not isinstance(node, ast.Name | ast.Attribute | ast.ImportFrom | ast.ClassDef):
                continue
            match node:
                case ast.Name(id=name, ctx=ast.Load()):
                    made.used.add((within, "", name))
                case ast.Attribute(value=ast.Name(id=before), attr=name):
                    made.used.add((within, before, name))
                case ast.Attribute(attr=name):
                    made.used.add((within, ".", name))
                case ast.ImportFrom(module=str(module), names=names) if module.startswith("fediblog"):
                    for alias in names:
                        if f"{module}.{alias.name}" in ours:
                            made.modules[alias.asname or alias.name] = f"{module}.{alias.name}"
                        else:
                            made.names[alias.asname or alias.name] = (module, alias.name)
                case ast.ClassDef(body=body):
                    made.methods.update(
                        each.name
                        for each in body
                        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
                        and not each.name.startswith("__")
                        and not registers(each)
                    )
    return made


@cache
def program() -> dict[str, Module]:
    trees = {name_of(path): parsed(path) for path in modules("fediblog")}
    return {name: read(tree, set(trees)) for name, tree in trees.items()}


def meant(whole: dict[str, Module], module: str, name: str) -> Name | None:
    """Where that is defined which a module calls so: there, or from where it was imported, over however many ways."""
    while name not in whole[module].defined:
        if name not in whole[module].names:
            return None
        module, name = whole[module].names[name]
        if module not in whole:
            return None
    return module, name


def uses(whole: dict[str, Module]) -> Iterator[Name]:
    """Every definition that is used by anything but itself."""
    for module, made in whole.items():
        for within, before, name in made.used:
            place = made.modules.get(before) if before else module
            found = meant(whole, place, name) if place in whole else None
            if found is not None and found != (module, within):
                yield found


def unused(whole: dict[str, Module]) -> set[Name]:
    every = {(module, name) for module, made in whole.items() for name in made.defined}
    return every - set(uses(whole))


def test_everything_is_used() -> None:
    assert unused(program()) == KEPT.keys()


def test_every_method_is_called() -> None:
    """By its name alone, whatever it is called on; templates count."""
    whole = program()
    called = {name for made in whole.values() for _, before, name in made.used if before}
    templates = " ".join(path.read_text() for path in tracked() if path.suffix in (".html", ".xml"))
    methods = {name for made in whole.values() for name in made.methods}
    assert {name for name in methods - called if f".{name}" not in templates} == CALLED_FROM_OUTSIDE.keys()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def f(): f()", {"f"}),
        ("def f(): pass\ndef g(): f()", {"g"}),
        ("@API.get('/')\ndef f(): pass", set()),
        ("@cache\ndef f(): pass", {"f"}),
        ("class A: pass\nX: A = 1", {"X"}),
        ("from fediblog.m import f as g\ndef f(): g()", {"f"}),
        ("from fediblog import m\ndef f(): m.f", {"f"}),
        ("from fediblog import m\ndef f(): pass\ng = m.f", {"g"}),
    ],
)
def test_what_nothing_uses_is_found(code: str, found: set[str]) -> None:
    whole = {"fediblog.m": read(ast.parse(code), {"fediblog.m"})}
    assert {name for _, name in unused(whole)} == found
