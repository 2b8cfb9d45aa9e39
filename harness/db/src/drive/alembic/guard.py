# Part 1 of 5 of the resident: guard.py, source.py, running.py, visit.py and resident.py are one program, in this order.
"""Keeps a project's Python away from every database but the one of this step.

A resident process keeps modules imported, so settings that a project reads once are still those of an
earlier step. Every connection is therefore looked at twice: before it is opened, by its parameters (those of
an earlier step are replaced by the present ones, foreign ones refused), and once it is open, by asking it
where it is, which also covers `creator=` functions and what libpq takes from the environment.
"""
import contextlib
import functools
import gc
import os
import re
import socket
import sqlite3
import sys
import weakref

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
LIBPQ = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
SECRETS = set()


def hidden(text):
    """The text without any password that this process was given or that a URL shows.

    A short password may be a common word ("postgres"), so it is taken out only where a password would stand.
    """
    for secret in sorted(SECRETS, key=len, reverse=True):
        plain = re.escape(secret)
        text = re.sub(plain if len(secret) >= 12 else r"(?<=[:=])(['\"]?)%s(?=['\"]?(?:@|\s|&|;|,|$))" % plain, "***", text)
    return re.sub(r"(://[^\s:/@'\"]*):[^\s@/'\"]+@", r"\1:***@", text)


class WrongDatabase(Exception):
    """A connection to a database that is not the step's own; it was refused."""


class Place:
    """Where a database is: what two connections to the same one have in common."""

    def __init__(self, backend, host, port, database):
        self.backend, self.database = backend, database
        self.host = "localhost" if host in LOOPBACK else host
        self.port = int(port) if port else None

    def holds(self, other):
        """Whether `other` is here; what a driver does not tell (a host, a port) is not held against it."""
        return (
            (self.backend, self.database) == (other.backend, other.database)
            and (other.host is None or self.host == other.host
                 or not self.host and other.host.startswith("/"))
            and (other.port is None or self.port == other.port)
        )

    def __str__(self):
        if self.backend == "sqlite":
            return "sqlite:///%s" % (self.database or ":memory:")
        return "%s://%s:%s/%s" % (self.backend, self.host or "", self.port or "", self.database or "")


def sqlite_place(path):
    """The place of a SQLite file; None for one in memory, which is nobody's."""
    path = os.fspath(path) if path is not None else ""
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if path.startswith("file:"):
        if "mode=memory" in path:
            return None
        path = path[len("file:"):].split("?")[0]
        path = "/" + path.lstrip("/") if path.startswith("//") else path
    if path in ("", ":memory:"):
        return None
    return Place("sqlite", None, None, os.path.realpath(path))


def url_place(url):
    """The place that a SQLAlchemy URL names."""
    if url.get_backend_name() == "sqlite":
        return sqlite_place(url.database)
    parts = dict(url.query)
    parts.update(url.translate_connect_args(username="user"))
    return server_place(url.get_backend_name(), parts)


def server_place(backend, parts):
    """The place that libpq's keywords name; what they leave out it takes from its own variables."""
    parts = dict(parts)
    if parts.get("database"):
        parts["dbname"] = parts["database"]
    for key, variable in LIBPQ.items():
        if not parts.get(key):
            parts[key] = os.environ.get(variable)
    return Place(backend, parts["host"] or "", parts["port"] or 5432, parts["dbname"] or parts["user"])


def dsn_parts(dsn):
    """What a libpq connection string or URL says, as keywords."""
    from sqlalchemy.engine import make_url

    if "://" in dsn:
        url = make_url(dsn)
        parts = url.translate_connect_args(username="user")
        parts.update(url.query)
        return parts
    return {
        key: re.sub(r"\\(.)", r"\1", quoted or bare)
        for key, quoted, bare in re.findall(r"(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S*))", dsn)
    }


def asked_place(dialect, cargs, cparams):
    """The place that a driver is about to be asked for."""
    if dialect.name == "sqlite":
        return sqlite_place(cargs[0] if cargs else cparams.get("database"))
    parts = {}
    for dsn in list(cargs) + [cparams.get("dsn"), cparams.get("conninfo")]:
        if isinstance(dsn, str) and dsn:
            parts.update(dsn_parts(dsn))
    parts.update((key, value) for key, value in cparams.items() if value is not None)
    return server_place(dialect.name, parts)


def pointed(dialect, cargs, cparams, url):
    """Change the parameters in place so that they lead to `url`, leaving every other option alone."""
    if dialect.name == "sqlite":
        if cargs:
            query = cargs[0].partition("?")[2] if str(cargs[0]).startswith("file:") else ""
            cargs[0] = "file:%s?%s" % (url.database, query) if query else url.database
        else:
            cparams["database"] = url.database
        return
    named = "database" if "database" in cparams or dialect.driver in ("asyncpg", "pg8000") else "dbname"
    for key in ("dsn", "conninfo", "hostaddr", "service"):
        cparams.pop(key, None)
    cargs[:] = ["" for _ in cargs]
    wanted = {"host": url.host or url.query.get("host"), "port": url.port or url.query.get("port"),
              "user": url.username, "password": url.password, named: url.database}
    for key, value in wanted.items():
        cparams.pop(key, None)
        if value is not None:
            cparams[key] = int(value) if key == "port" else str(value)


def raw_of(connection):
    """The driver's own connection under SQLAlchemy's async wrapping."""
    return getattr(connection, "driver_connection", None) or getattr(connection, "_connection", connection)


def live_place(backend, connection):
    """Where an open DBAPI connection is, by the driver's word or else by the database's."""
    if backend == "sqlite":
        cursor = connection.cursor()
        try:
            cursor.execute("PRAGMA database_list")
            files = {row[1]: row[2] for row in cursor.fetchall()}
        finally:
            cursor.close()
        return sqlite_place(files.get("main"))
    raw = raw_of(connection)
    info = getattr(raw, "info", None)
    if hasattr(info, "dbname"):
        return Place(backend, info.host or None, info.port, info.dbname)
    if hasattr(raw, "_params") and hasattr(raw._params, "database"):
        address = raw._addr
        if isinstance(address, tuple):
            return Place(backend, address[0], address[1], raw._params.database)
        return Place(backend, None, None, raw._params.database)
    cursor = connection.cursor()
    try:
        cursor.execute("SELECT current_database()")
        return Place(backend, None, None, cursor.fetchone()[0])
    finally:
        cursor.close()


class Guard:
    """Knows the URL of the present step and every one before it, and all connections that are open."""

    def __init__(self):
        self.url = None
        self.place = None
        self.earlier = {}
        self.listening = False
        self.refused = None
        self.redirect = False
        self.engines = weakref.WeakSet()
        self.open = {}
        self.commits = 0

    def listen(self):
        """Hang the guard on all engines and pools that will ever be, before the project makes one."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine
        from sqlalchemy.pool import Pool

        self.listening = True
        event.listen(Engine, "do_connect", self.before_connect)
        event.listen(Engine, "engine_connect", self.on_engine)
        event.listen(Engine, "commit", self.on_commit)
        event.listen(Pool, "connect", self.after_connect)
        for name in ("close", "close_detached"):
            event.listen(Pool, name, self.on_close)
        fence(self)

    def point_to(self, url, redirect=False):
        """From now on only the database of `url` may be connected to; `redirect` leads every other wish there."""
        self.redirect = redirect
        if self.place is not None:
            self.earlier[str(self.place)] = self.place
        self.url, self.place, self.refused = url, url_place(url), None
        if url.password:
            SECRETS.add(str(url.password))

    def refuse(self, place):
        """Refuse for good: even a project that swallows the exception is answered with it."""
        self.refused = str(place) if place is not None else "a SQLite database in memory"
        raise WrongDatabase(
            "the project's env.py connects to %s instead of %s" % (self.refused, self.place or "no database yet")
        )

    def before_connect(self, dialect, _record, cargs, cparams):
        place = asked_place(dialect, cargs, cparams)
        if place is None or (self.place is not None and self.place.holds(place)):
            return
        earlier = self.redirect or any(then.holds(place) for then in self.earlier.values())
        if not earlier or self.place is None or self.place.backend != place.backend:
            self.refuse(place)
        pointed(dialect, cargs, cparams, self.url)

    def ask(self, backend, *cargs, **cparams):
        """Refuse a connection that the project opens at a driver itself, unless it leads to the right place."""
        place = sqlite_place(cargs[0]) if backend == "sqlite" else asked_place(Server(backend), cargs, cparams)
        if place is not None and not (self.place is not None and self.place.holds(place)):
            self.refuse(place)

    def after_connect(self, connection, record):
        self.open[id(connection)] = connection
        backend = "sqlite" if is_sqlite(connection) else "postgresql"
        self.check(backend, connection, in_memory=True)
        if backend == "sqlite":
            hurry(connection)
        else:
            connection.rollback()

    def check(self, backend, connection, in_memory=False):
        """Refuse an open connection that is elsewhere; `in_memory` lets one pass that is nowhere."""
        place = live_place(backend, connection)
        if place is None and in_memory:
            return
        if place is None or self.place is None or not self.place.holds(place):
            self.refuse(place)

    def on_engine(self, connection, *_branch):
        self.engines.add(connection.engine)

    def on_commit(self, _connection):
        self.commits += 1

    def on_close(self, connection, *_record):
        self.open.pop(id(connection), None)

    def release(self):
        """Close whatever is still open, since PostgreSQL copies no database that has a session.

        A driver that lives in an event loop cannot be closed from outside of it; its connection is forgotten
        by its pool and then cut.
        """
        for engine in list(self.engines):
            try:
                engine.dispose(close=False) if engine.dialect.is_async else engine.dispose()
            except Exception:
                pass
        self.engines.clear()
        left = list(self.open.values())
        self.open.clear()
        for connection in left:
            cut(connection)
        if left:
            del left
            gc.collect()


class Server:
    """What `asked_place` needs to know of a dialect."""

    def __init__(self, name):
        self.name = name


def fence(guard):
    """Watch the drivers too: a revision or env.py may connect without SQLAlchemy.

    Each driver is caught at the one function that all its ways in go through.
    """

    def audited(event_name, arguments):
        if event_name == "sqlite3.connect":
            guard.ask("sqlite", arguments[0])

    sys.addaudithook(audited)
    with contextlib.suppress(Exception):
        import psycopg2

        psycopg2._connect = asking(guard, psycopg2._connect)
    with contextlib.suppress(Exception):
        from asyncpg import connect_utils

        connect_utils._connect = asking(guard, connect_utils._connect)
    with contextlib.suppress(Exception):
        import psycopg

        owner = next(owner for owner in psycopg.Connection.__mro__ if "_connect_gen" in vars(owner))
        original = vars(owner)["_connect_gen"].__func__
        owner._connect_gen = classmethod(
            lambda cls, conninfo="", *rest, **kw: asking(guard, functools.partial(original, cls))(
                conninfo, *rest, **kw))


def asking(guard, original):
    """A driver's connect function that asks the guard first."""

    def inner(*args, **kw):
        guard.ask("postgresql", *args, **kw)
        return original(*args, **kw)

    return inner


def hurry(connection):
    """Do not wait for the disk: the file is thrown away, and each wait costs more than a revision."""
    cursor = connection.cursor()
    # A connection that begins its transactions itself may be inside of one, where this cannot be set.
    with contextlib.suppress(Exception):
        cursor.execute("PRAGMA synchronous = OFF")
    cursor.close()


def is_sqlite(connection):
    """Whether a DBAPI connection is to SQLite, by sqlite3, aiosqlite or one of its like."""
    return isinstance(connection, sqlite3.Connection) or "sqlite" in type(raw_of(connection)).__module__


def cut(connection):
    """End one connection by the means its driver has outside of an event loop."""
    raw = raw_of(connection)
    try:
        if hasattr(raw, "pgconn"):
            raw.pgconn.finish()
        elif hasattr(raw, "_transport"):
            hang_up(raw)
        elif type(raw).__module__.startswith("aiosqlite") or hasattr(raw, "_conn"):
            import asyncio

            loop = asyncio.new_event_loop()
            loop.run_until_complete(asyncio.wait_for(raw.close(), 5))
            loop.close()
        else:
            connection.close()
    except Exception:
        pass


def hang_up(raw):
    """Shut an asyncpg connection's socket: its own loop may be closed already, and the server must see an end."""
    transport = raw._transport
    if transport is None:
        return
    theirs = transport.get_extra_info("socket")
    if theirs is not None and theirs.fileno() >= 0:
        mine = socket.socket(fileno=os.dup(theirs.fileno()))
        mine.shutdown(socket.SHUT_RDWR)
        mine.close()
    transport.abort()
