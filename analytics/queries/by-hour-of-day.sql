-- At which hours of the day people look, in UTC.
-- Columns: hourOfDay, clicks, users
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
    CAST(substr(clickedat, 12, 2) AS integer) AS hourOfDay,
    count(*) AS clicks,
    count(DISTINCT userid) AS users
FROM click
GROUP BY 1
ORDER BY 1
