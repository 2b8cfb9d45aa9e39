//! The pure half of Switchback: histories, schemas, evidence, checks and reports.
//!
//! Nothing here reads a file, opens a socket or asks for the time, so everything here can be
//! tested with values written by hand.

#![forbid(unsafe_code)]

mod backend;
pub mod checks;
pub mod config;
pub mod evidence;
pub mod family;
pub mod history;
pub mod judge;
pub mod layout;
pub mod parity;
pub mod report;
pub mod rows;
pub mod schema;
pub mod shard;
pub mod shared;
pub mod sql;
pub mod trials;
pub mod versions;

pub use backend::{Backend, UnknownBackend};
