from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_orders")]
    operations = [
        migrations.AddField("customer", "status", models.CharField(default="active", max_length=20)),
    ]
