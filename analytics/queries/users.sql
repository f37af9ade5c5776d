-- How many users came on each day, in UTC, and how many of them for the first time in the span that
-- is asked for. Without guest, who is many.
-- Columns: day, users, newUsers, returningUsers
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
visit AS (
    SELECT DISTINCT userid, day_number
    FROM click
    WHERE userid <> 'guest'
),
dated AS (
    SELECT
        userid,
        CAST(day_number AS varchar) AS digits,
        day_number,
        min(day_number) OVER (PARTITION BY userid) AS first_day
    FROM visit
)
SELECT
    substr(digits, 1, 4) || '-' || substr(digits, 5, 2) || '-' || substr(digits, 7, 2) AS day,
    count(*) AS users,
    count(CASE WHEN day_number = first_day THEN 1 END) AS newUsers,
    count(CASE WHEN day_number > first_day THEN 1 END) AS returningUsers
FROM dated
GROUP BY digits
ORDER BY digits
