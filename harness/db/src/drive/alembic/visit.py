# Part 4 of 5 of the resident.
"""The process of its own that a database gets: it takes the steps there, and stays inside env.py between them.

env.py is run for the first step as `alembic upgrade` and `downgrade` run it. If that shows that env.py leaves each
transaction to Alembic, the next run is held where Alembic asks for the next revision, as it is within one
`alembic upgrade head`, until a step leaves something behind in the session that the next must not find.
"""
import contextlib
import json
import os
import re
import sys

# The files that no process which env.py forks may hold open: they would never be seen to end.
PRIVATE = set()
# What reads from the command line what this one step is.
ASKING = re.compile(r"cmd_opts|sys\.argv|get_revision_argument|get_starting_revision|destination_rev|starting_rev")
# What outlives a transaction in its session. That a statement only looks like it costs a run of env.py, no more.
LASTING = re.compile(
    r"^\s*(SET|RESET|PRAGMA|PREPARE|DEALLOCATE|LISTEN|UNLISTEN|LOAD|DISCARD|DECLARE|LOCK|DO|CALL)\b"
    r"|;\s*(SET|RESET|PRAGMA)\b|set_config|\bTEMP(ORARY)?\b|advisory|search_path|\bROLE\b|\bSESSION\b"
    r"|ALTER\s+(DATABASE|USER|SYSTEM)\b", re.I | re.M)
# What env.py may do before the revisions that ends with the transaction they are all in.
PASSING = re.compile(r"\bSET\s+(LOCAL|CONSTRAINTS|TRANSACTION)\b|set_config\s*\(|xact_lock|^\s*LOCK\b", re.I | re.M)
# Drivers without statements of their own that are prepared for a schema which the other direction takes away.
FORGETFUL = ("psycopg2", "pysqlite", "aiosqlite")


def close_private():
    for descriptor in PRIVATE:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    # What gets these numbers from now on is somebody else's.
    PRIVATE.clear()


class Pipe:
    """JSON lines from a process and to it."""

    def __init__(self, reading, writing):
        PRIVATE.update((reading, writing))
        self.reading = os.fdopen(reading, "r", encoding="utf-8")
        self.writing = os.fdopen(writing, "w", encoding="utf-8")

    def read(self):
        """The next line, or nothing if the other side is gone."""
        line = self.reading.readline()
        return json.loads(line) if line else None

    def write(self, value):
        self.writing.write(json.dumps(value, default=str) + "\n")
        self.writing.flush()
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()

    def close(self):
        PRIVATE.difference_update((self.reading.fileno(), self.writing.fileno()))
        self.reading.close()
        with contextlib.suppress(OSError):
            self.writing.close()


class Visit:
    """A process that takes the steps on one database, seen from the one that passes them on."""

    def __init__(self, resident):
        requests, answers = os.pipe(), os.pipe()
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            os.close(requests[1])
            os.close(answers[0])
            resident.at = At(Pipe(requests[0], answers[1]))
            resident.serve()
        os.close(requests[0])
        os.close(answers[1])
        self.pipe = Pipe(answers[0], requests[1])

    def ask(self, request):
        """The answer, or nothing if the process has ended instead."""
        with contextlib.suppress(OSError):
            self.pipe.write(request)
        return self.pipe.read()

    def end(self):
        """Wait for its end, and say how it came."""
        self.pipe.close()
        _, status = os.waitpid(self.pid, 0)
        if os.WIFSIGNALED(status):
            return "signal: %d" % os.WTERMSIG(status)
        return "exit status: %d" % os.WEXITSTATUS(status)


class At:
    """Where such a process is, seen from itself."""

    def __init__(self, pipe):
        self.pipe = pipe
        # A request that ended a held run of env.py, and is to be answered after it.
        self.pending = None
        # Whether env.py may be held between steps, once that is known.
        self.may_stay = None

    def next(self):
        request, self.pending = self.pending, None
        return request or self.pipe.read()


def leaves_it_to_alembic(context, env_text, run):
    """Whether env.py, as it stands at its first step, leaves it to Alembic to end each transaction."""
    import sqlalchemy

    if int(sqlalchemy.__version__.split(".")[0]) < 2 or ASKING.search(env_text) or run.passing:
        return False
    inside = context._in_external_transaction or context.connection._trans_context_manager is not None
    each = context._transaction_per_migration or not context.impl.transactional_ddl
    return not inside and (each or context._transaction is not None)


def can_go_on(run, context, closed, request, following):
    """Whether the next step may find the session that the last one has left."""
    forgets = context.connection.dialect.driver in FORGETFUL
    return (closed and not run.autocommit and not any(map(LASTING.search, run.statements))
            and following["do"] == "step" and (forgets or following["direction"] == request["direction"]))
