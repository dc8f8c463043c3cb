//! How the program of a template runs: container runtimes, containment, parameters, MPI, raw stages.

mod containers;
mod containment;
mod mpi;
mod raw_stages;
mod values;
