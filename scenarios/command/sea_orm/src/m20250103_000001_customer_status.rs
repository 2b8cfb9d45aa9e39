use sea_orm_migration::prelude::*;

use super::m20250101_000001_customers::Customers;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let status = ColumnDef::new(Customers::Status).string_len(20).not_null().default("active").to_owned();
        let table = Table::alter().table(Customers::Table).add_column(status).to_owned();
        manager.alter_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter().table(Customers::Table).drop_column(Customers::Status).to_owned();
        manager.alter_table(table).await
    }
}
