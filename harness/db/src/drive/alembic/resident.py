# Part 5 of 5 of the resident.
"""One Python process per backend that runs a project's Alembic revisions, one step a request.

It speaks JSON lines over its first stdin and stdout. What env.py or a sub-process prints goes to stderr.
"""
import contextlib
import importlib.util
import io
import json
import os
import platform
import re
import select
import signal
import sys
import traceback

PID = os.getpid()


def end_with(requests, answers):
    """See to it that a step ends, with all that it started, once nobody is there any more to ask for the next.

    A process does so, not a thread: env.py may fork, and Python warns of that where there are threads.
    """
    if os.fork():
        return
    watched = select.poll()
    # No event is asked for but that the other end is gone, which is always told.
    watched.register(requests, 0)
    for descriptor in (0, 1, 2, answers):
        os.close(descriptor)
    watched.poll()
    os.killpg(0, signal.SIGKILL)


def private_pipe():
    """Take stdin and stdout for the protocol; the project gets an empty stdin and stderr in their place."""
    requests, answers = os.dup(0), os.dup(1)
    end_with(requests, answers)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=close_private)
    sys.stdin = open(0, "r", closefd=False)
    sys.stdout = open(1, "w", buffering=1, errors="backslashreplace", closefd=False)
    return Pipe(requests, answers)


class Refusal(Exception):
    """An answer of kind `error` that this program itself gives."""

    def __init__(self, kind, message, help_=None):
        super().__init__(message)
        self.kind, self.help = kind, help_


class Resident:
    """The project that was opened, and the requests that it answers."""

    def __init__(self):
        self.guard = Guard()
        self.script = None
        self.run = None
        self.parser = None
        self.filters = None
        self.app = None
        # The processes that are at a database; and, in one of them, where it is itself.
        self.visits = {}
        self.at = None

    # -- opening -----------------------------------------------------------------------------------------

    def open(self, request):
        if sys.version_info < (3, 8):
            raise Refusal("import", "Python %s is too old: 3.8 is the oldest that works" % platform.python_version())
        self.folder = os.path.realpath(request["folder"])
        self.request = request
        if not os.path.isdir(self.folder):
            raise Refusal("env", "no folder %s" % self.folder)
        os.environ.update(request.get("env") or {})
        os.chdir(self.folder)
        # Last, so that nothing in the project's folder takes a library's place, as `alembic` itself sees to.
        for path in (self.folder, os.path.join(self.folder, "src")):
            if path not in sys.path and os.path.isdir(path):
                sys.path.append(path)
        self.import_alembic()
        from alembic.script import ScriptDirectory

        if not self.guard.listening:
            self.guard.listen()
            self.listen()
        self.inis = self.find_inis(request.get("ini"))
        config = self.config(["heads"], request.get("x"))
        self.script = ScriptDirectory.from_config(config)
        self.env_file = os.path.abspath(os.path.join(self.script.dir, "env.py"))
        self.env_text, tree = parsed(self.env_file)
        self.env_names = environment_names(self.env_file, self.folder)
        with changed_environment(self.first_variables(request)):
            revisions = self.revisions()
        url = config.file_config.get(config.config_ini_section, "sqlalchemy.url", raw=True, fallback=None)
        import alembic
        import sqlalchemy

        return {"ok": {
            "python": platform.python_version(), "executable": sys.executable,
            "alembic": alembic.__version__, "sqlalchemy": sqlalchemy.__version__,
            "drivers": [name for name in DRIVERS if importlib.util.find_spec(name)],
            "script_location": os.path.abspath(self.script.dir),
            "version_table": literal_keyword(tree, "version_table"),
            "version_table_schema": literal_keyword(tree, "version_table_schema"),
            "env_file": self.env_file,
            "env_async": bool(re.search(WAITING, self.env_text)),
            "env_names": self.env_names,
            "url_in_ini": hidden(url) if url else None,
            "revisions": revisions,
            "heads": sorted(self.script.get_heads()), "bases": sorted(self.script.get_bases()),
        }}

    def first_variables(self, request):
        """What leads to a first URL while the revisions are loaded: they often import settings that are read once.

        No step needs to use that URL; it counts as an earlier one, which the guard replaces.
        """
        from sqlalchemy.engine import make_url

        if not request.get("url"):
            return {}
        url = make_url(request["url"])
        if request.get("any_driver"):
            url = self.with_driver(url)
        self.guard.point_to(url)
        return self.handed(url, request.get("url_by"))[0]

    def with_driver(self, url):
        """The URL with a driver that env.py can use: an async engine refuses the default one."""
        waiting = re.search(WAITING, self.env_text)
        wanted = {"postgresql": ("asyncpg", "psycopg") if waiting else ("psycopg2", "psycopg", "pg8000"),
                  "sqlite": ("aiosqlite",) if waiting else ()}[url.get_backend_name()]
        installed = [name for name in wanted if importlib.util.find_spec(name)]
        return url.set(drivername="%s+%s" % (url.get_backend_name(), installed[0])) if installed else url

    def import_alembic(self):
        try:
            import alembic
            import alembic.command
            import sqlalchemy
        except ImportError as problem:
            raise Refusal("import", "%s: %s" % (type(problem).__name__, problem),
                          'the interpreter %s has no Alembic; name the project\'s own with python = "..." under '
                          '[history] in switchback.toml' % sys.executable)

    def find_inis(self, ini):
        """The ini file and the pyproject.toml of the project, as this version of Alembic knows them."""
        from alembic.config import Config

        toml = "pyproject.toml"
        if ini and os.path.basename(ini) == toml:
            ini, toml = None, ini
        # Flask-Migrate keeps it beside env.py.
        usual = [path for path in ("alembic.ini", "migrations/alembic.ini") if os.path.isfile(path)]
        if not ini and usual:
            ini = usual[0]
        knows = "toml_file" in Config.__init__.__code__.co_varnames
        toml = toml if knows and os.path.isfile(toml) else None
        if (ini is None and toml is None) or (ini and not os.path.isfile(ini)):
            raise Refusal("env", "no %s in %s" % (ini or "alembic.ini", self.folder))
        return ini or "alembic.ini", toml

    def config(self, arguments, x):
        """A Config as the `alembic` command makes one for these arguments; new each time, as env.py may change it."""
        from alembic.config import CommandLine, Config

        # The parser costs more to build than most revisions cost to run.
        self.parser = self.parser or CommandLine(prog="alembic").parser
        ini, toml = self.inis
        section = self.request.get("section") or "alembic"
        words = ["-c", ini, "-n", section]
        for pair in x or []:
            words += ["-x", pair]
        sys.argv = ["alembic"] + words + arguments
        options = self.parser.parse_args(words + arguments)
        files = {"toml_file": toml} if toml else {}
        config = Config(file_=ini, ini_section=section, cmd_opts=options, stdout=sys.stdout, **files)
        if not toml and not config.file_config.has_option(section, "script_location"):
            # As Flask-Migrate does; elsewhere Alembic itself says what is missing.
            if os.path.isfile(os.path.join(os.path.dirname(ini), "env.py")):
                config.set_main_option("script_location", os.path.dirname(os.path.abspath(ini)).replace("%", "%%"))
        return config

    def application(self):
        """The context of the Flask application that an env.py of Flask-Migrate runs in; nothing for any other."""
        if "current_app" not in self.env_text:
            return contextlib.nullcontext()
        from flask.cli import ScriptInfo, load_dotenv

        if self.app is None:
            load_dotenv()
            self.app = ScriptInfo().load_app()
        return self.app.app_context()

    def listen(self):
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        def record(conn, cursor, statement, parameters, context, executemany):
            if ATTACH.match(statement):
                raise WrongDatabase("the revision attaches another file: %s" % statement.strip())
            if self.run is not None:
                self.run.record(statement, parameters, executemany)

        event.listen(Engine, "before_cursor_execute", record)

    def revisions(self):
        """All revisions, each after its parents and what it depends on, a branch continued before another begins."""
        scripts = self.loaded()
        needs = {name: set(script._all_down_revisions) for name, script in scripts.items()}
        order, done = [], set()
        while len(order) < len(scripts):
            ready = sorted(name for name in scripts if name not in done and needs[name] <= done)
            following = [name for name in ready if order and order[-1] in needs[name]]
            order.append((following or ready)[0])
            done.add(order[-1])
        return [described(scripts[name]) for name in order]

    def loaded(self):
        """Alembic's scripts by their ids; it only warns of an id that two files have, and then fails obscurely."""
        files, load = {}, self.script.revision_map._generator

        def noted():
            for script in load():
                files.setdefault(script.revision, set()).add(script.path)
                yield script

        self.script.revision_map._generator = noted
        try:
            scripts = {script.revision: script for script in self.script.walk_revisions()}
        except KeyError as problem:
            raise Refusal("history", "no file has revision %s, which another names as its parent or dependency"
                          % problem)
        finally:
            for name, paths in sorted(files.items()):
                if len(paths) > 1:
                    raise Refusal("history", "revision %s is in %s" % (name, " and in ".join(sorted(paths))))
        return scripts

    # -- one run of env.py -------------------------------------------------------------------------------

    def environment(self, arguments, fn, request, **options):
        """Run env.py once, with everything that tells it the URL in place, and take all of it back afterwards."""
        from sqlalchemy.engine import make_url

        run = self.run = Run()
        url = make_url(request["url"])
        self.guard.point_to(url, redirect=request.get("url_by") == "redirect")
        variables, pairs, main_option = self.handed(url, request.get("url_by"))
        variables.update(request.get("env") or {})
        config = self.config(arguments, list(self.request.get("x") or []) + pairs)
        if main_option:
            config.set_main_option("sqlalchemy.url", shown(url).replace("%", "%%"))
        output = io.StringIO()
        if options.get("as_sql"):
            config.output_buffer = output
        with changed_environment(variables), self.application():
            with guarded_environment(self, config, fn, options):
                try:
                    self.script.run_env()
                finally:
                    leave_if_forked()
        return run, output.getvalue()

    def handed(self, url, by):
        """How env.py is told the URL: by the one way that is configured, or else by all at once."""
        plain = shown(url)
        if by is None or by == "redirect":
            pairs = ["%s=%s" % (name, plain) for name in x_names(self.env_text)]
            return url_variables(self.env_names, url, plain), pairs, True
        if by == "sqlalchemy.url":
            return {}, [], True
        if "env" in by:
            return {by["env"]: plain}, [], False
        if "x" in by:
            return {}, ["%s=%s" % (by["x"], plain)], False
        raise Refusal("url", "unknown way to hand over the URL: %s" % json.dumps(by))

    def finished(self, run, goal):
        """After env.py: say what is missing if it did not do what it was run for."""
        if run.raised is not None:
            raise run.raised
        if run.phase == "before":
            raise Refusal("env", "env.py ended without running the migrations (%s)" % goal,
                          "it must call context.configure() and context.run_migrations() when it is online")

    # -- requests ----------------------------------------------------------------------------------------

    def visited(self, request):
        """Pass a step on to the process that is at its database."""
        visit = self.visits.get(request["url"])
        if visit is None:
            visit = self.visits[request["url"]] = Visit(self)
        answer = visit.ask(request)
        if answer is None:
            status = self.visits.pop(request["url"]).end()
            raise Refusal("exit", "the process ended (%s)" % status,
                          "run \"alembic %s\" by hand to see it" % request["direction"])
        return answer

    def release(self, request):
        """Leave a database, so that nobody is in it."""
        visit = self.visits.pop(request["url"], None)
        if visit is not None:
            visit.ask(request)
            visit.end()
        return {"ok": {}}

    def serve(self):
        """Take the steps on one database until it is released."""
        global PID
        PID = os.getpid()
        while True:
            request = self.at.next()
            if request is None or request["do"] == "release":
                if request is not None:
                    self.at.pipe.write({"ok": {}})
                os._exit(0)
            answer = self.answer(request)
            if self.run is None or not self.run.answered:
                self.at.pipe.write(answer)

    def step(self, request):
        lacking = self.lacks(request)
        if lacking is not None:
            return lacking
        upgrade = request["direction"] == "upgrade"
        revision = self.script.get_revision(request["revision"])
        name = revision.revision
        target = name if upgrade else (revision._versioned_down_revisions or ("base",))[0]

        known, turns = self.at.may_stay, []

        def work(heads, context):
            stays = bool(known)
            # env.py may run the revisions in more than one place, each of which has to see every step.
            turns.append(known is None and leaves_it_to_alembic(context, self.env_text, self.run))
            watch_autocommit(self, context)
            following = request
            while following is not None:
                yield self.prepared(following, heads, context)
                run = self.run
                run.phase = "after"
                closed = stays and not context.connection.in_transaction()
                heads = run.heads = sorted(context.get_current_heads())
                run.phase = "done"
                following = self.following(following, context, closed) if closed else None

        self.environment([request["direction"], target], work, request,
                         starting_rev=None, destination_rev=target, as_sql=False, tag=None)
        if known is None:
            self.at.may_stay = turns == [True]
        run = self.run
        self.finished(run, request["direction"])
        if run.answered:
            return None
        if self.guard.commits == run.commits:
            self.check_committed(run, request)
        return stepped(run)

    def prepared(self, request, heads, context):
        """The step that a request asks for, watched."""
        upgrade = request["direction"] == "upgrade"
        revision = self.script.get_revision(request["revision"])
        run = self.run
        run.file = revision.path
        run.autocommit = is_autocommit(context)
        self.check_order(revision, upgrade, heads)
        step = one_step(self.script.revision_map, revision, upgrade)
        step.migration_fn = watched(run, self.guard, step.migration_fn)
        return step

    def following(self, request, context, closed):
        """Answer a step inside of env.py and give the next one, unless env.py has to end before that."""
        run = self.run
        # Nothing is held that the step has not left there, not even what asking for the heads has begun.
        context.connection.rollback()
        self.at.pipe.write(stepped(run))
        run.answered = True
        following = self.at.pipe.read()
        if following is None or not can_go_on(run, context, closed, request, following) or self.lacks(following):
            self.at.pending = following or {"do": "release"}
            return None
        self.run, options = Run(), run.options
        self.run.options = options
        return following

    def lacks(self, request):
        """The answer to a downgrade of which a revision has nothing."""
        revision = self.script.get_revision(request["revision"])
        if request["direction"] == "upgrade" or hasattr(revision.module, "downgrade"):
            return None
        return {"failed": {"message": "revision %s has no downgrade()" % revision.revision,
                           "type": "AttributeError", "code": None, "detail": None, "statement": None,
                           "file": revision.path, "line": 1, "traceback": ""}}

    def check_committed(self, run, request):
        """No commit was seen after the step: ask a new connection whether it was kept."""
        kept = self.current(request)["ok"]["heads"]
        if kept != run.heads:
            raise Refusal("env", "env.py never commits: after the step alembic_version says %s instead of %s"
                          % (", ".join(kept) or "nothing", ", ".join(run.heads) or "nothing"),
                          "run the migrations in `with context.begin_transaction():`, or commit the connection")

    def check_order(self, revision, upgrade, heads):
        """Alembic's bookkeeping fails obscurely on a step that its state does not allow; say so before it runs."""
        name = revision.revision
        known = self.script.get_revisions(heads)
        applied = {script.revision for script in self.script.revision_map._get_ancestor_nodes(known, check=False)}
        missing = sorted(set(revision._all_down_revisions) - applied)
        at = ", ".join(heads) or "base"
        if upgrade and name in applied:
            raise Refusal("state", "revision %s is applied already (alembic_version says %s)" % (name, at))
        if upgrade and missing:
            raise Refusal("state", "revision %s needs %s first (alembic_version says %s)"
                          % (name, ", ".join(missing), at))
        if not upgrade and name not in heads:
            raise Refusal("state", "revision %s is not a head (alembic_version says %s)" % (name, at))

    def current(self, request):
        def work(heads, _context):
            self.run.heads, self.run.phase = sorted(heads), "done"
            return []

        run, _ = self.environment(["current"], work, request, dont_mutate=True)
        self.finished(run, "current")
        return {"ok": {"heads": run.heads, "options": run.options}}

    def stamp(self, request):
        names = request["revision"]
        names = tuple(names) if isinstance(names, list) else (names,)

        def work(heads, _context):
            yield from self.script._stamp_revs(names, heads)
            self.run.phase = "done"

        run, _ = self.environment(["stamp"] + list(names), work, request, as_sql=False, starting_rev=None,
                                  destination_rev=names, tag=None, purge=False)
        self.finished(run, "stamp")
        return {"ok": {}}

    def sql(self, request):
        upgrade = request["direction"] == "upgrade"
        start, end = request.get("from") or "base", request.get("to") or ("heads" if upgrade else "base")

        def work(heads, _context):
            self.run.phase = "done"
            plan = self.script._upgrade_revs if upgrade else self.script._downgrade_revs
            return plan(end, heads)

        starting = None if start == "base" and upgrade else start
        words = [request["direction"], "--sql", end if starting is None else "%s:%s" % (start, end)]
        run, text = self.environment(words, work, request, as_sql=True, starting_rev=starting,
                                     destination_rev=end, tag=None)
        self.finished(run, "--sql")
        return {"ok": {"sql": text}}

    def metadata(self, request):
        def work(_heads, context):
            run = self.run
            declared = context.opts.get("target_metadata")
            declared = [one for one in (declared if isinstance(declared, (list, tuple)) else [declared])
                        if one is not None]
            tables = [table for one in declared for table in one.tables.values()]
            run.phase = "running"
            if not tables:
                run.answer = {"none": "env.py gives no target_metadata" if not declared
                              else "the target_metadata that env.py gives has no tables"}
            else:
                run.recording = True
                with context.begin_transaction(_per_migration=True):
                    create_all(context, declared)
                run.recording = False
                self.filters = Filters(context.opts, tables)
                run.answer = {"ok": {"tables": len(tables), "statements": run.statements}}
            run.phase = "done"
            return []

        run, _ = self.environment(["current"], work, request, dont_mutate=True)
        self.finished(run, "metadata")
        return run.answer

    def left_out(self, request):
        """Which of some objects env.py leaves out of what it compares: their places in the request."""
        if self.filters is None:
            raise Refusal("env", "what env.py leaves out was forgotten, since its process had to be started anew")
        objects = enumerate(request["objects"])
        return {"ok": {"left_out": [place for place, one in objects if self.filters.leave_out(*one)]}}

    # -- answering ---------------------------------------------------------------------------------------

    def answer(self, request):
        """Do what a request asks; whatever the project raises is an answer, not the end."""
        self.run = None
        self.guard.refused = None
        step = self.visited if self.at is None else self.step
        requests = {"open": self.open, "step": step, "metadata": self.metadata, "current": self.current,
                    "left_out": self.left_out, "stamp": self.stamp, "sql": self.sql, "release": self.release}
        try:
            if request["do"] not in requests or (self.script is None and request["do"] not in ("open", "release")):
                raise Refusal("env", "request %s is not known before a project is opened" % request["do"])
            answer = requests[request["do"]](request)
        except BaseException as problem:
            leave_if_forked()
            answer = self.explained(problem)
        self.guard.release()
        fresh_event_loop()
        return answer

    def explained(self, problem):
        """The answer for an exception: the revision's own failure, or the environment's."""
        run = self.run
        left_well = isinstance(problem, SystemExit) and not problem.code
        if left_well and run is not None and run.phase == "done" and self.guard.commits > run.commits:
            return stepped(run)
        if self.guard.refused is not None:
            return {"error": dict(self.placed(problem), kind="wrong-database", help=self.ways(),
                                  message=hidden("env.py connects to %s, not to %s"
                                                 % (self.guard.refused, self.guard.place)))}
        if isinstance(problem, Refusal):
            return {"error": {"kind": problem.kind, "message": hidden(str(problem)), "traceback": "",
                              "file": None, "line": None, "help": problem.help}}
        if run is not None and run.phase != "before":
            return {"failed": dict(self.placed(problem), **database_words(problem))}
        kind, help_ = kind_of(problem, self.ways)
        return {"error": dict(self.placed(problem), kind=kind, message=database_words(problem)["message"],
                              help=help_)}

    def placed(self, problem):
        """The traceback, and the innermost place of it that lies in the project."""
        frames = traceback.extract_tb(problem.__traceback__)
        own = [frame for frame in frames if self.within(frame.filename)]
        own = [frame for frame in own if self.run is not None and frame.filename == self.run.file] or own
        file, line = (own[-1].filename, own[-1].lineno) if own else (None, None)
        if isinstance(problem, SyntaxError) and problem.filename and self.within(problem.filename):
            file, line = problem.filename, problem.lineno
        text = "".join(traceback.format_exception(type(problem), problem, problem.__traceback__))
        return {"file": os.path.abspath(file) if file else None, "line": line, "traceback": hidden(text)}

    def within(self, file):
        """Whether a file is the project's: under its scripts, wherever they are, or its own code in its folder."""
        if not os.path.isfile(file):
            return False
        path = os.path.realpath(file)
        if self.script is not None and path.startswith(os.path.realpath(self.script.dir) + os.sep):
            return True
        return path.startswith(self.folder + os.sep) and own_file(path)

    def ways(self):
        """How the project can be led to the right database."""
        names = [name for name in self.env_names if URL_NAME.search(name) and DATABASE_NAME.search(name)
                 or PART_NAME.match(name) or FILE_NAME.match(name)] or self.env_names[:12]
        read = "; env.py and what it imports read %s" % ", ".join(names) if names else ""
        return ('say under [history] in switchback.toml how env.py learns the URL: url = { env = "NAME" }, '
                'url = { x = "KEY" }, url = "sqlalchemy.url", or url = "redirect" to lead its every connection '
                'to the right database%s' % read)


def leave_if_forked():
    """A child that env.py forked and that came back here must not go on as a second resident."""
    if os.getpid() != PID:
        os._exit(0)


def main():
    here = os.path.dirname(os.path.abspath(sys.argv[0])) if sys.argv and sys.argv[0] not in ("", "-c", "-") else ""
    # Python's own entry for this program, which `alembic` does not have.
    sys.path[:] = [path for path in sys.path if path not in ("", here)]
    pipe = private_pipe()
    resident = Resident()
    for request in iter(pipe.read, None):
        pipe.write(dict(resident.answer(request), id=request.get("id")))
    # Not sys.exit(): a thread that the project left running would keep the process.
    os._exit(0)


if __name__ == "__main__":
    main()
