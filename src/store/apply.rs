//! Applying a template's `schema.sql`, all of it or nothing.
//!
//! A table that is there already is the owner's, with the owner's rows: it is kept as it is and its
//! seed rows are left out. So a template can be applied again after an update.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use super::names::SYSTEM_COLUMNS;
use super::schema::{Step, StepKind, read};
use super::tables::{columns, register, table_exists};
use super::{Database, Policy, SchemaError, StoreError, TableName};
use crate::peer_id::PeerId;

/// How long one `schema.sql` may take: its seed values are expressions of a stranger.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// What [`Database::apply_schema`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppliedSchema {
    /// Tables that were made, in the file's order.
    pub created: Vec<TableName>,
    /// Tables that were there already and stay as they are.
    pub kept: Vec<TableName>,
}

impl Database {
    /// Runs a template's `schema.sql` in one transaction: makes its tables with the system columns,
    /// registers them under `policies` (by table name, in any case; a table without an entry gets
    /// [`Policy::Owner`]), and adds its seed rows as rows of `owner`.
    ///
    /// # Errors
    /// [`SchemaError`] names the line. The database is unchanged then.
    pub fn apply_schema(
        &self,
        owner: &PeerId,
        sql: &str,
        policies: &BTreeMap<String, Policy>,
    ) -> Result<AppliedSchema, SchemaError> {
        let steps = read(sql)?;
        let mut writer = self.writer();
        writer.clock.set(Instant::now() + TIME_LIMIT, Arc::default());
        let applied = apply(&mut writer.connection, owner, &steps, policies);
        writer.clock.clear();
        applied
    }
}

fn apply(
    connection: &mut Connection,
    owner: &PeerId,
    steps: &[Step],
    policies: &BTreeMap<String, Policy>,
) -> Result<AppliedSchema, SchemaError> {
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(database_error)?;
    let mut applied = AppliedSchema::default();
    for step in steps {
        let failed =
            |error: StoreError| SchemaError::Statement { line: step.line, problem: error.to_string() };
        run_step(&transaction, owner, step, &mut applied).map_err(failed)?;
    }
    for table in &applied.created {
        let policy = policies.iter().find(|(name, _)| name.eq_ignore_ascii_case(table.as_str()));
        let policy = policy.map_or(Policy::Owner, |(_, policy)| *policy);
        register(&transaction, table, policy).map_err(database_error)?;
        // A seed row that names an owner of its own is the host's all the same.
        let stamp = format!("UPDATE \"{table}\" SET _owner = ?1 WHERE _owner <> ?1");
        transaction.execute(&stamp, [owner.as_str()]).map_err(database_error)?;
    }
    transaction.commit().map_err(database_error)?;
    Ok(applied)
}

fn run_step(
    connection: &Connection,
    owner: &PeerId,
    step: &Step,
    applied: &mut AppliedSchema,
) -> Result<(), StoreError> {
    let is_kept = applied.kept.iter().any(|kept| kept.as_str().eq_ignore_ascii_case(step.table.as_str()));
    match step.kind {
        StepKind::CreateTable { .. } if table_exists(connection, &step.table)? => {
            let ours = applied.created.contains(&step.table);
            if !ours && !is_kept {
                applied.kept.push(step.table.clone());
            }
        }
        StepKind::CreateTable { .. } => {
            connection.execute(&step.sql, [])?;
            check_system_columns(connection, &step.table)?;
            applied.created.push(step.table.clone());
        }
        StepKind::CreateIndex { if_not_exists } if if_not_exists || !is_kept => {
            connection.execute(&step.sql, [])?;
        }
        StepKind::Insert { stamped } if !is_kept => {
            let owner = stamped.then(|| owner.as_str());
            connection.execute(&step.sql, rusqlite::params_from_iter(owner))?;
        }
        StepKind::CreateIndex { .. } | StepKind::Insert { .. } => {}
    }
    Ok(())
}

fn check_system_columns(connection: &Connection, table: &TableName) -> Result<(), StoreError> {
    let columns = columns(connection, table)?;
    let missing = SYSTEM_COLUMNS.iter().find(|system| !columns.iter().any(|column| column.name == **system));
    if let Some(missing) = missing {
        let message = format!("table {table} has no column {missing}");
        return Err(StoreError::Sqlite { message });
    }
    let id = columns.iter().find(|column| column.name == "_id");
    let has_key =
        columns.iter().any(|column| column.pk && column.column_type.eq_ignore_ascii_case("INTEGER"));
    if !has_key || !id.is_some_and(|id| id.column_type.eq_ignore_ascii_case("INTEGER")) {
        let message = format!("table {table}: _id has to be INTEGER PRIMARY KEY");
        return Err(StoreError::Sqlite { message });
    }
    Ok(())
}

fn database_error(error: rusqlite::Error) -> SchemaError {
    SchemaError::Database { message: StoreError::from(error).to_string() }
}
