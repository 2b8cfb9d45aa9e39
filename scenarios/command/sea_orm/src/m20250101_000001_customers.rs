use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Customers::Table)
            .col(ColumnDef::new(Customers::Id).integer().not_null().auto_increment().primary_key())
            .col(ColumnDef::new(Customers::Email).string_len(120).not_null().unique_key())
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Customers::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
pub enum Customers {
    Table,
    Id,
    Email,
    Status,
}
