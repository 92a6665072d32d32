//! The cluster: the only place, beside the kubeconfig's reader, that speaks Kubernetes.
//!
//! [`connect`] makes a [`Cluster`] of a kube context, [`kinds`] asks it which of Flux's kinds it serves in which version. Its objects
//! come as a [`Snapshot`], what runs and what applies files as values of their own, secrets by their names, and a [`Watch`] says when it is time to read again; [`apply`] writes.
//! Everything here answers with values of the domain and with [`Problem`](crate::problem::Problem)s that name the verb
//! and the resource; who calls decides what follows from them.

pub mod apply;
mod around;
pub mod connect;
mod failure;
pub mod kinds;
mod read;
mod reported;
pub mod review;
mod secrets;
mod snapshot;
mod watch;

pub use around::Places;
pub use connect::Cluster;
pub use failure::Act;
pub use read::Fallback;
pub use secrets::Wanted;
pub use snapshot::{Snapshot, passes};
pub use watch::{Lost, Part, Watch};
