//! The HTTP gateway of the embedded cluster: one port, behind it every Service.
//!
//! `http://<service>.<namespace>.localhost:<port>/` reaches the ready endpoints of the Service in turn; a host that an
//! HTTPRoute names reaches the Services of its rules by their weights. What each backend answered is counted in
//! Prometheus form. The gateway decides nothing about weights: it does as the routes say. Never used as the data plane of
//! a real cluster. Start at [`Gateway::serve`]; the choice of backends is the pure [`ready_endpoints`].

mod balance;
mod endpoints;
mod forward;
mod gateway;
mod metrics;
mod name;
mod route;
mod split;

pub use endpoints::{Backend, ready_endpoints, service_port};
pub use gateway::{Gateway, GatewayConfig, ServiceNames};
pub use name::{Host, parse_host};
pub use route::definition;
