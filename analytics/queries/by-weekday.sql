-- On which days of the week people look, in UTC. 1 is Monday.
-- Columns: weekday, clicks, users
-- Parameters: datehour, since
WITH click AS (
    -- A click that was delivered more than once is one click.
    SELECT
        coalesce(clickid, userid || '|' || mysfitid || '|' || clickedat) AS id,
        userid,
        -- As a number, of which the engines keep the first without more memory.
        min(CAST(substr(clickedat, 1, 4) || substr(clickedat, 6, 2) || substr(clickedat, 9, 2) AS bigint)) AS day_number
    FROM clicks
    WHERE datehour >= ? AND clickedat >= ?
    GROUP BY 1, userid
),
days AS (
    SELECT CAST(day_number AS varchar) AS digits, userid
    FROM click
)
SELECT
    day_of_week(
        CAST(
            substr(digits, 1, 4) || '-' || substr(digits, 5, 2) || '-' || substr(digits, 7, 2) AS date
        )
    ) AS weekday,
    count(*) AS clicks,
    count(DISTINCT userid) AS users
FROM days
GROUP BY 1
ORDER BY 1
