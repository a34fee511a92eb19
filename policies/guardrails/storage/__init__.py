"""What holds data: buckets, tables, keys, secrets, images, logs."""
