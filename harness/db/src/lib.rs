//! The databases of Switchback: provisioning, introspection, applying revisions and recording
//! what they do. All I/O of the harness is here.

mod cache;
pub mod drive;
pub mod files;
pub mod introspect;
pub mod postgres;
pub mod project;
pub mod record;
pub mod room;
pub mod server;
pub mod sqlite;
