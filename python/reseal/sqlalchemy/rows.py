"""Values on their way between a row and its database: sealed until asked for, and bound to their row."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, final
from weakref import WeakKeyDictionary

from sqlalchemy import TypeDecorator, event, inspect, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, LoaderCallableStatus, Mapper
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.orm.exc import UnmappedColumnError

from reseal._adapters import Unopened
from reseal._errors import ResealError
from reseal.sqlalchemy.comparators import filter_none
from reseal.sqlalchemy.defaults import default_of, is_of_program
from reseal.sqlalchemy.errors import bare, undeclared
from reseal.sqlalchemy.index import BlindIndex, source_of, term_of
from reseal.sqlalchemy.standing import stay
from reseal.sqlalchemy.types import Encrypted
from reseal.sqlalchemy.underway import Sealed


@final
class EncryptedAttribute(InstrumentedAttribute[Any]):
    """The attribute of an encrypted column: opens what the row holds when it is first asked for."""

    __slots__ = ()
    inherit_cache = True

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Return the value; of the class, what SQLAlchemy does.

        Errors: `ResealError` with model, column and row id.
        """
        value: Any = super().__get__(instance, owner)
        return _open(self, instance, value) if type(value) is Sealed else value


def _open(attribute: Any, instance: Any, sealed: Sealed) -> Any:
    type_: Any = attribute.property.columns[0].type
    state = inspect(instance)
    try:
        facts = sealed.facts
        if facts is None:
            facts = type_.facts_of(_Committed(state), reading=True)
        identity = state.identity
        row = identity[0] if identity is not None and len(identity) == 1 else identity
        opened = type_.opened(sealed.raw, facts, row)
    except ResealError as error:
        if sealed.reports:
            # What the row holds stays there, so that nothing is written back.
            return Unopened(error)
        raise bare(error) from None
    state.dict[attribute.key] = opened
    return opened


class _Committed:
    """The values of a row by its columns, as the database has them."""

    def __init__(self, state: Any) -> None:
        self.state = state

    def __getitem__(self, column: Any) -> Any:
        key = _key(self.state.mapper, column)
        if key is None:
            raise KeyError(column)
        if key not in self.state.dict and key not in self.state.committed_state:
            getattr(self.state.obj(), key)
        if key not in self.state.committed_state:
            return self.state.dict[key]
        found = self.state.committed_state[key]
        return self._asked(column) if found is LoaderCallableStatus.NO_VALUE else found

    def _asked(self, column: Any) -> Any:
        """What the database has, where a value was set before the one of the row was loaded."""
        mapper, session, identity = self.state.mapper, self.state.session, self.state.identity
        if session is None or identity is None:
            raise KeyError(column)
        keys = zip(mapper.primary_key, identity, strict=True)
        asked = select(column).select_from(mapper.persist_selectable)
        connection = session.connection(bind_arguments={"mapper": mapper})
        found = connection.execute(asked.where(*(key == value for key, value in keys))).first()
        if found is None:
            raise KeyError(column)
        return found[0]


def _key(mapper: Any, column: Any) -> str | None:
    try:
        key: str = mapper.get_property_by_column(column).key
    except UnmappedColumnError:
        return None
    return key


def configured(mapper: Mapper[Any], class_: type[Any]) -> None:
    """Let the attributes of a class open their values when they are asked for.

    Errors: `ArgumentError` for a composite of what is bound to its row.
    """
    _open_composites(mapper)
    for prop in mapper.column_attrs:
        # A discriminator that is an expression is mapped, and is no attribute.
        attribute = mapper.class_manager.get(prop.key)
        if attribute is not None:
            _open_attribute(class_, prop.key, prop, attribute)
    _leave_out(mapper)


def instrumented(class_: type[Any], key: str, attribute: Any) -> None:
    """Do the same for an attribute that a class gets when it is configured already."""
    mapper = inspect(class_, raiseerr=False)
    if mapper is None or not mapper.configured or not hasattr(attribute.property, "columns"):
        return
    _open_attribute(class_, key, attribute.property, attribute)
    for one in mapper.base_mapper.self_and_descendants:
        _written.pop(one, None)
        if one.configured:
            _leave_out(one)


def _open_attribute(class_: type[Any], key: str, prop: Any, attribute: Any) -> None:
    type_: Any = getattr(prop.columns[0], "type", None)
    if not isinstance(type_, Encrypted):
        return
    if type(attribute) is InstrumentedAttribute:
        # Only its behaviour of an instance is another one.
        attribute.__class__ = EncryptedAttribute
    type_.belongs_to(class_.__name__)
    if type_.row_bound:
        _listen(class_, key)


def _leave_out(mapper: Mapper[Any]) -> None:
    for table in mapper.tables:
        for column in getattr(table, "columns", ()):
            if isinstance(column.type, Encrypted) and _key(mapper, column) is None:
                column.type.is_left_out()


def _open_composites(mapper: Mapper[Any]) -> None:
    """A composite is made when its row is loaded, of what its attributes hold by then."""
    for composite in mapper.composites:
        for prop in composite.props:
            type_: Any = getattr(getattr(prop, "columns", [None])[0], "type", None)
            if not isinstance(type_, Encrypted):
                continue
            if type_.row_bound:
                raise undeclared(
                    f"{type_.name()} is bound to its row, and cannot be a part of the composite "
                    f"{composite.key}, which is made before the row is known: map it by itself"
                )
            type_._place.is_composed = True


def _listen(class_: type[Any], key: str) -> None:
    def loaded(state: Any, *_: Any) -> None:
        # What the row has now opens the value, also when the program has changed it meanwhile.
        sealed = state.dict.get(key)
        if type(sealed) is Sealed and sealed.facts is None:
            type_ = state.mapper.column_attrs[key].columns[0].type
            with suppress(ResealError):
                sealed.facts = type_.facts_of(_Loaded(state), reading=True)

    event.listen(class_, "load", loaded, raw=True)
    event.listen(class_, "refresh", loaded, raw=True)


class _Loaded(_Committed):
    """The same, without asking the database."""

    def __getitem__(self, column: Any) -> Any:
        key = _key(self.state.mapper, column)
        found = self.state.committed_state.get(
            key, self.state.dict.get(key, LoaderCallableStatus.NO_VALUE)
        )
        if found is LoaderCallableStatus.NO_VALUE:
            raise KeyError(column)
        return found


# --- before an instance is written ----------------------------------------------------------------


def before_insert(mapper: Any, _connection: Any, target: Any) -> None:
    """Give what is bound together its defaults, and leave the terms to theirs: those of a copy may be of another value."""
    bound, companions, _ = _columns_of(mapper)
    for column in bound:
        _give_defaults(mapper, target, column)
    for companion in companions:
        beside = _key(mapper, companion)
        if beside is None or beside not in inspect(target).dict:
            continue
        if _key(mapper, source_of(companion)) is not None:
            setattr(target, beside, None)


def _give_defaults(mapper: Any, target: Any, column: Any) -> None:
    """A value is sealed before the statement has its defaults, and the instance has them as well."""
    for one in [*filter_none(column.type.tenant_column()), column]:
        key = _key(mapper, one)
        if key is None or not is_of_program(one) or inspect(target).dict.get(key) is not None:
            continue
        state = inspect(target)
        known = {it.columns[0].key: state.dict.get(it.key) for it in mapper.column_attrs}
        setattr(target, key, default_of(one, known))


def before_update(mapper: Any, connection: Any, target: Any) -> None:
    """Write what belongs together: a value, the facts that it is bound to, and its terms."""
    bound, companions, left_out = _columns_of(mapper)
    written = [one for one in bound if _is_written(mapper, target, one)]
    if _is_spelled_anew(mapper, target, written):
        written = [one for one in bound if _is_written(mapper, target, one)]
    for column in written:
        _keep_together(mapper, connection, target, column)
    for column in left_out:
        _let_move(mapper, connection, target, column)
    for companion in companions:
        _renew(mapper, target, companion)


def _columns_of(mapper: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """The columns of a mapper that are bound to their row, those with terms, and those of other classes of its tables."""
    known = _written.get(mapper)
    if known is None:
        columns = [one for table in mapper.tables for one in table.columns]
        bound = [one for one in columns if isinstance(one.type, Encrypted) and one.type.row_bound]
        known = _written[mapper] = (
            [
                one
                for one in mapper.columns
                if isinstance(one.type, Encrypted) and one.type.row_bound
            ],
            [one for one in columns if isinstance(one.type, BlindIndex)],
            [one for one in bound if _key(mapper, one) is None],
        )
    return known


_written: WeakKeyDictionary[Any, tuple[list[Any], list[Any], list[Any]]] = WeakKeyDictionary()


def _let_move(mapper: Any, connection: Any, target: Any, column: Any) -> None:
    """A row of a class without the column may move if it has no value, as no statement may that names no instance."""
    state = inspect(target)
    facts = [_key(mapper, one) for one in column.type.fact_columns()]
    if any(key is not None and state.attrs[key].history.has_changes() for key in facts):
        rows = _moving.setdefault(connection, {})
        rows.setdefault((column.table, state.identity), []).append(column)


def is_moved(connection: Any, table: Any, row_id: tuple[Any, ...]) -> bool:
    """Whether a flush writes a row next that it moves, of a class without what is bound to the row; asked once.

    Another class of the same table may have given it a value, which its database alone knows.
    """
    columns = _moving.get(connection, {}).pop((table, row_id), [])
    if not columns:
        return False
    same = (key == value for key, value in zip(table.primary_key, row_id, strict=True))
    has_value = or_(*(column.is_not(None) for column in columns))
    asked = select(true()).select_from(table).where(*same, has_value)
    return connection.execute(asked).first() is None


_moving: WeakKeyDictionary[Any, dict[tuple[Any, Any], list[Any]]] = WeakKeyDictionary()


def _is_written(mapper: Any, target: Any, column: Any) -> bool:
    """Whether a value is new, or its row moves; it opens, and is written in either case."""
    own = _key(mapper, column)
    if own is None or not _facts(mapper, column):
        return False
    moves = _moves(mapper, target, column)
    if not moves and not inspect(target).attrs[own].history.has_changes():
        return False
    value = getattr(target, own)
    if isinstance(value, Unopened):
        raise value.error
    if moves:
        flag_modified(target, own)
    return True


def _facts(mapper: Any, column: Any) -> list[str]:
    keys = (_key(mapper, one) for one in column.type.fact_columns())
    return [key for key in keys if key is not None]


def _moves(mapper: Any, target: Any, column: Any) -> bool:
    """Whether the program changed what a value is bound to."""
    attrs = inspect(target).attrs
    return any(attrs[key].history.has_changes() for key in _facts(mapper, column))


def _is_spelled_anew(mapper: Any, target: Any, written: list[Any]) -> bool:
    """Set the tenants that a type of the program spells, which may stand there in another way: their rows move."""
    facts = [fact for one in written for fact in filter_none(one.type.tenant_column())]
    spelled = {_key(mapper, one) for one in facts if isinstance(one.type, TypeDecorator)}
    keys = [key for key in spelled if key is not None and getattr(target, key) is not None]
    for key in keys:
        flag_modified(target, key)
    return bool(keys)


def _keep_together(mapper: Any, connection: Any, target: Any, column: Any) -> None:
    """A value is written with its tenant: the new one, or the one that the row has to have yet."""
    fact = column.type.tenant_column()
    tenant = None if fact is None else _key(mapper, fact)
    if tenant is None:
        return
    found = getattr(target, tenant)
    if not _moves(mapper, target, column):
        stay(connection, column.table, target, fact, found)
    elif getattr(target, _key(mapper, column) or "") is not None:
        flag_modified(target, tenant)


def _renew(mapper: Any, target: Any, companion: Any) -> None:
    """The instance knows its new terms, too; inserts have them from the default of the column."""
    source = source_of(companion)
    own, beside = _key(mapper, source), _key(mapper, companion)
    if own is None or beside is None:
        return
    history = inspect(target).attrs[own].history
    value = history.added[0] if history.added else None
    if history.has_changes() and not hasattr(value, "_compiler_dispatch"):
        setattr(target, beside, term_of(companion, value, _Current(mapper, target)))


class _Current:
    """The values of an instance by its columns."""

    def __init__(self, mapper: Any, target: Any) -> None:
        self.mapper, self.target = mapper, target

    def __getitem__(self, column: Any) -> Any:
        key = _key(self.mapper, column)
        if key is None:
            raise KeyError(column)
        return getattr(self.target, key)
