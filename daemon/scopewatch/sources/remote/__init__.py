"""Raw data in object stores and on servers (s3://, sftp://, smb://), read through a cache."""
