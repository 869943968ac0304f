//! What a command does with a database: each turn is a call of a driver, `reseal/_database.py`.

use crate::error::known_error;
use pyo3::{
    exceptions::PyException,
    intern,
    prelude::*,
    types::{PyBytes, PyInt, PyList, PyString, PyTuple},
};
use reseal::{
    Error, ErrorCode,
    job::{Cell, Dialect, Failure, FailureKind, Reply, Statement},
};
use reseal_cli::{Answer, Turn};

/// The host, which connects and waits, and the database that it gave.
pub(crate) struct Turns<'py> {
    host: Bound<'py, PyAny>,
    database: Option<(Bound<'py, PyAny>, Dialect)>,
}

impl<'py> Turns<'py> {
    pub(crate) fn new(host: Bound<'py, PyAny>) -> Self {
        Self {
            host,
            database: None,
        }
    }

    pub(crate) fn py(&self) -> Python<'py> {
        self.host.py()
    }

    /// What came of a turn. What is raised is no failure of the database, and ends the command.
    pub(crate) fn take(&mut self, turn: Turn) -> PyResult<Answer> {
        if let Turn::Connect(url) = turn {
            return self.connect(url);
        }
        if let Turn::Sleep(milliseconds) = turn {
            let sleep = intern!(self.py(), "sleep");
            self.host.call_method1(sleep, (milliseconds,))?;
            return Ok(Answer::Reply(Reply::Done));
        }
        let reply = match &self.database {
            None => Reply::Failed(Failure::connection_lost()),
            Some((database, dialect)) => match Self::run(turn, database) {
                Ok(reply) => reply,
                // Of the connection, such as one that is in a transaction.
                Err(raised) if is_ours(self.py(), &raised)? => {
                    return Ok(Answer::Unconnected(known_error(self.py(), raised)?));
                }
                Err(raised) => Reply::Failed(failure(raised, database, *dialect)?),
            },
        };
        Ok(Answer::Reply(reply))
    }

    /// Gives the connection back. What a driver has to say then changes nothing any more.
    pub(crate) fn close(&mut self) -> PyResult<()> {
        let Some((database, _)) = self.database.take() else {
            return Ok(());
        };
        let py = database.py();
        match database.call_method0(intern!(py, "close")) {
            Err(raised) if !raised.is_instance_of::<PyException>(py) => Err(raised),
            _ => Ok(()),
        }
    }

    fn connect(&mut self, url: Option<String>) -> PyResult<Answer> {
        let py = self.host.py();
        match self.host.call_method1(intern!(py, "connect"), (url,)) {
            Ok(database) => {
                let dialect = dialect_of(&database)?;
                self.database = Some((database, dialect));
                Ok(Answer::Connected(dialect))
            }
            Err(raised) if is_lost(py, &raised)? => {
                let message = raised.value(py).to_string();
                let error = Error::new(ErrorCode::DatabaseError, message);
                Ok(Answer::Unconnected(error))
            }
            Err(raised) => Ok(Answer::Unconnected(known_error(py, raised)?)),
        }
    }

    fn run(turn: Turn, database: &Bound<'py, PyAny>) -> PyResult<Reply> {
        let py = database.py();
        let done = |name: &Bound<'py, PyString>| {
            database.call_method0(name)?;
            Ok(Reply::Done)
        };
        match turn {
            Turn::Query(statement) => {
                let rows = call(database, intern!(py, "query"), &statement)?;
                Ok(Reply::Rows(cells_of(&rows)?))
            }
            Turn::Execute(statement) => {
                let count = call(database, intern!(py, "execute"), &statement)?;
                Ok(Reply::Count(count.extract()?))
            }
            Turn::Begin => done(intern!(py, "begin")),
            Turn::Commit => done(intern!(py, "commit")),
            Turn::Rollback => done(intern!(py, "rollback")),
            Turn::Reconnect => reconnect(database),
            Turn::Connect(_) | Turn::Sleep(_) | Turn::Breathe | Turn::Ended(_) => Ok(Reply::Done),
        }
    }
}

/// The dialect of a driver.
pub(crate) fn dialect_of(database: &Bound<'_, PyAny>) -> PyResult<Dialect> {
    let name = database.getattr(intern!(database.py(), "dialect"))?;
    Ok(match name.cast::<PyString>()?.to_str()? {
        "postgresql" => Dialect::Postgres,
        "mysql" => Dialect::Mysql,
        _ => Dialect::Sqlite,
    })
}

/// The driver opens another connection for the next statement, if it has let go of the lost one.
fn reconnect(database: &Bound<'_, PyAny>) -> PyResult<Reply> {
    let py = database.py();
    // The first of two may be what finds the connection lost, and leaves the transaction to the other.
    for _ in 0..2 {
        match database.call_method0(intern!(py, "rollback")) {
            Err(raised) if raised.is_instance_of::<PyException>(py) => (),
            Err(raised) => return Err(raised),
            Ok(_) => break,
        }
    }
    database.call_method1(intern!(py, "query"), ("SELECT 1",))?;
    Ok(Reply::Done)
}

/// What a driver raised, as the failure that it is.
pub(crate) fn failure(
    raised: PyErr,
    database: &Bound<'_, PyAny>,
    dialect: Dialect,
) -> PyResult<Failure> {
    let py = database.py();
    let is_lost = is_lost(py, &raised)?;
    // An error of the package is of the caller's connection, and says what is wrong with it.
    let is_of_database =
        raised.is_instance_of::<PyException>(py) && (is_lost || !is_ours(py, &raised)?);
    if !is_of_database {
        return Err(raised);
    }
    let parts = database.call_method1(intern!(py, "failure"), (raised.value(py),))?;
    let code: String = parts.getattr(intern!(py, "code"))?.extract()?;
    let failure = Failure::of(dialect, &code);
    if !is_lost {
        return Ok(failure);
    }
    Ok(Failure {
        kind: FailureKind::ConnectionLost,
        ..failure
    })
}

/// Whether there is no connection.
fn is_lost(py: Python<'_>, raised: &PyErr) -> PyResult<bool> {
    let class = intern!(py, "DatabaseError");
    is_of(
        raised,
        &py.import(intern!(py, "reseal._database_base"))?,
        class,
    )
}

fn is_ours(py: Python<'_>, raised: &PyErr) -> PyResult<bool> {
    let class = intern!(py, "ResealError");
    is_of(raised, &py.import(intern!(py, "reseal._errors"))?, class)
}

fn is_of(
    raised: &PyErr,
    module: &Bound<'_, PyModule>,
    class: &Bound<'_, PyString>,
) -> PyResult<bool> {
    Ok(raised.matches(module.py(), module.getattr(class)?)?)
}

pub(crate) fn call<'py>(
    database: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    statement: &Statement,
) -> PyResult<Bound<'py, PyAny>> {
    let params = list(database.py(), &statement.params)?;
    database.call_method1(name, (&statement.sql, params))
}

fn list<'py>(py: Python<'py>, cells: &[Cell]) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for cell in cells {
        list.append(object(py, cell)?)?;
    }
    Ok(list)
}

fn object<'py>(py: Python<'py>, cell: &Cell) -> PyResult<Bound<'py, PyAny>> {
    Ok(match cell {
        Cell::Null | Cell::Other => py.None().into_bound(py),
        Cell::Int(number) => number.into_pyobject(py)?.into_any(),
        Cell::Text(text) => PyString::new(py, text).into_any(),
        Cell::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
    })
}

pub(crate) fn cells_of(rows: &Bound<'_, PyAny>) -> PyResult<Vec<Vec<Cell>>> {
    let rows = rows.cast::<PyList>()?;
    let row = |row: Bound<'_, PyAny>| {
        let row = row.cast_into::<PyTuple>()?;
        row.iter().map(|it| cell(&it)).collect()
    };
    rows.iter().map(row).collect()
}

fn cell(value: &Bound<'_, PyAny>) -> PyResult<Cell> {
    if value.is_none() {
        return Ok(Cell::Null);
    }
    if let Ok(text) = value.cast::<PyString>() {
        // Text with a lone surrogate is none that a database has.
        return Ok(text.to_str().map_or(Cell::Other, Cell::from));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Cell::from(bytes.as_bytes().to_vec()));
    }
    let Ok(number) = value.cast::<PyInt>() else {
        return Ok(Cell::Other);
    };
    // A larger one goes on as its digits.
    match number.extract::<i64>() {
        Ok(number) => Ok(Cell::from(number)),
        Err(_) => Ok(Cell::from(number.str()?.to_str()?)),
    }
}
