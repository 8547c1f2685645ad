"""DynamoDB: tables, and copies of their contents."""
