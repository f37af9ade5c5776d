-- Which users looked at the same mysfit twice or more: the 100 who did it most, without guest, who
-- is many.
-- Columns: userId, mysfitId, clicks
-- Parameters: datehour, since
WITH click AS (
    -- A click that was delivered more than once is one click.
    SELECT DISTINCT
        coalesce(clickid, userid || '|' || mysfitid || '|' || clickedat) AS id,
        userid,
        mysfitid
    FROM clicks
    WHERE datehour >= ? AND clickedat >= ?
)
SELECT
    userid AS userId,
    mysfitid AS mysfitId,
    count(*) AS clicks
FROM click
WHERE userid <> 'guest'
GROUP BY userid, mysfitid
HAVING count(*) >= 2
ORDER BY clicks DESC, userid, mysfitid
LIMIT 100
