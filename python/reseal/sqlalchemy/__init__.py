"""Encrypted columns for SQLAlchemy 2, which look like any others: sealed when written, opened when read.

```python
class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    ssn: Mapped[str | None] = mapped_column(Encrypted(String))
    ssn_index: Mapped[str | None] = mapped_column(BlindIndex("ssn", normalizer="digits"), index=True)

session.scalars(select(User).where(User.ssn == "078-05-1120"))
```

It serves Core and ORM, sync and async engines. `reseal.sqlalchemy.alembic` has the operations of migrations.
"""

from __future__ import annotations

from reseal._adapters import Unopened
from reseal.sqlalchemy import events
from reseal.sqlalchemy.config import configure
from reseal.sqlalchemy.index import BlindIndex
from reseal.sqlalchemy.manifest import manifest_of
from reseal.sqlalchemy.reporting import on_error
from reseal.sqlalchemy.types import Encrypted

__all__ = ["BlindIndex", "Encrypted", "Unopened", "configure", "manifest_of", "on_error"]

for _thing in (BlindIndex, Encrypted, configure, manifest_of, on_error):
    # Where a migration imports them from.
    _thing.__module__ = __name__

events.listen()
