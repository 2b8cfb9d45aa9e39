"""entries are append-only"""

from alembic import op

from journal.triggers import BY_DIALECT

revision = "0003_append_only"
down_revision = "0002_indexes"
branch_labels = None
depends_on = None


def upgrade():
    for statement in BY_DIALECT[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade():
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER tr_entries_no_truncate ON entries")
        op.execute("DROP TRIGGER tr_entries_append_only ON entries")
        op.execute("DROP FUNCTION journal_forbid_mod()")
    else:
        for trigger in ("tr_entries_no_replace", "tr_entries_no_delete", "tr_entries_no_update"):
            op.execute(f"DROP TRIGGER {trigger}")
