-- Which mysfits are looked at most, and by how many users.
-- Columns: mysfitId, clicks, users
-- Parameters: datehour, since
WITH click AS (
    -- A click that was delivered more than once is one click.
    SELECT
        coalesce(clickid, userid || '|' || mysfitid || '|' || clickedat) AS id,
        min(mysfitid) AS mysfitid,
        min(userid) AS userid
    FROM clicks
    WHERE datehour >= ? AND clickedat >= ?
    GROUP BY 1
)
SELECT
    mysfitid AS mysfitId,
    count(*) AS clicks,
    count(DISTINCT userid) AS users
FROM click
GROUP BY mysfitid
ORDER BY clicks DESC, mysfitid
