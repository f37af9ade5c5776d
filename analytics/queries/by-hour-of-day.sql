-- At which hours of the day people look, in UTC.
-- Columns: hourOfDay, clicks, users
-- Parameters: datehour, since
WITH click AS (
    -- A click that was delivered more than once is one click.
    SELECT
        coalesce(clickid, userid || '|' || mysfitid || '|' || clickedat) AS id,
        userid,
        -- As a number, of which the engines keep the first without more memory.
        min(CAST(
            substr(clickedat, 1, 4) || substr(clickedat, 6, 2) || substr(clickedat, 9, 2)
            || substr(clickedat, 12, 2) AS bigint
        )) AS hour_number
    FROM clicks
    WHERE datehour >= ? AND clickedat >= ?
    GROUP BY 1, userid
)
SELECT
    hour_number % 100 AS hourOfDay,
    count(*) AS clicks,
    count(DISTINCT userid) AS users
FROM click
GROUP BY 1
ORDER BY 1
