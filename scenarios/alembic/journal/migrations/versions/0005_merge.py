"""both branches are one again"""

revision = "0005_merge"
down_revision = ("0004a_account_status", "0004b_tags")
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
