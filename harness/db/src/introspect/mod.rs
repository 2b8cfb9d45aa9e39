//! Reading a live database's schema into [`switchback_core::schema::Schema`].

pub mod postgres;
pub mod sqlite;
