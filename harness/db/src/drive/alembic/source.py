# Part 2 of 5 of the resident.
"""What a project's files say without running them: the environment that they read, and what revisions hold."""
import ast
import io
import os
import re
import sys
import tokenize

# Comments and docstrings that Alembic's own templates and linters put there; they explain nothing.
BOILERPLATE = re.compile(
    r"commands? auto generated|end alembic commands|please adjust|^(up|down)grade schema\.?$|^\W*$"
    r"|^(noqa|type: ?ignore|pragma|pylint|pyright|mypy|fmt|ruff|isort|nosec|todo\W*)\b", re.I)
URL_NAME = re.compile(r"(URL|URI|DSN|CONNECTION_STRING|CONN_STR)$", re.I)
DATABASE_NAME = re.compile(r"(^|_)(DB|DATABASE|SQL\w*|POSTGRES\w*|PG|ALEMBIC|MIGRATION\w*)|^DSN$", re.I)
PART_NAME = re.compile(
    r"^(?:\w+?_)??(?:POSTGRES|POSTGRESQL|PSQL|PG|DB|DATABASE|SQL|SQLALCHEMY)_?"
    r"(?:(?P<host>HOST|HOSTNAME|SERVER|ADDRESS)|(?P<port>PORT)|(?P<username>USER|USERNAME|LOGIN)"
    r"|(?P<password>PASS|PASSWORD|PWD)|(?P<database>DB|NAME|DATABASE|DBNAME|DB_NAME|DATABASE_NAME))$", re.I)
FILE_NAME = re.compile(r"^(?:\w+_)?(?:SQLITE|DB|DATABASE)_?(?:DB_)?(?:PATH|FILE|FILENAME)$", re.I)
FILES_READ = 400


def parsed(path):
    """A file's text and syntax tree; nothing if it cannot be read, which Python itself will say when it runs."""
    try:
        with tokenize.open(path) as file:
            text = file.read()
        return text, ast.parse(text)
    except (OSError, SyntaxError, ValueError, UnicodeDecodeError):
        return "", None


def text_of(node):
    """The value of a string literal."""
    value = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else None


def dotted(node):
    """`a.b.c` of a name or attribute."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    return ".".join(reversed(parts))


def project_roots(folder):
    """The folders of sys.path, and the usual ones, that hold the project's own modules."""
    roots = [os.path.abspath(path or folder) for path in sys.path]
    roots = [path for path in roots if os.path.isdir(path) and own_file(path)]
    return list(dict.fromkeys(roots + [folder, os.path.join(folder, "src")]))


def own_file(path):
    """Whether a file is the project's, not Python's or a dependency's."""
    path = os.path.realpath(path)
    installed = [os.path.realpath(os.path.dirname(os.__file__))]
    return not ("site-packages" in path or "dist-packages" in path or path.endswith(".zip")
                or any(path == top or path.startswith(top + os.sep) for top in installed))


def module_files(roots, name):
    """The files of a dotted module and of the packages around it."""
    parts = name.split(".")
    for root in roots:
        found = []
        for end in range(1, len(parts) + 1):
            base = os.path.join(root, *parts[:end])
            found += [path for path in (base + ".py", os.path.join(base, "__init__.py")) if os.path.isfile(path)]
        if found:
            return found
    return []


def imported(tree, path, roots):
    """The project's files that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from module_files(roots, alias.name)
        elif isinstance(node, ast.ImportFrom):
            near = roots
            if node.level:
                folder = path
                for _ in range(node.level):
                    folder = os.path.dirname(folder)
                near = [folder]
            for name in [node.module] if node.module else []:
                yield from module_files(near, name)
            for alias in node.names:
                yield from module_files(near, ".".join(filter(None, [node.module, alias.name])))


def settings_names(node):
    """The variables that a pydantic settings class reads: prefix and field, or the alias that a field has."""
    prefix, names = "", []
    for item in ast.walk(node):
        if isinstance(item, ast.keyword) and item.arg == "env_prefix":
            prefix = text_of(item.value) or ""
        elif isinstance(item, ast.Assign) and dotted(item.targets[0]) == "env_prefix":
            prefix = text_of(item.value) or ""
        elif isinstance(item, ast.Dict):
            for key, value in zip(item.keys, item.values):
                prefix = (text_of(value) or "") if text_of(key) == "env_prefix" else prefix
    for item in node.body:
        if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
            continue
        aliases = []
        if isinstance(item.value, ast.Call):
            for key in item.value.keywords:
                if key.arg in ("env", "alias", "validation_alias"):
                    aliases += [text_of(part) for part in ast.walk(key.value) if text_of(part)]
        names += aliases or [(prefix + item.target.id).upper()]
    return [name for name in names if name != "MODEL_CONFIG"]


def read_names(tree):
    """The environment variables that a module seems to read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and dotted(node.value).endswith("environ"):
            index = node.slice.value if type(node.slice).__name__ == "Index" else node.slice
            yield text_of(index)
        elif isinstance(node, ast.Call) and node.args:
            called = dotted(node.func)
            if called.endswith(("getenv", "environ.get", "environ.setdefault")):
                yield text_of(node.args[0])
            elif called.split(".")[0] in ("env", "config", "environ") and text_of(node.args[0]):
                yield text_of(node.args[0]) if re.match(r"^[A-Z][A-Z0-9_]+$", text_of(node.args[0])) else None
        elif isinstance(node, ast.ClassDef) and any(dotted(base).endswith("Settings") for base in node.bases):
            yield from settings_names(node)


def environment_names(env_file, folder):
    """What env.py and the project's modules under it read from the environment, in a stable order."""
    roots = project_roots(folder)
    names, seen, waiting = set(), set(), [env_file]
    while waiting and len(seen) < FILES_READ:
        path = os.path.realpath(waiting.pop(0))
        if path in seen or not own_file(path):
            continue
        seen.add(path)
        _, tree = parsed(path)
        if tree is not None:
            names.update(name for name in read_names(tree) if name)
            waiting.extend(imported(tree, path, roots))
    return sorted(names)


def url_variables(names, url, plain):
    """The values with which the environment leads a project to a URL, for each name that looks like one."""
    values = {name: plain for name in ("DATABASE_URL", "DB_DSN", "DB_URL", "SQLALCHEMY_DATABASE_URI",
                                       "SQLALCHEMY_DATABASE_URL")}
    if url.get_backend_name() != "sqlite":
        names = list(names) + list(LIBPQ.values())
    for name in names:
        part = PART_NAME.match(name)
        if URL_NAME.search(name) and DATABASE_NAME.search(name):
            values[name] = plain
        elif part and url.get_backend_name() != "sqlite":
            value = getattr(url, part.lastgroup) or (url.query.get(part.lastgroup) if url.query else None)
            if value is not None:
                values[name] = str(value)
        elif FILE_NAME.match(name) and url.get_backend_name() == "sqlite":
            values[name] = url.database
    return values


def x_names(text):
    """The `-x` keys by which an env.py may take a URL."""
    if "get_x_argument" not in text:
        return []
    known = ("url", "db_url", "dburl", "db-url", "database_url", "database-url", "sqlalchemy.url", "sqlalchemy_url",
             "dsn", "db_dsn", "uri", "db_uri", "db", "database", "dbname")
    return [name for name in known if re.search(r"['\"]%s['\"]" % re.escape(name), text)][:4]


def literal_keyword(tree, name):
    """A keyword argument's string, wherever in the file it is given."""
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.keyword) and node.arg == name and text_of(node.value):
            return text_of(node.value)
    return None


def comments_in(text, first, last):
    """Indented or trailing comments of some lines, without the boilerplate."""
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and first <= token.start[0] < last and token.start[1] > 0:
                found.append(token.string.lstrip("#").strip())
    except (tokenize.TokenError, IndentationError):
        pass
    return [comment for comment in found if not BOILERPLATE.search(comment)]


def raised_message(statement):
    """What a raised exception says, as far as it is written out."""
    parts = [text_of(node) for node in ast.walk(statement) if text_of(node)]
    return " ".join(part.strip() for part in parts) or None


def judged(text, tree, name):
    """One function of a revision: its line, its kind (missing, empty, explained, raises, code) and its reason."""
    body = tree.body if tree is not None else []
    places = [at for at, node in enumerate(body)
              if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name]
    if not places:
        written = tree is None or re.search(r"\b%s\b\s*(=|,|$|\))" % name, text, re.M)
        return {"line": None, "kind": "code" if written else "missing", "reason": None}
    node = body[places[-1]]
    after = body[places[-1] + 1:]
    last = min([part.lineno for part in after] or [len(text.splitlines()) + 2])
    doc = (ast.get_docstring(node) or "").strip()
    why = ([doc] if doc and not BOILERPLATE.search(doc) else []) + comments_in(text, node.lineno, last)
    reason = " ".join(" ".join(why).split()) or None
    rest = [part for part in node.body if not nothing(part)]
    if not rest:
        return {"line": node.lineno, "kind": "explained" if reason else "empty", "reason": reason}
    if isinstance(rest[0], ast.Raise):
        return {"line": node.lineno, "kind": "raises", "reason": raised_message(rest[0]) or reason}
    return {"line": node.lineno, "kind": "code", "reason": None}


def nothing(statement):
    """A statement that does nothing: pass, `...`, a docstring, a bare return."""
    if isinstance(statement, ast.Return):
        return statement.value is None or getattr(statement.value, "value", 0) is None
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
