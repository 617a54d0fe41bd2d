-- Activities about nothing lasting are forgotten after a while, among all those that are kept as long as their posts;
-- and servers that do not answer are looked for among all that are known.
create index outgoing_passing on outgoing(created) where post is null;
create index host_failing on host(failing_since) where failures > 0;
-- What was tried and waits to be tried again is little: whatever is about the same thing for the same inbox comes after it.
create index delivery_tried on delivery(host, inbox, subject, id) where state = 'waiting' and tries > 0;
