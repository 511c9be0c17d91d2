-- What the elements of the door's arrays are called on the wire.
select 'ledger.batch_transaction'::regtype::oid, 'ledger.batch_line'::regtype::oid, 'ledger.batch_account'::regtype::oid
