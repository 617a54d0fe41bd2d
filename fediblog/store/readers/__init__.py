"""What one reader is told and keeps: notifications, filters, lists; and what moderators are told."""
