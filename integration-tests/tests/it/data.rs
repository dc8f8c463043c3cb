//! Data of a job: from a local folder of the services, and by Globus.

mod globus;
mod globus_fake;
mod local_data;
