//! The cluster: the only place, beside the kubeconfig's reader, that speaks Kubernetes.
//!
//! [`connect`] makes a [`Cluster`] of a kube context, [`kinds`] asks it which of Flux's kinds it serves in which version,
//! [`apply`] writes.
//! Everything here answers with values of the domain and with [`Problem`](crate::problem::Problem)s that name the verb
//! and the resource; who calls decides what follows from them.

pub mod apply;
pub mod connect;
mod failure;
pub mod kinds;

pub use connect::Cluster;
pub use failure::Act;
