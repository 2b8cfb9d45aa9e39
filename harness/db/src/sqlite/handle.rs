//! The one place where the compiler is not asked whether memory is safe: SQLite's own handle of a
//! connection, which sqlx keeps, and which rusqlite knows how to give functions to.

#![expect(unsafe_code, reason = "neither driver can know what the other one does with the same handle")]

use std::path::Path;

use rusqlite::{Connection, LoadExtensionGuard, ffi};
use sqlx_sqlite::SqliteConnection;

/// Does something with sqlx's connection through rusqlite. What `act` makes there, such as a function,
/// stays until sqlx closes the connection.
pub(super) async fn borrowed<T>(
    connection: &mut SqliteConnection,
    act: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<rusqlite::Result<T>, sqlx::Error> {
    let mut locked = connection.lock_handle().await?;
    // SAFETY: both crates are linked with one `libsqlite3-sys`, so the handle is of one type. It is open
    // and stays so while `locked` is held, which keeps the thread of sqlx that works with it waiting.
    // What is made from it here ends before `locked` does, and does not close it: it is not the owner.
    let borrowed = unsafe { Connection::from_handle(locked.as_raw_handle().as_ptr()) };
    Ok(borrowed.and_then(|borrowed| act(&borrowed)))
}

/// Whether a foreign key still lacks its parent, so that a COMMIT would be refused (SQLite manual, "Status
/// Parameters for database connections", SQLITE_DBSTATUS_DEFERRED_FKS).
pub(super) async fn lacks_a_parent(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let mut locked = connection.lock_handle().await?;
    let (mut lacking, mut most) = (0, 0);
    // SAFETY: the handle is open and stays so while `locked` is held, and the numbers outlive the call.
    let told = unsafe {
        let handle = locked.as_raw_handle().as_ptr();
        ffi::sqlite3_db_status(handle, ffi::SQLITE_DBSTATUS_DEFERRED_FKS, &raw mut lacking, &raw mut most, 0)
    };
    Ok(told == ffi::SQLITE_OK && lacking != 0)
}

/// Loads an extension, whose code then runs in this very process.
pub(super) fn load_extension(connection: &Connection, library: &Path) -> rusqlite::Result<()> {
    // SAFETY: no statement of anybody runs while extensions may be loaded, so none can load another one.
    // What the extension itself does is beyond any promise; it is the project's own, named in its config,
    // and its application loads it into its own process in the same way.
    unsafe {
        let _allowed = LoadExtensionGuard::new(connection)?;
        connection.load_extension(library, None::<&str>)
    }
}
