"""People: the sample resource."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, UtcDateTime


class PersonRow(Base):
    """Somebody in the list; no account of Latchkey's."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    first_name: Mapped[str] = mapped_column(String(30))
    last_name: Mapped[str] = mapped_column(String(30))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
