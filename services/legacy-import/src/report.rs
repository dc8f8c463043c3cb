//! What an import did, or would do.

use std::collections::BTreeMap;

/// Why a row of the legacy server is not taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Its `userId` is empty: nobody could see it.
    Ownerless,
    /// It belongs to a job that is not taken over.
    OfJobLeftOut,
    /// It belongs to a job that is not there.
    OfNoJob,
    /// The token could not be sealed.
    NotSealed,
    /// The token was withdrawn.
    Deleted,
}

/// What could not be taken over as it was, or was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// A column held no JSON, or of another kind; it is empty now.
    UnreadableJson,
    /// A job named a folder that is left out; it names none now.
    FolderNotHere,
    /// A job was not finished when the legacy server stopped: it is failed now.
    Unfinished,
    /// An event that closes a job that had none was added.
    Closed,
}

impl Reason {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ownerless => "ownerless",
            Self::OfJobLeftOut => "of a job that is left out",
            Self::OfNoJob => "of a job that is not there",
            Self::NotSealed => "not sealed",
            Self::Deleted => "deleted",
        }
    }
}

impl Note {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnreadableJson => "columns without readable JSON, emptied",
            Self::FolderNotHere => "references to folders that are left out, emptied",
            Self::Unfinished => "unfinished, reported as failed",
            Self::Closed => "added, to close a job",
        }
    }
}

/// One table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableReport {
    /// Its name.
    pub table: &'static str,
    /// Rows in the legacy database.
    pub legacy: u64,
    /// Rows in ours before.
    pub before: u64,
    /// Rows of the legacy database that were in ours already, or belong to such a row.
    pub already_here: u64,
    /// Rows that were taken over.
    pub imported: u64,
    /// Rows that were not.
    pub left_out: BTreeMap<Reason, u64>,
    /// What else is to be known.
    pub notes: BTreeMap<Note, u64>,
    /// Rows in ours afterwards.
    pub after: u64,
}

impl TableReport {
    pub(crate) fn leave_out(&mut self, reason: Reason, rows: u64) {
        if rows > 0 {
            *self.left_out.entry(reason).or_default() += rows;
        }
    }

    pub(crate) fn note(&mut self, note: Note, times: u64) {
        if times > 0 {
            *self.notes.entry(note).or_default() += times;
        }
    }

    /// Rows left out, for whatever reason.
    pub fn left_out_rows(&self) -> u64 {
        self.left_out.values().sum()
    }
}
