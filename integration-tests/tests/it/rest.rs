//! The REST interface: public routes, rejected requests, limits, and generated requests.

mod fuzz;
mod limits;
mod public_routes;
mod refusals;
