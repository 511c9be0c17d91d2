-- Was there ever a day on which a document's bytes could go? What is asked for
-- later, a legal hold or an open investigation, does not bring them back.
select exists (select from custody.retention where chain_id = $1 and subject = $2 and starts_on + interval '6 years' < current_date)
