//! Where the description of what is deployed comes from: objects, as files hold them and as a cluster has them.
//!
//! [`files`] reads a work tree, or the files of a Git tree that somebody else read, into an
//! [`Inventory`](crate::domain::inventory::Inventory) and [`Secrets`](secrets::Secrets). What cannot be read is a
//! [`Problem`](crate::problem::Problem) with file, line and column, and stops nothing else. Nothing here asks a
//! registry or a Git server, and only [`cluster`] asks an API server.

pub mod cluster;
pub mod create;
pub mod edit;
pub mod export;
pub mod files;
pub mod flux;
pub mod kubeconfig;
mod load;
pub mod objects;
pub mod owner;
pub mod secrets;
pub mod sync;
pub mod yaml;
