-- What the elements of the door's arrays are called on the wire.
select 'ledger.door_transaction'::regtype::oid, 'ledger.door_line'::regtype::oid
