-- Links that do not say what the journal says, and what was resolved or
-- reversed twice: the first sequence of each, and how many links there are.
select (select min(l.seq) from ledger.journal_link l
          left join ledger.journal j on j.book_id = l.book_id and j.seq = l.seq
         where l.book_id = $1
           and (j.seq is null or l.target is distinct from case l.relation when 'resolves' then j.resolves when 'reverses' then j.reverses end)),
       (select min(d.seq) from (select max(l.seq) as seq from ledger.journal_link l where l.book_id = $1 group by l.target, l.relation having count(*) > 1) d),
       (select count(*) from ledger.journal_link l where l.book_id = $1)
