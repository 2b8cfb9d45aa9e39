"""What the application declares its schema to be."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from journal.triggers import BY_DIALECT

naming = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = sa.MetaData(naming_convention=naming)

document = sa.JSON().with_variant(JSONB(), "postgresql")
key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", key, primary_key=True),
    sa.Column("email", sa.String(120), nullable=False, unique=True),
    sa.Column("status", sa.String(20), nullable=False, server_default="active"),
)

entries = sa.Table(
    "entries",
    metadata,
    sa.Column("id", key, primary_key=True),
    sa.Column("account_id", key, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("payload", document, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)
sa.Index("ix_entries_account_id", entries.c.account_id)
by_payload = sa.Index("ix_entries_payload", entries.c.payload, postgresql_using="gin")
by_payload.ddl_if(dialect="postgresql") if hasattr(by_payload, "ddl_if") else None

tags = sa.Table(
    "tags",
    metadata,
    sa.Column("account_id", key, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag", sa.String(40), primary_key=True),
)

for dialect, statements in BY_DIALECT.items():
    for statement in statements:
        sa.event.listen(entries, "after_create", sa.DDL(statement).execute_if(dialect=dialect))
