"""indexes, the one on the payload on PostgreSQL only"""

from alembic import op

revision = "0002_indexes"
down_revision = "0001_accounts_and_entries"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_entries_account_id", "entries", ["account_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_entries_payload", "entries", ["payload"], postgresql_using="gin")


def downgrade():
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_entries_payload", table_name="entries")
    op.drop_index("ix_entries_account_id", table_name="entries")
