//! Before the first row: which walks there are, and whether the database can take what is to be
//! written.

use super::{
    Dialect, Finding, JobOptions, Target, Work,
    catalog::{self, Info, Nature, SetBy, Shape, UniqueKey, unsuitable},
    halt::Halt,
    line::Line,
    references, unique,
    walk::{KeyColumn, ValueColumn, Walk},
};
use crate::{
    error::{Error, Result},
    manifest::ColumnSpec,
    value::ValueType,
};
use alloc::{format, string::String, vec::Vec};

/// A batch could not be undone.
const UNTRANSACTED: &str = "its engine has no transactions, so that nothing that goes wrong could be undone: ALTER \
TABLE … ENGINE=InnoDB";

/// What a database makes of the targets.
pub(super) struct Prepared {
    pub(super) walks: Vec<Walk>,
    /// What stands in the way of some targets, by their place.
    pub(super) findings: Vec<(usize, Finding)>,
}

/// The walks of a job: columns of one table, of one row id and one condition, are walked together.
/// A target that cannot be walked ends it, unless all such targets are to be found.
pub(super) async fn walks(
    line: &Line,
    options: &JobOptions,
    targets: &[Target],
    work: Work,
) -> Result<Prepared, Halt> {
    let dialect = options.dialect;
    let finds_all = work == Work::Plan;
    let mut findings = Vec::new();
    let mut walks: Vec<Walk> = Vec::new();
    let is_written = work.writes() || finds_all;
    let reads_history = work == Work::Census || options.without.is_some();
    let mut tables: Vec<(&str, Vec<Info>, Vec<UniqueKey>, Nature)> = Vec::new();
    for (place, target) in targets.iter().enumerate() {
        let spec = &target.spec;
        if tables.iter().all(|(name, ..)| *name != spec.table) {
            let mut said = Vec::with_capacity(3);
            for ask in [catalog::nature, catalog::keys, catalog::columns] {
                said.push(line.query(ask(dialect, &spec.table)).await?);
            }
            let mut next = || said.pop().unwrap_or_default();
            let columns = catalog::columns_of(&next());
            let keys = catalog::keys_of(&next(), &columns);
            tables.push((&spec.table, columns, keys, catalog::nature_of(&next())));
        }
        let known = tables.iter().find(|(name, ..)| *name == spec.table);
        let Some((_, columns, keys, nature)) = known else {
            continue;
        };
        let table = Table {
            dialect,
            spec,
            columns,
            keys,
            nature: *nature,
            is_written,
            reads_history,
        };
        match table.put(place, options, &mut walks) {
            Err(error) if finds_all => findings.push((place, Finding::of(&error))),
            done => done?,
        }
    }
    let mut sound = Vec::with_capacity(walks.len());
    for walk in walks {
        let is_kept = is_written && walk.nature.lacks_transactions();
        let mut found = is_kept.then(|| unsuitable(&walk.table, UNTRANSACTED));
        // What the database counts by itself needs no row ids.
        let is_counted = options.keys_only && walk.has_prefixes(targets);
        for (statement, what) in walk.obstacles(!is_counted) {
            if found.is_none() && !line.query(statement).await?.is_empty() {
                found = Some(unsuitable(&walk.table, what));
            }
        }
        if found.is_none() && is_written {
            let rows = line.query(references::of(dialect, &walk.table)).await?;
            found = walk.followed(&rows, targets);
        }
        let Some(error) = found else {
            if walk.nature.keeps_history() {
                let targets = walk.values.iter().map(|value| value.target);
                findings.extend(targets.map(|target| (target, walk.history())));
            }
            if finds_all {
                let rows = line.query(unique::of(dialect, &walk.table)).await?;
                findings.extend(walk.doubled(&rows, targets));
            }
            sound.push(walk);
            continue;
        };
        if !finds_all {
            return Err(error.into());
        }
        let targets = walk.values.iter().map(|value| value.target);
        findings.extend(targets.map(|target| (target, Finding::of(&error))));
    }
    Ok(Prepared {
        walks: sound,
        findings,
    })
}

/// What one target needs of its table.
struct Table<'t> {
    dialect: Dialect,
    spec: &'t ColumnSpec,
    columns: &'t [Info],
    keys: &'t [UniqueKey],
    nature: Nature,
    /// Whether the job writes, or is to tell what stands in the way of one that does.
    is_written: bool,
    /// Whether what is counted includes former versions of rows.
    reads_history: bool,
}

impl Table<'_> {
    /// Puts a target into the walk that takes it, or into one of its own.
    fn put(&self, place: usize, options: &JobOptions, walks: &mut Vec<Walk>) -> Result<()> {
        let value = self.value(place)?;
        match walks.iter_mut().find(|walk| walk.takes(self.spec)) {
            Some(walk) => self.join(walk, value)?,
            None => walks.push(self.walk(value, options)?),
        }
        Ok(())
    }

    fn walk(&self, value: ValueColumn, options: &JobOptions) -> Result<Walk> {
        let kept = self
            .columns
            .iter()
            .filter(|info| info.set_by == SetBy::Updates);
        let mut walk = Walk {
            dialect: self.dialect,
            table: self.spec.table.clone(),
            nature: self.nature,
            reads_history: self.reads_history && self.nature.keeps_history(),
            filter: self.spec.filter.clone(),
            keys: self.key()?,
            facts: Vec::new(),
            values: Vec::new(),
            kept: kept.map(|info| info.name.clone()).collect(),
            sample: options.sample_one_in,
            reads_terms: options.reindex,
        };
        self.join(&mut walk, value)?;
        Ok(walk)
    }

    fn join(&self, walk: &mut Walk, mut value: ValueColumn) -> Result<()> {
        for (_, column) in self.spec.row_facts() {
            let there = walk.facts.iter().position(|there| there.name == column);
            value.facts.push(there.unwrap_or(walk.facts.len()));
            if there.is_none() {
                walk.facts.push(self.column(column)?.clone());
            }
        }
        walk.kept.retain(|kept| {
            let mut set = value.terms.iter().chain([&value.info]);
            set.all(|info| info.name != *kept)
        });
        walk.values.push(value);
        Ok(())
    }

    fn value(&self, target: usize) -> Result<ValueColumn> {
        let info = self.column(&self.spec.column)?.clone();
        let shape = info.shape(self.dialect);
        let wrong = match (shape, &self.spec.path) {
            _ if self.is_written && info.is_generated() => "is generated by the database",
            (Shape::Unfit, _) => "holds neither text nor bytes",
            (Shape::Json, None) if self.spec.value_type != ValueType::Json => {
                "holds JSON: say type = \"json\", or make it text"
            }
            (Shape::Bytes, Some(_)) => "holds bytes, and a path leads into text or JSON",
            (_, Some(_)) if !self.spec.indexes.is_empty() => {
                "has a path and blind indexes, which are of one value in a row"
            }
            _ => "",
        };
        if !wrong.is_empty() {
            let what = format!("{}, of type {}, {wrong}", info.name, info.declared);
            return Err(unsuitable(&self.spec.table, &what));
        }
        let mut terms = Vec::new();
        for index in &self.spec.indexes {
            let info = self.column(&index.column)?;
            let wrong = match info.shape(self.dialect) {
                _ if self.is_written && info.is_generated() => "is generated by the database",
                Shape::Text | Shape::Any => "",
                _ => "holds no text",
            };
            if !wrong.is_empty() {
                let what = format!("{}, of type {}, {wrong}", info.name, info.declared);
                return Err(unsuitable(&self.spec.table, &what));
            }
            terms.push(info.clone());
        }
        Ok(ValueColumn {
            info,
            shape,
            target,
            terms,
            facts: Vec::new(),
        })
    }

    fn column(&self, name: &str) -> Result<&Info> {
        if self.columns.is_empty() {
            return Err(unsuitable(&self.spec.table, "there is none of this name"));
        }
        let found = self.columns.iter().find(|info| info.name == name);
        found.ok_or_else(|| unsuitable(&self.spec.table, &format!("it has no column {name}")))
    }

    /// The row id, each of whose values is of one row alone.
    fn key(&self) -> Result<Vec<KeyColumn>> {
        let row_id = &self.spec.row_id;
        let columns: Vec<&Info> = row_id
            .iter()
            .map(|name| self.column(name))
            .collect::<Result<_>>()?;
        let within = |key: &&UniqueKey| key.iter().all(|(column, _)| row_id.contains(column));
        let Some(unique) = self.keys.iter().find(within) else {
            return Err(unsuitable(&self.spec.table, &self.no_unique_key()));
        };
        if let Some(info) = columns.iter().find(|info| !info.is_key(self.dialect)) {
            let what = format!(
                "{} has the type {}, which is no row id",
                info.name, info.declared
            );
            return Err(unsuitable(&self.spec.table, &what));
        }
        let collation = |name: &str| {
            let found = unique.iter().find(|(column, _)| column == name);
            found.and_then(|(_, collation)| collation.clone())
        };
        let columns = columns.into_iter().map(|info| KeyColumn {
            collation: collation(&info.name),
            info: info.clone(),
        });
        Ok(columns.collect())
    }

    fn no_unique_key(&self) -> String {
        let keys = self.keys.iter().map(|key| {
            let names: Vec<&str> = key.iter().map(|(name, _)| name.as_str()).collect();
            format!("({})", names.join(", "))
        });
        let keys: Vec<String> = keys.collect();
        let known = match keys.as_slice() {
            [] => "the table has no unique key".into(),
            keys => format!("its unique keys are {}", keys.join(" and ")),
        };
        let row_id = self.spec.row_id.join(", ");
        format!("the row id ({row_id}) may stand in several rows; {known}")
    }
}

impl Finding {
    fn of(error: &Error) -> Self {
        Self {
            code: error.code().as_str(),
            message: error.message().into(),
        }
    }
}

impl Walk {
    /// That what is rewritten stays in the table as it was.
    fn history(&self) -> Finding {
        Finding {
            code: "keeps-history",
            message: format!(
                "the table keeps former versions of its rows: census and retire count them, and nothing rewrites \
                 them; when nobody needs them any more, DELETE HISTORY FROM {}",
                self.from()
            ),
        }
    }

    /// Whether a column can be walked with those that are there. A column of two paths is walked twice.
    fn takes(&self, spec: &ColumnSpec) -> bool {
        let keys = self.keys.iter().map(|key| &key.info.name);
        self.table == spec.table
            && self.filter == spec.filter
            && keys.eq(&spec.row_id)
            && self
                .values
                .iter()
                .all(|value| value.info.name != spec.column)
    }
}

impl Info {
    /// Whether its values come back as they were given, and in one order.
    fn is_key(&self, dialect: Dialect) -> bool {
        const MYSQL: [&str; 9] = [
            "tinyint",
            "smallint",
            "mediumint",
            "int",
            "bigint",
            "decimal",
            "date",
            "datetime",
            "uuid",
        ];
        let shape = self.shape(dialect);
        dialect != Dialect::Mysql
            || MYSQL.contains(&self.base.as_str())
            || matches!(shape, Shape::Text | Shape::Bytes)
    }
}
