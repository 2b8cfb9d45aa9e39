# Part 3 of 5 of the resident.
"""What happens around one run of env.py: its surroundings, what it did, and how that is told."""
import contextlib
import functools
import importlib.util
import os
import re
import sys
import time
import warnings

WAITING = r"\basyncio\b|create_async_engine|async_engine_from_config|async def"
ATTACH = re.compile(r"(\s|--[^\n]*\n|/\*.*?\*/)*ATTACH\b(?!.*(:memory:|''|\"\"))", re.I | re.S)
SQLITE_CODES = (("UNIQUE constraint failed", 2067), ("FOREIGN KEY constraint failed", 787),
                ("CHECK constraint failed", 275), ("NOT NULL constraint failed", 1299))
DRIVERS = ("psycopg2", "psycopg", "asyncpg", "pg8000", "sqlite3", "aiosqlite")
# What SQLAlchemy asks the catalogues by itself, which no revision wrote.
REFLECTION = re.compile(
    r"^\s*(PRAGMA\s+(\S+\.)?(table_x?info|table_list|foreign_key_list|index_x?info|index_list)\b"
    r"|SELECT\b.*(pg_catalog\.|information_schema\.|sqlite_(temp_)?master))", re.I | re.S)


class Run:
    """What happened while env.py ran once: how far it came, and what it executed."""

    def __init__(self):
        self.phase = "before"
        self.raised = None
        self.recording = False
        self.statements = []
        self.autocommit = False
        self.heads = []
        self.seconds = 0.0
        self.commits = 0
        self.options = {}
        self.answer = None
        self.answered = False
        # Whether env.py did something that lasts no longer than the transaction before the revisions.
        self.passing = False
        self.file = None

    def record(self, statement, parameters, executemany):
        if self.phase == "before" and PASSING.search(statement):
            self.passing = True
        if self.recording and not REFLECTION.match(statement):
            self.statements.append(with_parameters(statement, parameters, executemany))


def with_parameters(statement, parameters, executemany):
    """A statement as it was executed, its parameters before it where they are short enough to read."""
    statement = statement.strip()
    if not parameters:
        return statement
    if executemany:
        return "-- %d sets of parameters\n%s" % (len(parameters), statement)
    values = repr(parameters).replace("\n", " ")
    return "-- %s\n%s" % (values if len(values) <= 400 else "parameters", statement)


def stepped(run):
    """The answer of a step that went well."""
    return {"ok": {"heads": run.heads, "statements": run.statements, "autocommit": run.autocommit,
                   "seconds": round(run.seconds, 6), "options": run.options}}


def shown(url):
    """The URL with its password, for the project's eyes only."""
    return url.render_as_string(hide_password=False)


def one_step(revision_map, revision, upgrade):
    from alembic.runtime.migration import MigrationStep

    make = MigrationStep.upgrade_from_script if upgrade else MigrationStep.downgrade_from_script
    return make(revision_map, revision)


def watched(run, guard, function):
    """A revision's function that tells the run when it begins, ends and fails."""

    @functools.wraps(function)
    def inner(**kw):
        run.phase, run.recording = "running", True
        begun = time.perf_counter()
        try:
            function(**kw)
        except BaseException as problem:
            run.raised = problem
            raise
        finally:
            run.recording = False
            run.seconds = time.perf_counter() - begun
        run.phase = "after"
        run.commits = guard.commits

    return inner


def watch_autocommit(resident, context):
    """Note whether a revision leaves its transaction by a block."""
    block = context.autocommit_block

    def noted():
        resident.run.autocommit = True
        return block()

    context.autocommit_block = noted


def is_autocommit(context):
    """Whether the connection itself is in no transaction, ever."""
    return context.connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"


def create_all(context, declared):
    """Create what the models declare, in an empty database, with the schemas that it lies in."""
    connection = context.connection
    if connection.dialect.name == "postgresql":
        from sqlalchemy import text

        schemas = {table.schema or one.schema for one in declared for table in one.tables.values()}
        quote = connection.dialect.identifier_preparer.quote
        for schema in sorted(filter(None, schemas)):
            connection.execute(text("CREATE SCHEMA IF NOT EXISTS %s" % quote(schema)))
    for one in declared:
        one.create_all(connection)


class Filters:
    """What env.py tells Alembic's autogenerate to leave out, and the tables that the models declare."""

    def __init__(self, options, tables):
        self.by_name, self.by_object = options.get("include_name"), options.get("include_object")
        self.tables = {(table.schema, table.name): table for table in tables}

    def leave_out(self, kind, schema, table, name):
        """Whether an object, declared or found in the database, is left out; a filter that fails leaves nothing out."""
        parents = {"schema_name": schema, "table_name": table, "schema_qualified_table_name":
                   "%s.%s" % (schema, table) if schema else table}
        own = self.tables.get((schema, table))
        declared = own
        if own is not None and kind != "table":
            declared = {one.name: one for one in (own.columns if kind == "column" else own.indexes)}.get(name)
        try:
            if self.by_name is not None and not self.by_name(name, kind, parents):
                return True
            if self.by_object is None:
                return False
            found = reflected(kind, schema, table, name) if declared is None else declared
            return not self.by_object(found, name, kind, declared is None, None)
        except Exception:
            return False


def reflected(kind, schema, table, name):
    """What autogenerate would hold of an object that only the database has, as far as filters ask for it."""
    from sqlalchemy import Column, Index, MetaData, Table
    from sqlalchemy.types import NullType

    column = Column(name if kind == "column" else "id", NullType())
    whole = Table(table, MetaData(), column, schema=schema)
    return {"table": whole, "column": column}[kind] if kind != "index" else Index(name, column)


def described(script):
    """One revision as the history sees it."""
    text, tree = parsed(script.path)
    upgrade, downgrade = judged(text, tree, "upgrade"), judged(text, tree, "downgrade")
    labels = getattr(script.module, "branch_labels", None) or ()
    return {
        "id": script.revision, "down": list(script._versioned_down_revisions),
        "depends_on": sorted(set(script._resolved_dependencies)),
        "labels": sorted([labels] if isinstance(labels, str) else labels),
        "doc": script.doc, "file": os.path.abspath(script.path),
        "upgrade_line": upgrade["line"], "downgrade_line": downgrade["line"],
        "upgrade_empty": upgrade["kind"] in ("empty", "explained"),
        "downgrade": downgrade["kind"], "reason": downgrade["reason"],
    }


@contextlib.contextmanager
def changed_environment(variables):
    """Set variables, and afterwards put back what was there, also where the project itself changed it."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def guarded_environment(resident, config, fn, options):
    """Alembic's EnvironmentContext, with a look at the connection before Alembic gets it.

    The method is replaced on the object, as Alembic installs its proxy for its own class only.
    """
    from alembic.runtime.environment import EnvironmentContext

    environment = EnvironmentContext(config, resident.script, fn=fn, **options)
    original = environment.configure

    def configure(connection=None, *rest, **kw):
        if connection is not None and not environment.is_offline_mode():
            resident.guard.check(connection.dialect.name, connection.connection)
        resident.run.options = plain_options(kw)
        if resident.at is not None and resident.at.may_stay:
            # Each step is a transaction of its own, as it is where each is a run of env.py.
            kw["transaction_per_migration"] = True
        original(connection, *rest, **kw)

    environment.configure = configure
    return environment


def plain_options(kw):
    """What env.py gives configure(), as far as the outside can use it."""
    plain = {name: kw[name] for name in ("version_table", "version_table_schema", "transaction_per_migration",
                                         "render_as_batch", "include_schemas", "transactional_ddl")
             if isinstance(kw.get(name), (str, bool))}
    for name in ("target_metadata", "include_object", "include_name", "compare_type"):
        plain[name] = bool(kw.get(name)) if name != "target_metadata" else kw.get(name) is not None
    return plain


def database_words(problem):
    """An exception in the database's own words: message, SQLSTATE, detail and the statement."""
    original = getattr(problem, "orig", None) or problem
    inner = getattr(original, "__cause__", None)
    told = inner if getattr(inner, "sqlstate", None) else original
    diag = getattr(original, "diag", None)
    fields = original.args[0] if original.args and isinstance(original.args[0], dict) else {}
    message = (getattr(diag, "message_primary", None) or fields.get("M")
               or re.sub(r"^<class '[^']*'>: ", "", str(told)).strip() or type(problem).__name__)
    if isinstance(problem, (LookupError, AssertionError, StopIteration)):
        message = ("%s: %s" % (type(problem).__name__, message)).rstrip(": ")
    if isinstance(problem, SystemExit):
        message = "sys.exit(%s)" % ("" if problem.code is None else repr(problem.code))
    hints = [getattr(diag, "message_detail", None) or getattr(told, "detail", None) or fields.get("D"),
             getattr(diag, "message_hint", None) or getattr(told, "hint", None) or fields.get("H")]
    code = (getattr(original, "pgcode", None) or getattr(original, "sqlstate", None) or fields.get("C")
            or sqlite_code(original))
    kind = type(problem)
    return {"message": hidden("\n".join(message.splitlines()[:3])),
            "type": kind.__name__ if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, kind.__name__),
            "code": code, "detail": hidden("; ".join(filter(None, map(str_or_none, hints)))) or None,
            "statement": getattr(problem, "statement", None)}


def sqlite_code(problem):
    """SQLite's extended result code, as the recorder knows it; Python before 3.11 keeps only the message."""
    code = getattr(problem, "sqlite_errorcode", None)
    if code is None:
        known = [number for words, number in SQLITE_CODES if str(problem).startswith(words)]
        code = known[0] if known else None
    return str_or_none(code)


def str_or_none(value):
    return str(value) if value else None


def kind_of(problem, ways):
    """Which part of the environment does not work, and what helps."""
    from sqlalchemy import exc

    if isinstance(problem, (SystemExit, KeyboardInterrupt, GeneratorExit)):
        return "exit", "env.py must not end the process when it runs migrations"
    if isinstance(problem, ImportError) or isinstance(problem, exc.NoSuchModuleError):
        name = (getattr(problem, "name", None) or "").split(".")[0]
        have = [driver for driver in DRIVERS if importlib.util.find_spec(driver)]
        if name in DRIVERS or isinstance(problem, exc.NoSuchModuleError):
            return "import", ("this interpreter (%s) has the drivers %s; install the missing one into it or choose "
                              "another by the URL's scheme" % (sys.executable, ", ".join(have)))
        return "import", "the interpreter is %s; is it the project's own?" % sys.executable
    if type(problem).__module__ in ("alembic.script.revision", "alembic.util.exc"):
        return "history", None
    if isinstance(problem, EOFError):
        return "env", "env.py asks a question; nobody can answer it here"
    if isinstance(problem, exc.ArgumentError) and "URL" in str(problem):
        return "url", ways()
    of_files = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)
    if isinstance(problem, of_files):
        return "env", None
    if isinstance(problem, (exc.DBAPIError, OSError)) or hasattr(problem, "sqlstate"):
        return "connect", None
    return "env", ways() if isinstance(problem, KeyError) else None


def fresh_event_loop():
    """Give the next run the event loops of a new process: asyncio.run() leaves none, others leave theirs open."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            policy = asyncio.get_event_loop_policy()
        loop = getattr(policy._local, "_loop", None)
        if loop is not None and not loop.is_running() and not loop.is_closed():
            loop.close()
        policy._local = type(policy)._Local()
    except Exception:
        pass
