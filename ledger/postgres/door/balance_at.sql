-- An account's balances after the last line recorded at or before a moment.
select posted, held_debits, held_credits, seq from ledger.balance_at($1, $2)
