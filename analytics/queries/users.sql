-- How many users came on each day, in UTC, and how many of them for the first time in the span that
-- is asked for. Without guest, who is many.
-- Columns: day, users, newUsers, returningUsers
-- Parameters: datehour, since
WITH click AS (
    -- A click that was delivered more than once is one click.
    SELECT
        coalesce(clickid, userid || '|' || mysfitid || '|' || clickedat) AS id,
        min(userid) AS userid,
        min(clickedat) AS clickedat
    FROM clicks
    WHERE datehour >= ? AND clickedat >= ?
    GROUP BY 1
),
visit AS (
    SELECT DISTINCT userid, substr(clickedat, 1, 10) AS visit_day
    FROM click
    WHERE userid <> 'guest'
),
dated AS (
    SELECT userid, visit_day, min(visit_day) OVER (PARTITION BY userid) AS first_day
    FROM visit
)
SELECT
    visit_day AS day,
    count(*) AS users,
    count(CASE WHEN visit_day = first_day THEN 1 END) AS newUsers,
    count(CASE WHEN visit_day > first_day THEN 1 END) AS returningUsers
FROM dated
GROUP BY visit_day
ORDER BY visit_day
