use sea_orm_migration::prelude::*;

use super::m20250101_000001_customers::Customers;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let customer = ForeignKey::create()
            .name("fk_orders_customer")
            .from(Orders::Table, Orders::CustomerId)
            .to(Customers::Table, Customers::Id)
            .on_delete(ForeignKeyAction::Cascade)
            .to_owned();
        let table = Table::create()
            .table(Orders::Table)
            .col(ColumnDef::new(Orders::Id).integer().not_null().auto_increment().primary_key())
            .col(ColumnDef::new(Orders::CustomerId).integer().not_null())
            .col(ColumnDef::new(Orders::Total).integer().not_null())
            .foreign_key(&mut customer.to_owned())
            .to_owned();
        manager.create_table(table).await?;
        let index = Index::create()
            .name("ix_orders_customer")
            .table(Orders::Table)
            .col(Orders::CustomerId)
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Orders::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum Orders {
    Table,
    Id,
    CustomerId,
    Total,
}
