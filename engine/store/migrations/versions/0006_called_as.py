"""Whoever calls a process says who does it there and as what its records are filed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("instance", sa.Column("called_as", sa.Text()))
