//! The pure core: what is deployed, what exists, what is wanted, and which marked lines would change.
//!
//! Nothing here reads a file, a clock or the network; time and environment are arguments.

pub mod age;
pub mod batch;
pub mod bootstrap;
pub mod branch;
pub mod commit;
pub mod compare;
pub mod controller;
pub mod diff;
pub mod duration;
pub mod edit;
pub mod event;
pub mod forge;
pub mod freeze;
pub mod hold;
pub mod inventory;
pub mod keep;
pub mod kustomization;
pub mod landing;
pub mod lint;
pub mod manifest;
pub mod marker;
pub mod metadata;
pub mod mode;
pub mod object;
pub mod order;
pub mod parallel;
pub mod plan;
pub mod policy;
pub mod proposal;
pub mod provider;
pub mod reference;
pub mod reflection;
pub mod refspec;
pub mod request;
pub mod running;
pub mod scan;
pub mod selector;
pub mod setrun;
pub mod setter;
pub mod status;
pub mod tags;
pub mod template;
pub mod trial;
pub mod watch;
