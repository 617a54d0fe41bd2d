-- Accounts of others that nobody needs any more are forgotten. Whether somebody does, and what hangs on an account that
-- goes, must be found without reading whole tables.
create index mute_target on mute(target);
create index poll_vote_account on poll_vote(account);
create index report_reporter on report(reporter) where reporter is not null;
create index report_target on report(target);
create index media_account on media(account) where account is not null;
