//! What holds for any schema, and what schemas and their differences look like.

mod look;
mod properties;
