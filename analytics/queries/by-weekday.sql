-- On which days of the week people look, in UTC. 1 is Monday.
-- Columns: weekday, clicks, users
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
    day_of_week(CAST(substr(clickedat, 1, 10) AS date)) AS weekday,
    count(*) AS clicks,
    count(DISTINCT userid) AS users
FROM click
GROUP BY 1
ORDER BY 1
