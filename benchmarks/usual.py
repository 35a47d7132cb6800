"""The usual way, built for comparison; not how anything here is written.

Endpoints in threads, a synchronous session for each request, the user looked up each
time, one class for table and schema, a password hash with the library's own settings,
no index on the owner, a count with every list; CORS and the server's own access log,
as a project template sets them up. The items have the members of our products.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

import bcrypt
import jwt
from fastapi import APIRouter, Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel
from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, Session, SQLModel, create_engine, func, select

SECRET = "only-for-this-benchmark-0123456789"  # noqa: S105 - protects nothing
_engine = create_engine(
    os.environ.get("BENCH_DATABASE_URL", "").replace(
        "postgresql://", "postgresql+psycopg://"
    )
)
app = FastAPI()
app.add_middleware(
    CORSMiddleware,
    allow_origins=["http://localhost:5173"],
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)
router = APIRouter()


class ItemBase(SQLModel):
    """What an item is made of."""

    code: str
    name_zh: str
    name_en: str
    category: str
    use: str
    dosage_form: str | None = None
    body_site: str | None = None
    population: str | None = None
    intended_use: str | None = None
    usage: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    sites: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    holder: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    markets: list[str] = Field(default_factory=list, sa_type=JSONB)


def _now() -> datetime:
    return datetime.now(UTC)


class UsualItem(ItemBase, table=True):
    """An item of one owner; the owner has no index."""

    __tablename__ = "usual_items"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    owner_id: UUID = Field(foreign_key="usual_users.id")
    created_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(default_factory=_now, sa_type=DateTime(timezone=True))


class UsualUser(SQLModel, table=True):
    """Somebody who logs in."""

    __tablename__ = "usual_users"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    email: str = Field(unique=True, index=True)
    hashed_password: str


class ItemPublic(ItemBase):
    """An item as clients see it."""

    id: UUID
    created_at: datetime
    updated_at: datetime


class ItemsPublic(SQLModel):
    """A page of items."""

    data: list[ItemPublic]
    count: int


class Login(BaseModel):
    """Who logs in."""

    email: str
    password: str


def get_session() -> Iterator[Session]:
    """Open a session for one request."""
    with Session(_engine) as session:
        yield session


Db = Annotated[Session, Depends(get_session)]
Token = Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="/api/v1/login"))]


def get_user(session: Db, token: Token) -> UsualUser:
    """Verify the token and look the user up."""
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    user = session.get(UsualUser, UUID(claims["sub"]))
    if user is None:
        raise LookupError
    return user


CurrentUser = Annotated[UsualUser, Depends(get_user)]


@app.get("/health")
async def health() -> dict[str, str]:
    """Say that the process is there."""
    return {"status": "ok"}


@router.post("/login")
def login(session: Db, body: Login) -> dict[str, str]:
    """Check a password and give a token."""
    user = session.exec(select(UsualUser).where(UsualUser.email == body.email)).one()
    if not bcrypt.checkpw(body.password.encode(), user.hashed_password.encode()):
        raise PermissionError
    claims = {"sub": str(user.id), "exp": datetime.now(UTC) + timedelta(hours=1)}
    return {"access_token": jwt.encode(claims, SECRET, algorithm="HS256")}


@router.get("/products")
def read_items(
    session: Db, user: CurrentUser, skip: int = 0, limit: int = 20
) -> ItemsPublic:
    """Count the owner's items and return a page of them."""
    mine = UsualItem.owner_id == user.id
    count = session.exec(select(func.count()).select_from(UsualItem).where(mine)).one()
    newest = UsualItem.created_at.desc()  # type: ignore[attr-defined] # SQLModel's columns are typed as their values
    query = select(UsualItem).where(mine).order_by(newest).offset(skip).limit(limit)
    items = session.exec(query).all()
    return ItemsPublic(
        data=[ItemPublic.model_validate(item) for item in items], count=count
    )


@router.get("/products/{item_id}", response_model=ItemPublic)
def read_item(session: Db, user: CurrentUser, item_id: UUID) -> UsualItem:
    """Return one item of the owner."""
    item = session.get(UsualItem, item_id)
    if item is None or item.owner_id != user.id:
        raise LookupError
    return item


@router.post("/products", response_model=ItemPublic)
def create_item(session: Db, user: CurrentUser, body: ItemBase) -> UsualItem:
    """Store an item of the owner."""
    item = UsualItem.model_validate(body, update={"owner_id": user.id})
    session.add(item)
    session.commit()
    session.refresh(item)
    return item


app.include_router(router, prefix="/api/v1")


def prepare(owner_id: UUID, other_id: UUID, password: str) -> None:
    """Make the tables and their two users."""
    SQLModel.metadata.create_all(_engine)
    with Session(_engine) as session:
        for user_id, email in (
            (owner_id, "small@example.org"),
            (other_id, "large@example.org"),
        ):
            hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()
            session.add(UsualUser(id=user_id, email=email, hashed_password=hashed))
        session.commit()
