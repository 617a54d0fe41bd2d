-- What one of our accounts says of itself in a sentence, and which links of its fields lead to pages that link back:
-- {address: [when that was seen (ms), how many looks have failed since]}.
alter table account add column headline text not null default '';
alter table account add column verified text not null default '{}';

-- What the owner of an account shows below it, in sections that they name.
create table showcase (
  account integer primary key references account(id) on delete cascade,
  sections text not null
);
