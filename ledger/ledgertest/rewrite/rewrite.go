// Package rewrite is the parts of an edit that leaves no contradiction behind,
// for tests of what finds it all the same: SQL of somebody who has all rights
// and has switched every guard off, which makes what follows from the lines
// follow from edited ones, in every book.
package rewrite

const (
	// Balances makes the balances after each line, and the sums, those
	// of the lines.
	Balances = `
with after as (
  select p.recorded_at, p.book_id, p.line,
         sum(case p.layer when 'P' then case p.side when 'D' then p.amount else -p.amount end else 0 end) over w as posted,
         sum(case when p.side = 'D' and p.layer = 'H' then p.amount when p.side = 'D' and p.layer = 'R' then -p.amount else 0 end) over w as hd,
         sum(case when p.side = 'C' and p.layer = 'H' then p.amount when p.side = 'C' and p.layer = 'R' then -p.amount else 0 end) over w as hc
    from ledger.posting p window w as (partition by p.account_id order by p.recorded_at, p.line)
)
update ledger.posting p set posted_after = a.posted, held_debits_after = a.hd, held_credits_after = a.hc
  from after a where a.recorded_at = p.recorded_at and a.book_id = p.book_id and a.line = p.line;
update ledger.balance b
   set debits_posted = s.d, credits_posted = s.c, debits_pending = s.dp, credits_pending = s.cp
  from (select a.id,
               coalesce(sum(p.amount) filter (where p.layer = 'P' and p.side = 'D'), 0) as d,
               coalesce(sum(p.amount) filter (where p.layer = 'P' and p.side = 'C'), 0) as c,
               coalesce(sum(case p.layer when 'H' then p.amount when 'R' then -p.amount end) filter (where p.side = 'D'), 0) as dp,
               coalesce(sum(case p.layer when 'H' then p.amount when 'R' then -p.amount end) filter (where p.side = 'C'), 0) as cp
          from ledger.account a left join ledger.posting p on p.account_id = a.id group by a.id) s
 where s.id = b.account_id`

	// Chain makes every hash follow, from the first on, and the head.
	Chain = `
do $$
declare
  b ledger.book; j ledger.journal; prev bytea; lines bytea;
begin
  for b in select * from ledger.book loop
    prev := b.genesis;
    for j in select * from ledger.journal where book_id = b.id order by seq loop
      select string_agg(ledger.line_bytes(p.line, a.code, a.currency, p.side, p.layer, p.amount, p.posted_after, p.held_debits_after, p.held_credits_after), ''::bytea order by p.line)
        into lines from ledger.posting p join ledger.account a on a.id = p.account_id where p.recorded_at = j.recorded_at and p.book_id = b.id;
      prev := ledger.journal_hash(prev, j, lines);
      update ledger.journal set hash = prev where book_id = b.id and seq = j.seq and recorded_at = j.recorded_at;
    end loop;
    update ledger.book k set hash = prev, seq = l.seq, recorded_at = l.recorded_at
      from (select max(seq) as seq, max(recorded_at) as recorded_at from ledger.journal where book_id = b.id) l
     where k.id = b.id and l.seq is not null;
  end loop;
end $$`
)
