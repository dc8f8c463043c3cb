//! A cache of the approved templates' manifests, refreshed in the background. A request
//! waits for a repository only if the template was approved a moment ago, perhaps through
//! another gateway.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use compute_db::{Store, Template};
use compute_domain::manifest::Manifest;
use compute_templates::{Mirrors, Snapshot};
use futures::{StreamExt as _, stream};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

/// How long a fetch may take that a request waits for.
const FETCH_TIMEOUT: Duration = Duration::from_secs(20);

/// Repositories fetched at the same time.
const AT_ONCE: usize = 2;

/// A template that was fetched.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its repository.
    pub address: String,
    /// Its commit.
    pub sha: String,
    /// Its manifest as in the repository.
    pub raw: Value,
    /// Its manifest, parsed.
    pub manifest: Manifest,
    /// Whether it is approved for everything it does. Otherwise it is not listed, as its jobs
    /// would be rejected.
    pub is_shown: bool,
}

/// Each approved template by id, or the reason why it is left out.
type KnownById = BTreeMap<String, Result<Arc<Known>, String>>;

/// The cache. Cheap to clone.
#[derive(Clone)]
pub struct TemplateCache {
    store: Store,
    mirrors: Mirrors,
    known: Arc<RwLock<KnownById>>,
}

impl TemplateCache {
    /// An empty cache.
    pub fn new(store: Store, mirrors: Mirrors) -> Self {
        Self {
            store,
            mirrors,
            known: Arc::default(),
        }
    }

    /// The template `id`, if it was fetched and can be read; listed or not.
    pub fn get(&self, id: &str) -> Option<Arc<Known>> {
        self.known_of(id)?.ok()
    }

    /// The approved `template`, listed or not; fetched now if the refresh in the background has
    /// not fetched it. A template that could not be read is not fetched for a request again.
    pub async fn get_or_fetch(&self, template: &Template) -> Option<Arc<Known>> {
        if let Some(known) = self.known_of(&template.id) {
            return known.ok();
        }
        match tokio::time::timeout(FETCH_TIMEOUT, self.read(template)).await {
            Ok(read) => self.put(&template.id, read),
            Err(_) => None,
        }
    }

    fn known_of(&self, id: &str) -> Option<Result<Arc<Known>, String>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(id).cloned()
    }

    /// The templates of `GET /git`.
    pub fn shown(&self) -> Map<String, Value> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let good = known
            .iter()
            .filter_map(|(id, known)| Some((id, known.as_ref().ok()?)))
            .filter(|(_, known)| known.is_shown);
        good.map(|(id, known)| (id.clone(), Value::Object(known.manifest.public.clone())))
            .collect()
    }

    /// Fetches all approved templates.
    pub async fn refresh(&self) {
        let approved = match self.store.templates().await {
            Ok(templates) => templates
                .into_iter()
                .filter(|template| template.is_approved),
            Err(error) => {
                tracing::warn!(%error, "could not list the templates");
                return;
            }
        };
        let ids: Vec<String> = stream::iter(approved)
            .map(async |template| {
                let read = self.read(&template).await;
                self.put(&template.id, read);
                template.id
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|id, _| ids.contains(id));
    }

    async fn read(&self, template: &Template) -> Result<Known, String> {
        let Template {
            id, address, sha, ..
        } = template;
        let fetched = self.mirrors.refresh(id, address, sha.as_deref()).await;
        let snapshot = match fetched {
            Ok(snapshot) => snapshot,
            // An earlier commit is better than nothing.
            Err(error) if error.kind().is_transient() => {
                tracing::warn!(template.id = id, %error, "could not fetch a template");
                let kept = self.mirrors.snapshot(id, address, sha.as_deref()).await;
                kept.map_err(|e| e.to_string())?
                    .ok_or_else(|| error.to_string())?
            }
            Err(error) => return Err(error.to_string()),
        };
        let Snapshot { sha, manifest: raw } = snapshot;
        let manifest =
            Manifest::parse(&raw, address, Some(&sha)).map_err(|error| error.to_string())?;
        Ok(Known {
            address: address.clone(),
            sha,
            raw,
            is_shown: template.is_raw_approved || !manifest.has_raw_stages(),
            manifest,
        })
    }

    /// A template that cannot be read is reported once for each reason.
    fn put(&self, id: &str, read: Result<Known, String>) -> Option<Arc<Known>> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let before = known.get(id);
        match &read {
            Err(reason) if before.and_then(|b| b.as_ref().err()) != Some(reason) => {
                tracing::warn!(template.id = id, reason, "template left out");
            }
            Ok(new)
                if before
                    .and_then(|b| b.as_ref().ok())
                    .is_none_or(|b| (&b.sha, b.is_shown) != (&new.sha, new.is_shown)) =>
            {
                tracing::info!(template.id = id, template.sha = new.sha, "template");
                if !new.is_shown {
                    tracing::warn!(
                        template.id = id,
                        "not shown: its raw stages are not approved"
                    );
                }
            }
            _ => {}
        }
        let read = read.map(Arc::new);
        known.insert(id.to_owned(), read.clone());
        read.ok()
    }
}

/// Fetches for the first time, before requests come: a gateway that has just started must
/// not reject templates that it has not read yet. Does not wait long for a repository that
/// does not respond.
pub async fn fetch_first(cache: &TemplateCache, stop: &CancellationToken) {
    let fetched = tokio::time::timeout(FETCH_TIMEOUT, cache.refresh());
    if let Some(Err(_)) = stop.run_until_cancelled(fetched).await {
        tracing::warn!("not all templates are known yet: the others are still being fetched");
    }
}

/// Refreshes the cache at an interval until `stop`.
pub async fn keep_fresh(cache: TemplateCache, every: Duration, stop: CancellationToken) {
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = cache.refresh() => {}
        }
    }
}
