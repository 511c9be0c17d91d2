-- How many records each class keeps, how many of them without an end yet, and
-- how many whose six years are over before a day.
select c.class, count(r.subject), count(r.subject) filter (where r.starts_on is null),
       count(r.subject) filter (where (r.starts_on + interval '6 years')::date < $2::date)
  from (values ('K1'), ('K2'), ('K3'), ('K4')) c (class)
  left join custody.retention r on r.chain_id = $1 and r.class = c.class
 group by c.class
 order by c.class
