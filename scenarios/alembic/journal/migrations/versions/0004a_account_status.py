"""accounts have a status: added, filled, then required"""

from alembic import op
import sqlalchemy as sa

revision = "0004a_account_status"
down_revision = "0003_append_only"
branch_labels = ("status",)
depends_on = None


def upgrade():
    op.add_column("accounts", sa.Column("status", sa.String(20), nullable=True))
    op.execute("UPDATE accounts SET status = 'active' WHERE status IS NULL")
    with op.batch_alter_table("accounts") as batch:
        batch.alter_column(
            "status", existing_type=sa.String(20), nullable=False, server_default="active"
        )


def downgrade():
    with op.batch_alter_table("accounts") as batch:
        batch.drop_column("status")
