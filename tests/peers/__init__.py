"""Independent ActivityPub servers that fediblog is tested against."""
