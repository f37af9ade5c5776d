-- Which two mysfits are looked at by the same user: the 100 pairs with most users, without guest, who
-- is many.
-- Columns: mysfitId, otherMysfitId, users
-- Parameters: datehour, since
WITH seen AS (
    SELECT DISTINCT userid, mysfitid
    FROM clicks
    WHERE datehour >= ? AND clickedat >= ? AND userid <> 'guest'
)
SELECT
    one.mysfitid AS mysfitId,
    other.mysfitid AS otherMysfitId,
    count(*) AS users
FROM seen AS one
JOIN seen AS other ON one.userid = other.userid AND one.mysfitid < other.mysfitid
GROUP BY one.mysfitid, other.mysfitid
ORDER BY users DESC, one.mysfitid, other.mysfitid
LIMIT 100
