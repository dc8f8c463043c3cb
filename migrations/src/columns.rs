//! What tables and columns have in common.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Longest text in a column that is compared or indexed, characters.
const SHORT: u32 = 255;

/// A table that does not exist yet. On MariaDB and MySQL its texts are compared
/// byte by byte, as the other databases do: by default `alice` would be `Alice`.
pub(crate) fn table(backend: DbBackend, name: &'static str) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name).if_not_exists();
    if backend == DbBackend::MySql {
        table
            .engine("InnoDB")
            .character_set("utf8mb4")
            .collate("utf8mb4_bin");
    }
    table
}

/// An id or a name.
pub(crate) fn short(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.string_len(SHORT).not_null();
    column
}

/// An id or a name that may be missing.
pub(crate) fn short_or_null(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.string_len(SHORT).null();
    column
}

/// A text of any length. `text` of MariaDB and MySQL ends at 64 KiB.
pub(crate) fn long(backend: DbBackend, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new_with_type(name, long_text(backend));
    column.not_null();
    column
}

/// A text of any length that may be missing.
pub(crate) fn long_or_null(backend: DbBackend, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new_with_type(name, long_text(backend));
    column.null();
    column
}

fn long_text(backend: DbBackend) -> ColumnType {
    if backend == DbBackend::MySql {
        ColumnType::custom("longtext")
    } else {
        ColumnType::Text
    }
}

/// A point in time, milliseconds since 1970-01-01T00:00:00 UTC.
pub(crate) fn time(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer().not_null();
    column
}

/// A whole number, or a point in time, that may be missing.
pub(crate) fn number_or_null(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer().null();
    column
}

/// A whole number that begins at 0.
pub(crate) fn counter(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer().not_null().default(0);
    column
}

/// Yes or no; no, unless given.
pub(crate) fn flag(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.boolean().not_null().default(false);
    column
}

/// `created_at`, `updated_at`, `deleted_at`.
pub(crate) fn life(table: &mut TableCreateStatement) {
    table
        .col(time("created_at"))
        .col(number_or_null("updated_at"))
        .col(number_or_null("deleted_at"));
}
