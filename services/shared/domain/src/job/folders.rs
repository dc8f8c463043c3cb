//! Which folders a job uses, and which of them it may write to.

use super::{DataSource, Job, Step};
use crate::ids::FolderId;

impl Job {
    /// The folder that the job's program runs in, once it is prepared.
    pub fn executable_folder(&self) -> Option<&FolderId> {
        self.executable_copy_id
            .as_ref()
            .or(self.remote_executable_folder_id.as_ref())
    }

    /// The folder on the HPC that its owner wants the program to be taken from. Jobs that
    /// an earlier version has prepared run in that folder itself.
    pub fn executable_to_copy(&self) -> Option<&FolderId> {
        let is_owners = self.executable_copy_id.is_some() || self.step == Step::Prepare;
        self.remote_executable_folder_id
            .as_ref()
            .filter(|_| is_owners)
    }

    /// The folders that it has so far.
    pub fn used_folders(&self) -> Vec<&FolderId> {
        [
            &self.remote_executable_folder_id,
            &self.executable_copy_id,
            &self.remote_data_folder_id,
            &self.remote_result_folder_id,
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether one of the two may write to a folder that the other uses. A job writes
    /// to the folder that its program runs in, and to its result folder; to its data
    /// folder if data is brought there, or if the folder `is_writable`.
    pub fn shares_what_is_written(
        &self,
        other: &Self,
        is_writable: impl Fn(&FolderId) -> bool,
    ) -> bool {
        let meets = |one: &Self, other: &Self| {
            let used = other.used_folders();
            let mut written = one.written_folders(&is_writable).into_iter();
            written.any(|folder| used.contains(&folder))
        };
        meets(self, other) || meets(other, self)
    }

    fn written_folders(&self, is_writable: &impl Fn(&FolderId) -> bool) -> Vec<&FolderId> {
        let brings_data = !matches!(DataSource::read(self.local_data_folder.as_ref()), Ok(None));
        let program = match self.executable_to_copy() {
            Some(_) => self.executable_copy_id.as_ref(),
            None => self.executable_folder(),
        };
        let data = self.remote_data_folder_id.as_ref();
        let data = data.filter(|id| brings_data || is_writable(id));
        let written = [program, self.remote_result_folder_id.as_ref(), data];
        written.into_iter().flatten().collect()
    }
}
