-- Each page of somebody who has signed in says how many conversations wait to be read.
create index conversation_unread on conversation(account) where unread = 1;
