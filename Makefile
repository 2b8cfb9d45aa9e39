# Targets of a line or two; what takes more is a script. `make` alone lists them.
.DEFAULT_GOAL := help
PROJECT ?= scenarios/calista
# The newest PostgreSQL whose server binaries are here.
MAJOR ?= $(shell ls /usr/lib/postgresql 2>/dev/null | sort -n | tail -1)

# A switchback that takes the SQLite library that it is led to, and where versions of both databases are.
LINKED = --no-default-features --features containers
VERSIONS = SWITCHBACK_POSTGRES_BINARIES=$(CURDIR)/target/postgres SWITCHBACK_SQLITE_LIBRARIES=$(CURDIR)/target/sqlite
SCENARIOS = $(patsubst %/switchback.toml,%,$(wildcard $(addprefix scenarios/,$(addsuffix /switchback.toml,* */* checks/*/good))))
# The tests of what is recorded and found, which is the same on all versions.
SAME = --test scenarios --test snapshots --test checks

# $(call need,PACKAGE): install a Debian package, or say which one is missing.
need = { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "error: install $(1), then try again" >&2; exit 1; }; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1); }
have-postgres = ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 20

.PHONY: setup
setup: ## install what is missing: a C compiler and PostgreSQL's server binaries
	@command -v cc >/dev/null || $(call need,gcc libc6-dev)
	@$(have-postgres) || { [ "$$(id -u)" != 0 ] && docker version >/dev/null 2>&1; } || $(call need,postgresql)

.PHONY: python
python: ## install Alembic, Django and drivers of both databases into .venv, for the tests that drive them
	@command -v python3 >/dev/null && python3 -c 'import ensurepip' 2>/dev/null || $(call need,python3-venv)
	@[ -x .venv/bin/python ] || python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r scenarios/alembic/requirements.txt

.PHONY: sea-orm
sea-orm: ## build the migrations of scenarios/command/sea_orm, some minutes, for the test that drives them
	cargo build --locked --manifest-path scenarios/command/sea_orm/Cargo.toml --target-dir target/sea_orm

.PHONY: check
check: setup ## the main job: prove the migrations of PROJECT (scenarios/calista) on both databases
	cargo run -- check $(PROJECT)

.PHONY: test test-sqlite test-postgres test-containers
test: setup ## every test, on both databases
	@$(MAKE) --silent python || echo "without Alembic: the tests that drive it assert what a user without it is told" >&2
	cargo test --workspace --no-fail-fast

test-sqlite: ## every test, without PostgreSQL
	SKIP_POSTGRES_TESTS=1 cargo test --workspace --no-fail-fast

test-postgres: ## the tests that run on PostgreSQL alone
	cargo test --workspace postgres

test-containers: ## the tests of the container path; that there are none is an error
	cargo test --workspace --test server --test containers container | awk '{print} /^test result: ok\. [1-9]/ {ran++} END {exit ran < 2}'

.PHONY: matrix postgres-binaries sqlite-libraries test-on-postgres test-on-sqlite
matrix: postgres-binaries sqlite-libraries ## all scenarios on all versions of both databases, as a grid
	$(VERSIONS) cargo run --quiet $(LINKED) -- matrix $(SCENARIOS)
	$(VERSIONS) cargo run --quiet $(LINKED) -- matrix --same $(wildcard scenarios/checks/*/bad)

postgres-binaries: ## fetch server binaries of each PostgreSQL that is proven into target/postgres
	docker/versions.sh postgres

sqlite-libraries: ## build each SQLite library that is proven into target/sqlite
	docker/versions.sh sqlite

test-on-postgres: ## the tests of what is recorded, on PostgreSQL VERSION
	docker/versions.sh postgres $(VERSION)
	$(VERSIONS) SWITCHBACK_POSTGRES_VERSION=$(VERSION) cargo test $(SAME)
	SWITCHBACK_POSTGRES_BINARIES=$(CURDIR)/target/postgres/$(VERSION) cargo test -p switchback-db \
		--test introspect_postgres --test rows

test-on-sqlite: ## the tests of what is recorded, with the library of SQLite VERSION
	docker/versions.sh sqlite $(VERSION)
	LD_LIBRARY_PATH=$(CURDIR)/target/sqlite/$(VERSION) SWITCHBACK_SQLITE_VERSION=$(VERSION) cargo test $(LINKED) $(SAME)

.PHONY: lint
lint: ## formatting, and clippy with warnings as errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

.PHONY: docs
docs: ## the API documentation, with warnings as errors (its examples run with the tests)
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

.PHONY: bench
bench: ## the benchmarks: ratios within one run; `cargo bench -- NAME` for one of them
	cargo bench --bench '*'

.PHONY: snapshots
snapshots: ## record all snapshots anew; `git diff snapshots` then shows what has changed
	INSTA_UPDATE=always INSTA_FORCE_PASS=1 cargo test --test snapshots --test checks

.PHONY: generated
generated: ## write the files anew that are made from the table of versions
	INSTA_UPDATE=always cargo test --test generated

.PHONY: deny
deny: ## licences, sources and advisories of all dependencies
	@command -v cargo-deny >/dev/null || { echo "error: cargo install cargo-deny, then try again" >&2; exit 1; }
	cargo deny check

.PHONY: docker-engine docker-stop docker-image docker-images
docker-engine: ## start a Docker engine if none answers, installing it where there is none
	docker/engine.sh start

docker-stop: ## stop the engine that `make docker-engine` started, and remove what it held
	docker/engine.sh stop

docker-image: ## build the local image of PostgreSQL, for machines without an image registry
	docker/local-image.sh $(MAJOR)

docker-images: postgres-binaries ## the same of each PostgreSQL that is proven
	for bin in target/postgres/*/bin; do docker/local-image.sh "$$(basename "$$(dirname "$$bin")")" "$$bin" || exit; done
