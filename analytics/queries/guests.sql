-- What share of the clicks is of guests, and what of users who have signed in.
-- Columns: visitors, clicks, share
-- Parameters: datehour, since
WITH click AS (
    -- A click that was delivered more than once is one click.
    SELECT DISTINCT
        coalesce(clickid, userid || '|' || mysfitid || '|' || clickedat) AS id,
        userid
    FROM clicks
    WHERE datehour >= ? AND clickedat >= ?
)
SELECT
    visitors,
    count(*) AS clicks,
    CAST(count(*) AS double) / CAST(sum(count(*)) OVER () AS double) AS share
FROM (
    SELECT CASE WHEN userid = 'guest' THEN 'guests' ELSE 'users' END AS visitors
    FROM click
) AS visit
GROUP BY visitors
ORDER BY visitors
