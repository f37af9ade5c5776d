-- Which mysfits are looked at most, and by how many users.
-- Columns: mysfitId, clicks, users
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
    mysfitid AS mysfitId,
    count(*) AS clicks,
    count(DISTINCT userid) AS users
FROM click
GROUP BY mysfitid
ORDER BY clicks DESC, mysfitid
