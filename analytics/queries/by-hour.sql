-- How many clicks there were in each hour, in UTC. Hours without clicks are left out.
-- Columns: hour, clicks, users
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
),
hours AS (
    SELECT CAST(hour_number AS varchar) AS digits, userid
    FROM click
)
SELECT
    substr(digits, 1, 4) || '-' || substr(digits, 5, 2) || '-' || substr(digits, 7, 2)
    || 'T' || substr(digits, 9, 2) || ':00Z' AS hour,
    count(*) AS clicks,
    count(DISTINCT userid) AS users
FROM hours
GROUP BY digits
ORDER BY digits
