"""Where bytes lie: a local folder, or any S3-compatible bucket."""
