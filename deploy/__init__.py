"""What runs the lakehouse, and what it runs against."""
