"""A service with encrypted columns: FastAPI, SQLAlchemy with an async engine, and Reseal."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated, Any

import reseal
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from reseal.sqlalchemy import BlindIndex, Encrypted, on_error
from sqlalchemy import Date, String, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///patients.db"))
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Patient(Base):
    __tablename__ = "patients"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    ssn: Mapped[str | None] = mapped_column(Encrypted(String(11)))
    ssn_index: Mapped[str | None] = mapped_column(
        BlindIndex("ssn", normalizer="digits"), index=True
    )
    born: Mapped[date | None] = mapped_column(Encrypted(Date))


class PatientIn(BaseModel):
    name: str
    ssn: str | None = None
    born: date | None = None


class PatientOut(PatientIn):
    id: int

    @classmethod
    def of(cls, one: Patient) -> PatientOut:
        # Values open here; within pydantic, an error would be one of validation.
        return cls(id=one.id, name=one.name, ssn=one.ssn, born=one.born)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def get_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


Db = Annotated[AsyncSession, Depends(get_session)]


@app.exception_handler(reseal.ResealError)
async def not_opened(_: Request, error: reseal.ResealError) -> JSONResponse:
    """The message names table, column and row, and belongs into the log; the code may go out."""
    status = 422 if error.code == "value-invalid" else 500
    return JSONResponse({"code": error.code}, status_code=status)


@app.post("/patients", status_code=201)
async def create(given: PatientIn, session: Db) -> PatientOut:
    patient = Patient(**given.model_dump())
    session.add(patient)
    await session.commit()
    return PatientOut.of(patient)


@app.get("/patients/{key}")
async def read(key: int, session: Db) -> PatientOut:
    patient = await session.get(Patient, key)
    if patient is None:
        raise HTTPException(404)
    return PatientOut.of(patient)


@app.get("/patients")
async def find(session: Db, ssn: str | None = None) -> list[dict[str, Any]]:
    """A list shows also rows of which a value cannot be opened."""
    asked = select(Patient).order_by(Patient.id)
    if ssn is not None:
        asked = asked.where(Patient.ssn == ssn)
    with on_error("report"):
        patients = await session.scalars(asked)
        return [{"id": one.id, "name": one.name, "ssn": str(one.ssn)} for one in patients]
