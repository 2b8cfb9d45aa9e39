"""tags of accounts, on a branch of their own"""

from alembic import op
import sqlalchemy as sa

revision = "0004b_tags"
down_revision = "0003_append_only"
branch_labels = ("tags",)
depends_on = None

key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.create_table(
        "tags",
        sa.Column("account_id", key, nullable=False),
        sa.Column("tag", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "tag", name="pk_tags"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_tags_account_id_accounts", ondelete="CASCADE"
        ),
    )


def downgrade():
    op.drop_table("tags")
