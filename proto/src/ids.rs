//! Sends the ids of the current span with every call.

use compute_trace::Ids;
use tonic::Request;

/// Adds the ids of the current span to the metadata of the call.
pub(crate) fn attach<T>(request: &mut Request<T>) {
    for (name, id) in Ids::current().headers() {
        if let Ok(id) = id.parse() {
            request.metadata_mut().insert(name, id);
        }
    }
}
