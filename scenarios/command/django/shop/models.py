"""Customers and their orders."""

from django.db import models


class Customer(models.Model):
    email = models.CharField(max_length=120, unique=True)
    status = models.CharField(max_length=20, default="active")

    class Meta:
        db_table = "customers"


class Order(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    total = models.IntegerField()
    placed_at = models.DateTimeField()

    class Meta:
        db_table = "orders"
        indexes = [models.Index(fields=["placed_at"], name="ix_orders_placed_at")]
