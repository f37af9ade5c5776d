-- How many clicks there were in each hour, in UTC. Hours without clicks are left out.
-- Columns: hour, clicks, users
-- Parameters: datehour, since
WITH click AS (
    -- A click that was delivered more than once is one click.
    SELECT
        coalesce(clickid, userid || '|' || mysfitid || '|' || clickedat) AS id,
        min(clickedat) AS clickedat,
        min(userid) AS userid
    FROM clicks
    WHERE datehour >= ? AND clickedat >= ?
    GROUP BY 1
)
SELECT
    substr(clickedat, 1, 13) || ':00Z' AS hour,
    count(*) AS clicks,
    count(DISTINCT userid) AS users
FROM click
GROUP BY 1
ORDER BY 1
