//! What a database refuses, by the codes of its dialect.

use super::Dialect;
use crate::error::{Error, ErrorCode};
use alloc::{format, string::String};

/// `protocol_violation` of PostgreSQL: the code of all that `PgBouncer` itself refuses.
const POOLER: &str = "08P01";

/// A statement that failed.
///
/// # Security
/// The message of the database is not part of it: it may quote the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it means for the job.
    pub kind: FailureKind,
    /// The code that the database gave, for a person to look up; of 40 characters at most.
    pub code: String,
}

impl Failure {
    /// The failure that a code of a dialect means: the SQLSTATE of PostgreSQL, the error number of
    /// MySQL, and of SQLite the extended code, as a number or by its name.
    ///
    /// # Example
    /// ```
    /// use reseal::job::{Dialect, Failure, FailureKind};
    /// assert_eq!(Failure::of(Dialect::Postgres, "40P01").kind, FailureKind::Deadlock);
    /// assert_eq!(Failure::of(Dialect::Mysql, "1205").kind, FailureKind::LockTimeout);
    /// assert_eq!(Failure::of(Dialect::Sqlite, "SQLITE_BUSY").kind, FailureKind::LockTimeout);
    /// ```
    #[must_use]
    pub fn of(dialect: Dialect, code: &str) -> Self {
        let kind = match dialect {
            Dialect::Postgres => postgres(code),
            Dialect::Mysql => code.parse().map_or(FailureKind::Other, mysql),
            Dialect::Sqlite => sqlite(code),
        };
        let shown = code.chars().filter(char::is_ascii_graphic);
        Self {
            kind,
            code: shown.take(40).collect(),
        }
    }

    /// A connection that is gone, or was never there.
    ///
    /// # Example
    /// ```
    /// use reseal::job::{Failure, FailureKind};
    /// assert_eq!(Failure::connection_lost().kind, FailureKind::ConnectionLost);
    /// ```
    #[must_use]
    pub fn connection_lost() -> Self {
        Self {
            kind: FailureKind::ConnectionLost,
            code: String::new(),
        }
    }

    /// Whether the same batch may succeed when it is tried again.
    pub(super) const fn is_passing(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::Deadlock
                | FailureKind::Serialization
                | FailureKind::LockTimeout
                | FailureKind::ConnectionLost
        )
    }

    /// The code of a row that the database does not take, where the failure is a matter of rows.
    pub(super) fn refusal(&self) -> Option<ErrorCode> {
        match self.kind {
            FailureKind::Duplicate => Some(ErrorCode::DuplicateValue),
            FailureKind::Constraint => Some(ErrorCode::ConstraintViolated),
            FailureKind::TooLong => Some(ErrorCode::ColumnUnsuitable),
            FailureKind::Other if is_raised(&self.code) => Some(ErrorCode::ConstraintViolated),
            _ => None,
        }
    }
}

/// The error `database-error`, with what it means and the code of the database.
impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let code = match failure.code.as_str() {
            "" => "it gave no code",
            code => code,
        };
        let what = failure.kind.words();
        let hint = match (code, failure.kind) {
            (POOLER, _) => ": a pooler that refuses transactions? connect to the server itself",
            (_, FailureKind::StatementTimeout) => ": give it more time, or make batches smaller",
            (_, FailureKind::Constraint) => {
                ": does a check, a foreign key or a trigger speak of a sealed column? change that first"
            }
            _ => "",
        };
        let message = format!("the database did not do it: {what} ({code}){hint}");
        Self::new(ErrorCode::DatabaseError, message)
    }
}

/// What a failure means for the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Two transactions waited for each other, and this one was chosen to end.
    Deadlock,
    /// Another transaction changed what this one had read.
    Serialization,
    /// Another transaction held a lock for too long.
    LockTimeout,
    /// The statement took longer than allowed.
    StatementTimeout,
    /// The connection is gone.
    ConnectionLost,
    /// The user may not do this, or nobody may write here.
    PermissionDenied,
    /// There is no such table.
    NoSuchTable,
    /// There is no such column.
    NoSuchColumn,
    /// There is no space left.
    DiskFull,
    /// A value is longer than its column.
    TooLong,
    /// A value that must be unique is there already, or a table that another one makes at the same time.
    Duplicate,
    /// A constraint of the table, such as a check or a foreign key, or a trigger does not take a value; or an index,
    /// an expression or a character set.
    Constraint,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// What happened, for a message.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Deadlock => "it ended a deadlock with another transaction",
            Self::Serialization => "another transaction changed the same rows",
            Self::LockTimeout => "another transaction held a lock for too long",
            Self::StatementTimeout => "the statement took longer than allowed",
            Self::ConnectionLost => "the connection was lost",
            Self::PermissionDenied => "the user may not do this here",
            Self::NoSuchTable => "there is no such table",
            Self::NoSuchColumn => "there is no such column",
            Self::DiskFull => "there is no space left",
            Self::TooLong => "a value is longer than its column",
            Self::Duplicate => "a value that must be unique is there already",
            Self::Constraint => "a constraint or a trigger of the table does not take a value",
            Self::Other => "it refused the statement",
        }
    }
}

/// Whether a code of PostgreSQL, which is of a whole statement mostly, may come from what a trigger does for one row.
fn is_raised(code: &str) -> bool {
    matches!(code, "55000" | "XX000") || code.len() == 5 && code.starts_with("42")
}

fn postgres(code: &str) -> FailureKind {
    match code {
        "40P01" => FailureKind::Deadlock,
        "40001" => FailureKind::Serialization,
        "55P03" => FailureKind::LockTimeout,
        "57014" => FailureKind::StatementTimeout,
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" | "53300" => {
            FailureKind::ConnectionLost
        }
        "42501" | "25006" | "28000" | "28P01" => FailureKind::PermissionDenied,
        "42P01" | "3F000" => FailureKind::NoSuchTable,
        "42703" => FailureKind::NoSuchColumn,
        "53100" => FailureKind::DiskFull,
        "22001" => FailureKind::TooLong,
        // The last two of a table, or of its type, that is made twice at once.
        "23505" | "42P07" | "42710" => FailureKind::Duplicate,
        // Of an index that takes no value so long.
        "54000" => FailureKind::Constraint,
        _ => match code.get(..2) {
            Some("08") => FailureKind::ConnectionLost,
            // What triggers do and expressions make of it, what the character set lacks, and all constraints.
            Some("09" | "21" | "22" | "23" | "27" | "38" | "39" | "44" | "45" | "P0") => {
                FailureKind::Constraint
            }
            // The standard leaves these classes to whoever raises.
            Some(class)
                if class != "XX" && class.starts_with(|first| matches!(first, 'I'..='Z')) =>
            {
                FailureKind::Constraint
            }
            _ => FailureKind::Other,
        },
    }
}

/// The numbers of MySQL and of MariaDB, and those of their clients from 2000.
fn mysql(code: u32) -> FailureKind {
    // Of a view with a check, of what a trigger raises or does, of what the character set or the type lacks, of
    // documents, and of a check, in MySQL and in MariaDB.
    const CONSTRAINTS: [u32; 26] = [
        1048, 1118, 1138, 1172, 1216, 1217, 1242, 1264, 1265, 1292, 1364, 1365, 1366, 1369, 1411,
        1451, 1452, 1644, 1690, 1977, 3140, 3141, 3819, 3854, 3988, 4025,
    ];
    match code {
        1213 => FailureKind::Deadlock,
        1020 => FailureKind::Serialization,
        1205 | 3572 => FailureKind::LockTimeout,
        // The last one of a statement that somebody ended, as those do who look for long ones.
        1969 | 3024 | 1317 => FailureKind::StatementTimeout,
        // A node of Galera that has left its cluster says 1047 to all statements. The server closes the connection of a
        // packet that is too large, 1153.
        1040 | 1047 | 1053 | 1077 | 1080 | 1153 | 1927 | 2002 | 2003 | 2006 | 2013 | 2055
        | 4031 => FailureKind::ConnectionLost,
        1044 | 1045 | 1142 | 1143 | 1227 | 1290 | 1792 | 1836 => FailureKind::PermissionDenied,
        1049 | 1146 => FailureKind::NoSuchTable,
        1054 => FailureKind::NoSuchColumn,
        1021 | 1114 => FailureKind::DiskFull,
        1406 => FailureKind::TooLong,
        1062 | 1586 => FailureKind::Duplicate,
        _ if CONSTRAINTS.contains(&code) => FailureKind::Constraint,
        // A trigger numbers its own.
        30_000..=49_999 => FailureKind::Constraint,
        _ => FailureKind::Other,
    }
}

fn sqlite(code: &str) -> FailureKind {
    const BUSY_SNAPSHOT: u32 = 517;
    // Of a primary key, of another key, and of a rowid.
    const DUPLICATES: [u32; 3] = [1555, 2067, 2579];
    let Ok(number) = code.parse::<u32>() else {
        return sqlite_name(code);
    };
    // The last byte is the primary code.
    match number & 0xff {
        _ if number == BUSY_SNAPSHOT => FailureKind::Serialization,
        _ if DUPLICATES.contains(&number) => FailureKind::Duplicate,
        5 | 6 => FailureKind::LockTimeout,
        9 => FailureKind::StatementTimeout,
        3 | 8 | 23 => FailureKind::PermissionDenied,
        13 => FailureKind::DiskFull,
        18 => FailureKind::TooLong,
        // All constraints, what a trigger raises, and a value of another type.
        19 | 20 => FailureKind::Constraint,
        _ => FailureKind::Other,
    }
}

fn sqlite_name(name: &str) -> FailureKind {
    const NAMES: [(&str, FailureKind); 14] = [
        ("SQLITE_BUSY_SNAPSHOT", FailureKind::Serialization),
        ("SQLITE_BUSY", FailureKind::LockTimeout),
        ("SQLITE_LOCKED", FailureKind::LockTimeout),
        ("SQLITE_INTERRUPT", FailureKind::StatementTimeout),
        ("SQLITE_PERM", FailureKind::PermissionDenied),
        ("SQLITE_READONLY", FailureKind::PermissionDenied),
        ("SQLITE_AUTH", FailureKind::PermissionDenied),
        ("SQLITE_FULL", FailureKind::DiskFull),
        ("SQLITE_TOOBIG", FailureKind::TooLong),
        ("SQLITE_CONSTRAINT_PRIMARYKEY", FailureKind::Duplicate),
        ("SQLITE_CONSTRAINT_UNIQUE", FailureKind::Duplicate),
        ("SQLITE_CONSTRAINT_ROWID", FailureKind::Duplicate),
        ("SQLITE_CONSTRAINT", FailureKind::Constraint),
        ("SQLITE_MISMATCH", FailureKind::Constraint),
    ];
    let found = NAMES.iter().find(|(prefix, _)| name.starts_with(prefix));
    found.map_or(FailureKind::Other, |(_, kind)| *kind)
}
