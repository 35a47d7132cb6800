"""A stand-in of the usual way, built for these measurements.

Synchronous SQLModel sessions by a `yield` dependency, endpoints in threads, a count
with each list, the user read on each request, bcrypt with its default cost, and no
index that fits the list.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

import bcrypt
import jwt
from fastapi import Depends, FastAPI, Header, HTTPException  # noqa: TID251 - the usual way
from pydantic import BaseModel
from sqlmodel import Field, Session, SQLModel, col, create_engine, func, select

SECRET = "s" * 32
PASSWORD = "correct horse battery"  # noqa: S105 - of a bench
engine = create_engine(os.environ["BENCH_DSN"], pool_pre_ping=True)
app = FastAPI()


class UsualUser(SQLModel, table=True):
    """A user."""

    __tablename__ = "bench_users"
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    email: str = Field(unique=True)
    hashed_password: str


class UsualItem(SQLModel, table=True):
    """An item of a user."""

    __tablename__ = "bench_items"
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    owner_id: UUID
    title: str
    category: str = "cream"
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class ItemCreate(BaseModel):
    """A new item."""

    title: str


class ItemList(BaseModel):
    """A page of items."""

    data: list[UsualItem]
    count: int


class Login(BaseModel):
    """A log-in."""

    email: str
    password: str


def get_session() -> Iterator[Session]:
    """Yield a session per request."""
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def get_user(session: SessionDep, authorization: Annotated[str, Header()]) -> UsualUser:
    """Return the user of the token, read anew each time."""
    token = authorization.removeprefix("Bearer ")
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    user = session.get(UsualUser, UUID(claims["sub"]))
    if user is None:
        raise HTTPException(status_code=404)
    return user


CurrentUser = Annotated[UsualUser, Depends(get_user)]


@app.get("/health")
def health() -> dict[str, str]:
    """Answer."""
    return {"status": "ok"}


@app.post("/login")
def login(body: Login, session: SessionDep) -> dict[str, str]:
    """Check a password and give a token."""
    query = select(UsualUser).where(UsualUser.email == body.email)
    user = session.exec(query).one()
    if not bcrypt.checkpw(body.password.encode(), user.hashed_password.encode()):
        raise HTTPException(status_code=401)
    claims = {"sub": str(user.id), "exp": datetime.now(UTC) + timedelta(hours=8)}
    return {"access_token": jwt.encode(claims, SECRET, algorithm="HS256")}


@app.get("/items")
def items(
    session: SessionDep, user: CurrentUser, skip: int = 0, limit: int = 20
) -> ItemList:
    """List the newest items with their number."""
    mine = UsualItem.owner_id == user.id
    count = session.exec(select(func.count()).select_from(UsualItem).where(mine)).one()
    query = (
        select(UsualItem)
        .where(mine)
        .order_by(col(UsualItem.created_at).desc())
        .offset(skip)
        .limit(limit)
    )
    return ItemList(data=list(session.exec(query).all()), count=count)


@app.get("/items/{item_id}")
def item(item_id: UUID, session: SessionDep, user: CurrentUser) -> UsualItem:
    """Show one item."""
    found = session.get(UsualItem, item_id)
    if found is None or found.owner_id != user.id:
        raise HTTPException(status_code=404)
    return found


@app.post("/items")
def create(body: ItemCreate, session: SessionDep, user: CurrentUser) -> UsualItem:
    """Store an item."""
    stored = UsualItem(owner_id=user.id, title=body.title)
    session.add(stored)
    session.commit()
    session.refresh(stored)
    return stored


def seed(counts: dict[str, int]) -> dict[str, Any]:
    """Make the tables and, per user, so many items; return the user ids."""
    SQLModel.metadata.create_all(engine)
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt()).decode()
    users = {name: UsualUser(email=name, hashed_password=hashed) for name in counts}
    ids = {name: str(user.id) for name, user in users.items()}
    with engine.begin() as connection:
        for name, user in users.items():
            connection.exec_driver_sql(
                "insert into bench_users values (%s, %s, %s)", (user.id, name, hashed)
            )
            connection.exec_driver_sql(
                "insert into bench_items (id, owner_id, title, category, created_at) "
                "select gen_random_uuid(), %s, 'cream ' || n, 'cream', "
                "now() - n * interval '1 second' from generate_series(1, %s) n",
                (user.id, counts[name]),
            )
    return ids
