//! The ids of the current span go with every call.

use compute_trace::Ids;
use tonic::Request;

/// Adds them to the call's metadata.
pub(crate) fn attach<T>(request: &mut Request<T>) {
    for (name, id) in Ids::current().headers() {
        if let Ok(id) = id.parse() {
            request.metadata_mut().insert(name, id);
        }
    }
}
