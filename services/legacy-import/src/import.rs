//! The import: table after table, so that what is referred to comes first.

use std::collections::BTreeSet;

use compute_db::{
    Store, StoreError,
    import::{Importer, JobBatch, event, folder, job as job_row, log, refresh_token, template},
};
use sea_orm::{EntityTrait, IntoActiveModel as _, Set};

use crate::{
    LegacyDatabase, Seal, TableReport, job,
    report::{Note, Reason},
    rows, tables,
};

/// Rows of the smaller tables in one transaction.
const BATCH: u64 = 500;

/// Jobs in one transaction, each with its events and logs.
const JOB_BATCH: u64 = 100;

impl LegacyDatabase {
    /// Takes everything over into `store` and says what was done, table by table.
    /// A dry run says the same and writes nothing.
    ///
    /// # Errors
    /// [`StoreError`] of either database; what was committed before stays, and the
    /// import can be done again.
    pub async fn import_into(
        &self,
        store: &Store,
        seal: &Seal<'_>,
        is_dry_run: bool,
    ) -> Result<Vec<TableReport>, StoreError> {
        let import = Import {
            legacy: self,
            importer: Importer::new(store),
            is_dry_run,
        };
        let (folders, here) = import.folders().await?;
        let templates = import.templates().await?;
        let [jobs, events, logs] = import.jobs(&here).await?;
        let tokens = import.tokens(seal).await?;
        Ok(vec![folders, jobs, events, logs, templates, tokens])
    }
}

struct Import<'a> {
    legacy: &'a LegacyDatabase,
    importer: Importer<'a>,
    is_dry_run: bool,
}

impl Import<'_> {
    /// The ids of all folders that jobs may name afterwards come with the report.
    async fn folders(&self) -> Result<(TableReport, BTreeSet<String>), StoreError> {
        let mut report = self
            .begin::<tables::folder::Entity, folder::Entity>("folders")
            .await?;
        let mut known = BTreeSet::new();
        let mut after = None;
        loop {
            let page = self
                .legacy
                .page::<tables::folder::Entity>(after, BATCH)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            let ids: Vec<_> = page.iter().map(|row| row.id.clone()).collect();
            let here = self.importer.existing_keys::<folder::Entity>(&ids).await?;
            let mut batch = Vec::new();
            for row in page {
                if here.contains(&row.id) {
                    report.already_here += 1;
                    known.insert(row.id);
                    continue;
                }
                match rows::folder_of(row) {
                    Ok(row) => {
                        known.insert(row.id.clone());
                        batch.push(row.into_active_model());
                    }
                    Err(reason) => report.leave_out(reason, 1),
                }
            }
            report.imported += self.write::<folder::Entity, _>(batch).await?;
        }
        self.end::<folder::Entity>(&mut report).await?;
        Ok((report, known))
    }

    async fn templates(&self) -> Result<TableReport, StoreError> {
        let mut report = self
            .begin::<tables::template::Entity, template::Entity>("gits")
            .await?;
        let mut after = None;
        loop {
            let page = self
                .legacy
                .page::<tables::template::Entity>(after, BATCH)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            let ids: Vec<_> = page.iter().map(|row| row.id.clone()).collect();
            let here = self
                .importer
                .existing_keys::<template::Entity>(&ids)
                .await?;
            let new = page.into_iter().filter(|row| !here.contains(&row.id));
            let batch = new.map(|row| rows::template_of(row).into_active_model());
            let batch: Vec<_> = batch.collect();
            report.already_here += here.len() as u64;
            report.imported += self.write::<template::Entity, _>(batch).await?;
        }
        self.end::<template::Entity>(&mut report).await?;
        Ok(report)
    }

    async fn tokens(&self, seal: &Seal<'_>) -> Result<TableReport, StoreError> {
        let mut report = self
            .begin::<tables::refresh_token::Entity, refresh_token::Entity>(
                "globus_transfer_refresh_token",
            )
            .await?;
        let mut after = None;
        loop {
            let page = self
                .legacy
                .page::<tables::refresh_token::Entity>(after, BATCH)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.identity.clone());
            let ids: Vec<_> = page.iter().map(|row| row.identity.clone()).collect();
            let here = self
                .importer
                .existing_keys::<refresh_token::Entity>(&ids)
                .await?;
            report.already_here += here.len() as u64;
            let mut batch = Vec::new();
            for row in page.into_iter().filter(|row| !here.contains(&row.identity)) {
                match rows::token_of(row, seal) {
                    Ok(row) => batch.push(row.into_active_model()),
                    Err(reason) => report.leave_out(reason, 1),
                }
            }
            report.imported += self.write::<refresh_token::Entity, _>(batch).await?;
        }
        self.end::<refresh_token::Entity>(&mut report).await?;
        Ok(report)
    }

    /// Reports of jobs, events and logs. `folders` are those that can be named.
    async fn jobs(&self, folders: &BTreeSet<String>) -> Result<[TableReport; 3], StoreError> {
        let mut jobs = self
            .begin::<tables::job::Entity, job_row::Entity>("jobs")
            .await?;
        let mut events = self
            .begin::<tables::event::Entity, event::Entity>("events")
            .await?;
        let mut logs = self
            .begin::<tables::log::Entity, log::Entity>("logs")
            .await?;
        let mut after = None;
        loop {
            let page = self
                .legacy
                .page::<tables::job::Entity>(after, JOB_BATCH)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            let ids: Vec<_> = page.iter().map(|row| row.id.clone()).collect();
            let here = self.importer.existing_keys::<job_row::Entity>(&ids).await?;
            let mut said = (
                self.legacy.events(&ids).await?,
                self.legacy.logs(&ids).await?,
            );
            let mut batch = JobBatch::default();
            for row in page {
                let its_events = said.0.remove(&row.id).unwrap_or_default();
                let its_logs = said.1.remove(&row.id).unwrap_or_default();
                let counts = (its_events.len() as u64, its_logs.len() as u64);
                if here.contains(&row.id) {
                    jobs.already_here += 1;
                    events.already_here += counts.0;
                    logs.already_here += counts.1;
                    continue;
                }
                let Some(mapped) = job::map(row, &its_events, |id| folders.contains(id)) else {
                    jobs.leave_out(Reason::Ownerless, 1);
                    events.leave_out(Reason::OfJobLeftOut, counts.0);
                    logs.leave_out(Reason::OfJobLeftOut, counts.1);
                    continue;
                };
                jobs.imported += 1;
                events.imported += counts.0;
                logs.imported += counts.1;
                let is_unfinished = mapped.row.cause.as_deref() == Some(job::UNFINISHED);
                jobs.note(Note::Unfinished, u64::from(is_unfinished));
                for note in mapped.notes {
                    jobs.note(note, 1);
                }
                batch
                    .events
                    .extend(its_events.into_iter().map(rows::event_of));
                if let Some((event, at)) = mapped.closing {
                    events.note(Note::Closed, 1);
                    batch.events.push(event::ActiveModel {
                        job_id: Set(mapped.row.id.clone()),
                        kind: Set(event.kind.as_str().to_owned()),
                        message: Set(event.message),
                        created_at: Set(at),
                        updated_at: Set(None),
                        deleted_at: Set(None),
                        ..Default::default()
                    });
                }
                batch.logs.extend(its_logs.into_iter().map(rows::log_of));
                batch.jobs.push(mapped.row.into_active_model());
            }
            if !self.is_dry_run {
                self.importer.insert_jobs(&batch).await?;
            }
        }
        for report in [&mut events, &mut logs] {
            let seen = report.already_here + report.imported + report.left_out_rows();
            report.leave_out(Reason::OfNoJob, report.legacy.saturating_sub(seen));
        }
        self.end::<job_row::Entity>(&mut jobs).await?;
        self.end::<event::Entity>(&mut events).await?;
        self.end::<log::Entity>(&mut logs).await?;
        Ok([jobs, events, logs])
    }

    async fn begin<Legacy, Ours>(&self, table: &'static str) -> Result<TableReport, StoreError>
    where
        Legacy: EntityTrait<Model: Sync>,
        Ours: EntityTrait<Model: Sync>,
    {
        Ok(TableReport {
            table,
            legacy: self.legacy.count::<Legacy>().await?,
            before: self.importer.count::<Ours>().await?,
            ..TableReport::default()
        })
    }

    async fn end<Ours>(&self, report: &mut TableReport) -> Result<(), StoreError>
    where
        Ours: EntityTrait<Model: Sync>,
    {
        report.after = self.importer.count::<Ours>().await?;
        Ok(())
    }

    /// Writes the rows, unless this is a dry run; how many they are.
    async fn write<E, A>(&self, rows: Vec<A>) -> Result<u64, StoreError>
    where
        E: EntityTrait,
        A: sea_orm::ActiveModelTrait<Entity = E> + Clone + Send + Sync,
    {
        if !self.is_dry_run {
            self.importer.insert_rows(&rows).await?;
        }
        Ok(rows.len() as u64)
    }
}
