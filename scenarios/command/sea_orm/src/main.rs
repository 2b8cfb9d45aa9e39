//! The migrations of a shop, run as `cargo run -- up`.

mod m20250101_000001_customers;
mod m20250102_000001_orders;
mod m20250103_000001_customer_status;

use sea_orm_migration::prelude::*;

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20250101_000001_customers::Migration),
            Box::new(m20250102_000001_orders::Migration),
            Box::new(m20250103_000001_customer_status::Migration),
        ]
    }
}

#[tokio::main]
async fn main() {
    cli::run_cli(Migrator).await;
}
