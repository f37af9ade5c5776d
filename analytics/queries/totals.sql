-- How many clicks there were, of how many users, and how often one was delivered once more.
-- Columns: clicks, users, repeats
-- Parameters: datehour, since
WITH click AS (
    -- A click that was delivered more than once is one click.
    SELECT
        coalesce(clickid, userid || '|' || mysfitid || '|' || clickedat) AS id,
        userid,
        count(*) AS deliveries
    FROM clicks
    WHERE datehour >= ? AND clickedat >= ?
    GROUP BY 1, userid
)
SELECT
    count(*) AS clicks,
    count(DISTINCT userid) AS users,
    CAST(coalesce(sum(deliveries), 0) AS bigint) - count(*) AS repeats
FROM click
