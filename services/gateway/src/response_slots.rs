//! Slots for long responses: each user has a few, so that their responses together take a
//! bounded amount of memory. A request without a slot waits for a while.

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

/// How long a request waits for a slot.
const WAIT: Duration = Duration::from_secs(10);

/// The slots of all users. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ResponseSlots {
    at_once: usize,
    users: Arc<Mutex<BTreeMap<UserId, Weak<Semaphore>>>>,
}

/// A slot, taken until it is dropped.
#[derive(Debug)]
pub struct ResponseSlot {
    _permit: OwnedSemaphorePermit,
}

impl ResponseSlot {
    /// The response, which takes the slot until it is sent.
    pub fn until_sent(self, response: impl IntoResponse) -> Response {
        let response = response.into_response();
        response.map(|body| Body::new(GuardedBody::new(body, self)))
    }
}

impl ResponseSlots {
    /// `at_once` slots for each user.
    pub fn new(at_once: usize) -> Self {
        Self {
            at_once,
            users: Arc::default(),
        }
    }

    /// Takes a slot shared by all callers of public routes.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub async fn take_public(&self) -> Result<ResponseSlot, GatewayError> {
        self.take(&UserId::from_text(String::new())).await
    }

    /// Takes a slot of `user`.
    ///
    /// # Errors
    /// [`GatewayError::ComeBack`] if none becomes free.
    pub async fn take(&self, user: &UserId) -> Result<ResponseSlot, GatewayError> {
        self.take_within(WAIT, user).await
    }

    async fn take_within(
        &self,
        wait: Duration,
        user: &UserId,
    ) -> Result<ResponseSlot, GatewayError> {
        let slots = self.of(user);
        match tokio::time::timeout(wait, slots.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(ResponseSlot { _permit: permit }),
            _ => Err(GatewayError::ComeBack {
                reason: "other long answers are being sent",
                retry_after: 5,
            }),
        }
    }

    fn of(&self, user: &UserId) -> Arc<Semaphore> {
        let mut all = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slots) = all.get(user).and_then(Weak::upgrade) {
            return slots;
        }
        all.retain(|_, slots| slots.strong_count() > 0);
        let slots = Arc::new(Semaphore::new(self.at_once));
        all.insert(user.clone(), Arc::downgrade(&slots));
        slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_user_has_a_few() {
        let slots = ResponseSlots::new(2);
        let (alice, bob) = (UserId::new("alice", "h"), UserId::new("bob", "h"));
        let first = slots.take(&alice).await.unwrap();
        let _second = slots.take(&alice).await.unwrap();
        let refused = slots.take_within(Duration::ZERO, &alice).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("try again in 5 s"), "{refused}");
        slots.take(&bob).await.unwrap();
        drop(first);
        slots.take(&alice).await.unwrap();
        let carol = UserId::new("carol", "h");
        slots.take(&carol).await.unwrap();
        assert_eq!(slots.users.lock().unwrap().len(), 2, "bob is forgotten");
    }
}
