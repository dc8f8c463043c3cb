//! Job templates: git repositories that the operator has added.

use compute_domain::Timestamp;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveValue as _, QueryFilter as _,
    QueryOrder as _, Set,
};

use super::may_be_id;
use crate::{Store, StoreError, entity::template};

/// A template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its name, as users know it.
    pub id: String,
    /// Where its repository is.
    pub address: String,
    /// The commit that the operator has pinned; else the newest is used.
    pub sha: Option<String>,
    /// Whether users may use it.
    pub is_approved: bool,
    /// Whether it may also run outside of a container, as the account.
    pub is_raw_approved: bool,
    /// Whether its contained tasks get the launcher's MPI interface, with which they may
    /// start programs outside of the container.
    pub is_mpi_approved: bool,
    /// Added at.
    pub created_at: Timestamp,
    /// Changed at.
    pub updated_at: Option<Timestamp>,
    /// Removed at.
    pub deleted_at: Option<Timestamp>,
}

/// A template that is to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTemplate {
    /// Its name.
    pub id: String,
    /// Where its repository is.
    pub address: String,
    /// The commit to use; `None` for the newest.
    pub sha: Option<String>,
    /// Whether users may use it.
    pub is_approved: bool,
    /// Whether it may also run outside of a container, as the account.
    pub is_raw_approved: bool,
    /// Whether its contained tasks get the launcher's MPI interface, with which they may
    /// start programs outside of the container.
    pub is_mpi_approved: bool,
}

/// What an operator changes; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplatePatch {
    /// Where its repository is.
    pub address: Option<String>,
    /// The commit to use; `Some(None)` for the newest.
    pub sha: Option<Option<String>>,
    /// Whether users may use it.
    pub is_approved: Option<bool>,
    /// Whether it may also run outside of a container, as the account.
    pub is_raw_approved: Option<bool>,
    /// Whether its contained tasks get the launcher's MPI interface, with which they may
    /// start programs outside of the container.
    pub is_mpi_approved: Option<bool>,
}

impl Store {
    /// All templates that are not removed, approved or not, by name.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn templates(&self) -> Result<Vec<Template>, StoreError> {
        let rows = template::Entity::find()
            .filter(template::Column::DeletedAt.is_null())
            .order_by_asc(template::Column::Id)
            .all(&self.connection)
            .await?;
        Ok(rows.into_iter().map(Template::from).collect())
    }

    /// The template of that name, unless it is removed.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be read.
    pub async fn template(&self, id: &str) -> Result<Option<Template>, StoreError> {
        find(&self.connection, id).await
    }

    /// Adds a template; `None` if there is one of that name. The name of a removed
    /// one may be used again.
    ///
    /// # Errors
    /// [`StoreError`] if it was not added, or it is not known whether it was.
    pub async fn add_template(&self, new: NewTemplate) -> Result<Option<Template>, StoreError> {
        let NewTemplate {
            id,
            address,
            sha,
            is_approved,
            is_raw_approved,
            is_mpi_approved,
        } = new;
        let id = id.as_str();
        let row = &template::ActiveModel {
            id: Set(id.to_owned()),
            address: Set(address),
            sha: Set(sha),
            is_approved: Set(is_approved),
            is_raw_approved: Set(is_raw_approved),
            is_mpi_approved: Set(is_mpi_approved),
            created_at: Set(self.now().millis()),
            updated_at: Set(None),
            deleted_at: Set(None),
        };
        self.write(|transaction| async move {
            if find(&*transaction, id).await?.is_some() {
                return Ok(None);
            }
            template::Entity::delete_many()
                .filter(template::Column::Id.eq(id))
                .filter(template::Column::DeletedAt.is_not_null())
                .exec(&*transaction)
                .await?;
            template::Entity::insert(row.clone())
                .exec_without_returning(&*transaction)
                .await?;
            find(&*transaction, id).await
        })
        .await
    }

    /// Changes a template; `None` if no template has that name.
    ///
    /// # Errors
    /// [`StoreError`] if it was not changed, or it is not known whether it was.
    pub async fn set_template(
        &self,
        id: &str,
        patch: TemplatePatch,
    ) -> Result<Option<Template>, StoreError> {
        let TemplatePatch {
            address,
            sha,
            is_approved,
            is_raw_approved,
            is_mpi_approved,
        } = patch;
        let row = &template::ActiveModel {
            address: address.into_active_value(),
            sha: sha.into_active_value(),
            is_approved: is_approved.into_active_value(),
            is_raw_approved: is_raw_approved.into_active_value(),
            is_mpi_approved: is_mpi_approved.into_active_value(),
            updated_at: Set(Some(self.now().millis())),
            ..Default::default()
        };
        self.write(|transaction| async move {
            update(&*transaction, id, row.clone()).await?;
            find(&*transaction, id).await
        })
        .await
    }

    /// Removes a template; false if no template has that name. Jobs that use it
    /// keep what was pinned.
    ///
    /// # Errors
    /// [`StoreError`] if it was not removed, or it is not known whether it was.
    pub async fn remove_template(&self, id: &str) -> Result<bool, StoreError> {
        let row = &template::ActiveModel {
            deleted_at: Set(Some(self.now().millis())),
            ..Default::default()
        };
        self.write(
            |transaction| async move { Ok(update(&*transaction, id, row.clone()).await? > 0) },
        )
        .await
    }
}

async fn find(connection: &impl ConnectionTrait, id: &str) -> Result<Option<Template>, StoreError> {
    if !may_be_id(id) {
        return Ok(None);
    }
    let row = template::Entity::find_by_id(id)
        .filter(template::Column::DeletedAt.is_null())
        .one(connection)
        .await?;
    Ok(row.map(Template::from))
}

async fn update(
    transaction: &impl ConnectionTrait,
    id: &str,
    row: template::ActiveModel,
) -> Result<u64, StoreError> {
    let updated = template::Entity::update_many()
        .set(row)
        .filter(template::Column::Id.eq(id))
        .filter(template::Column::DeletedAt.is_null())
        .exec(transaction)
        .await?;
    Ok(updated.rows_affected)
}
