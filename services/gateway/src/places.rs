//! Places for long answers: a few at once for each user, so that what they take together is
//! bounded. Who finds none waits for a while.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use compute_domain::ids::UserId;
use compute_runtime::serving::GuardedBody;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::GatewayError;

/// How long a place is waited for.
const WAIT: Duration = Duration::from_secs(10);

/// The places of all users. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Places {
    at_once: usize,
    users: Arc<Mutex<BTreeMap<UserId, Weak<Semaphore>>>>,
}

/// A place, taken until it is dropped.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// The answer, which takes the place until it is sent.
    pub fn until_sent(self, answer: impl IntoResponse) -> Response {
        let answer = answer.into_response();
        answer.map(|body| Body::new(GuardedBody::new(body, self)))
    }
}

impl Places {
    /// So many for each user.
    pub fn new(at_once: usize) -> Self {
        Self {
            at_once,
            users: Arc::default(),
        }
    }

    /// Takes a place of those who need not say who they are.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub async fn take_of_anybody(&self) -> Result<Place, GatewayError> {
        self.take(&UserId::from_text(String::new())).await
    }

    /// Takes a place of `user`.
    ///
    /// # Errors
    /// [`GatewayError::ComeBack`] if none becomes free.
    pub async fn take(&self, user: &UserId) -> Result<Place, GatewayError> {
        self.take_within(WAIT, user).await
    }

    async fn take_within(&self, wait: Duration, user: &UserId) -> Result<Place, GatewayError> {
        let places = self.of(user);
        match tokio::time::timeout(wait, places.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Place { _permit: permit }),
            _ => Err(GatewayError::ComeBack {
                reason: "other long answers are being sent",
                retry_after: 5,
            }),
        }
    }

    fn of(&self, user: &UserId) -> Arc<Semaphore> {
        let mut all = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = all.get(user).and_then(Weak::upgrade) {
            return places;
        }
        all.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(self.at_once));
        all.insert(user.clone(), Arc::downgrade(&places));
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_user_has_a_few() {
        let places = Places::new(2);
        let (alice, bob) = (UserId::new("alice", "h"), UserId::new("bob", "h"));
        let first = places.take(&alice).await.unwrap();
        let _second = places.take(&alice).await.unwrap();
        let refused = places.take_within(Duration::ZERO, &alice).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("try again in 5 s"), "{refused}");
        places.take(&bob).await.unwrap();
        drop(first);
        places.take(&alice).await.unwrap();
        let carol = UserId::new("carol", "h");
        places.take(&carol).await.unwrap();
        assert_eq!(places.users.lock().unwrap().len(), 2, "bob is forgotten");
    }
}
